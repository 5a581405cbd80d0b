#include "debug/run_control.h"

#include <algorithm>

namespace dojo::debug {

namespace {

using system::ThreadState;
constexpr unsigned run_in_turn = 5000;

}  // namespace

// One instruction of a runnable thread, and what is worth a stop.
RunControl::Maybe RunControl::step_one(std::size_t thread) {
  return points_.watches() ? step_watched(thread) : step_plainly(thread);
}

RunControl::Maybe RunControl::step_plainly(std::size_t thread) {
  const ThreadState state = debuggee_.step(thread);
  if (state == ThreadState::trapped) return StopEvent{StopReason::trapped, thread, {}};
  if (state == ThreadState::too_long) return StopEvent{StopReason::too_long, thread, {}};
  return std::nullopt;
}

// gdb for RISC-V wants to be told of an access before it happens: it takes its watchpoints away, steps over
// the instruction and looks what has changed. Whoever leaves them in is told once.
RunControl::Maybe RunControl::step_watched(std::size_t thread) {
  const isa::Hart& hart = debuggee_.hart(thread);
  const isa::Decoded instruction = next_instruction(hart);
  std::vector<MemoryAccess> here = accesses_of(hart, instruction), elsewhere;
  std::size_t other = 0;  // the first thread of the node that a transfer reaches, if there is one
  for (const NodeAccess& one : transfer_accesses_of(hart, instruction)) {
    if (one.node != hart.node) other = one.node * debuggee_.threads_per_node();
    (one.node == hart.node ? here : elsewhere).push_back(one.access);
  }
  const std::pair<std::size_t, std::uint64_t> now{thread, hart.instructions};
  if (const std::vector<Watch> hits = points_.hit(here); told_ != now && !hits.empty()) {
    told_ = now;
    tell_late(thread, std::span(hits).subspan(1));
    return StopEvent{StopReason::watchpoint, thread, hits.front()};
  }
  if (!elsewhere.empty() && other < debuggee_.threads()) {
    tell_late(other, points_.hit(elsewhere));
    const Maybe event = step_plainly(thread);
    return event ? event : take_late();
  }
  if (instruction.row->mnemonic != "ecall") return step_plainly(thread);
  const Points::Contents before = points_.contents(hart.memory);
  if (const Maybe event = step_plainly(thread)) return event;
  for (const Watch& watch : points_.changed(hart.memory, before))
    late_.push_back({{StopReason::watchpoint, thread, watch}, {}});
  return take_late();
}

// Of what changes without an instruction of its node one can tell only when it is over. And gdb is told of
// one watchpoint at a time: of the others that an access touches when it has got over the first and set all
// again.
void RunControl::tell_late(std::size_t thread, std::span<const Watch> watches) {
  for (const Watch& watch : watches)
    late_.push_back(
        {{StopReason::watchpoint, thread, watch}, contents_of(watch, debuggee_.hart(thread).memory)});
}

RunControl::Maybe RunControl::take_late() {
  const auto is_over = [this](const Late& late) {
    return told_ != std::pair{late.event.thread, debuggee_.hart(late.event.thread).instructions};
  };
  while (points_.watches()) {
    const auto found = std::ranges::find_if(late_, is_over);
    if (found == late_.end()) break;
    const auto [event, before] = *found;
    late_.erase(found);
    const bool says_something = event.watch->point != Point::write_watch ||
                                contents_of(*event.watch, debuggee_.hart(event.thread).memory) != before;
    if (!says_something || !points_.watches(*event.watch)) continue;
    shown_late_ = event.thread;
    return event;
  }
  return std::nullopt;
}

bool RunControl::has_stepped(std::size_t thread) {
  return std::exchange(shown_late_, std::nullopt) == thread;
}

RunControl::Maybe RunControl::turn(std::size_t thread) {
  for (unsigned i = 0; i < run_in_turn && debuggee_.state(thread) == ThreadState::runnable; ++i) {
    if (points_.breaks_at(debuggee_.hart(thread).pc)) return StopEvent{StopReason::breakpoint, thread, {}};
    if (Maybe event = step_one(thread)) return event;
  }
  return std::nullopt;
}

// A turn of every thread that may and can run.
RunControl::Maybe RunControl::round(const MayRun& may_run, std::optional<std::size_t> awaited, bool& any) {
  const std::size_t first = next_;
  for (std::size_t i = 0; i < debuggee_.threads(); ++i) {
    const std::size_t thread = (first + i) % debuggee_.threads();
    if (debuggee_.state(thread) != ThreadState::runnable || !may_run(thread)) continue;
    any = true;
    next_ = thread;
    if (Maybe event = turn(thread)) return event;
    if (awaited && debuggee_.state(*awaited) != ThreadState::waiting)
      return StopEvent{StopReason::stepped, *awaited, {}};
    if (interrupted_()) return StopEvent{StopReason::interrupted, thread, {}};
  }
  return std::nullopt;
}

StopEvent RunControl::run(const MayRun& may_run, std::optional<std::size_t> awaited) {
  for (;;) {
    bool any = false;
    if (Maybe event = round(may_run, awaited, any)) return *event;
    if (!any) return standstill();
  }
}

StopEvent RunControl::go_on(const MayRun& may_run) {
  if (const Maybe event = take_late()) return *event;
  return run(may_run, std::nullopt);
}

StopEvent RunControl::step(std::size_t thread, const MayRun& others) {
  next_ = thread;
  const MayRun all_others = [&](std::size_t other) { return other != thread && others(other); };
  if (debuggee_.state(thread) == ThreadState::waiting) {
    const StopEvent event = run(all_others, thread);
    next_ = thread;
    if (event.what != StopReason::stepped) return event;
  }
  if (Maybe event = step_one(thread)) return *event;
  if (debuggee_.state(thread) == ThreadState::waiting) {
    const StopEvent event = run(all_others, thread);
    next_ = thread;
    return event.what == StopReason::held ? StopEvent{StopReason::stepped, thread, {}} : event;
  }
  if (debuggee_.state(thread) == ThreadState::ended) return go_on(others);
  return {StopReason::stepped, thread, {}};
}

// Why no thread that may run can.
StopEvent RunControl::standstill() const {
  std::optional<std::size_t> waiting;
  for (std::size_t thread = 0; thread < debuggee_.threads(); ++thread) {
    if (debuggee_.state(thread) == ThreadState::runnable) return {StopReason::held, next_, {}};
    if (debuggee_.state(thread) == ThreadState::waiting && !waiting) waiting = thread;
  }
  if (waiting) return {StopReason::deadlocked, *waiting, {}};
  return {StopReason::ended, next_, {}};
}

}  // namespace dojo::debug
