#include "debug/pilot.h"

#include <algorithm>

namespace dojo::debug {

namespace {

using system::ThreadState;
constexpr unsigned led_in_turn = 5000;

}  // namespace

// One instruction of a runnable thread, and what is worth a stop.
Pilot::Maybe Pilot::step_one(std::size_t thread) {
  return points_.watches() ? step_watched(thread) : step_plainly(thread);
}

Pilot::Maybe Pilot::step_plainly(std::size_t thread) {
  const ThreadState state = stepping_.step(thread);
  if (state == ThreadState::trapped) return Event{Happened::trapped, thread, {}};
  if (state == ThreadState::too_long) return Event{Happened::too_long, thread, {}};
  return std::nullopt;
}

// gdb for RISC-V wants to be told of an access before it happens: it takes its watchpoints away, steps over
// the instruction and looks what has changed. Whoever leaves them in is told once.
Pilot::Maybe Pilot::step_watched(std::size_t thread) {
  const isa::Hart& hart = stepping_.hart(thread);
  const isa::Decoded instruction = next_instruction(hart);
  std::vector<MemoryAccess> here = accesses_of(hart, instruction), elsewhere;
  std::size_t other = 0;  // the first thread of the node that a transfer reaches, if there is one
  for (const NodeAccess& one : transfer_accesses_of(hart, instruction)) {
    if (one.node != hart.node) other = one.node * stepping_.threads_per_node();
    (one.node == hart.node ? here : elsewhere).push_back(one.access);
  }
  const std::pair<std::size_t, std::uint64_t> now{thread, hart.instructions};
  if (const std::vector<Watch> hits = points_.hit(here); told_ != now && !hits.empty()) {
    told_ = now;
    tell_late(thread, std::span(hits).subspan(1));
    return Event{Happened::watchpoint, thread, hits.front()};
  }
  if (!elsewhere.empty() && other < stepping_.threads()) {
    tell_late(other, points_.hit(elsewhere));
    const Maybe event = step_plainly(thread);
    return event ? event : take_late();
  }
  if (instruction.row->mnemonic != "ecall") return step_plainly(thread);
  const Points::Contents before = points_.contents(hart.memory);
  if (const Maybe event = step_plainly(thread)) return event;
  for (const Watch& watch : points_.changed(hart.memory, before))
    late_.push_back({{Happened::watchpoint, thread, watch}, {}});
  return take_late();
}

// Of what changes without an instruction of its node one can tell only when it is over. And gdb is told of
// one watchpoint at a time: of the others that an access touches when it has got over the first and set all
// again.
void Pilot::tell_late(std::size_t thread, std::span<const Watch> watches) {
  for (const Watch& watch : watches)
    late_.push_back(
        {{Happened::watchpoint, thread, watch}, contents_of(watch, stepping_.hart(thread).memory)});
}

Pilot::Maybe Pilot::take_late() {
  const auto is_over = [this](const Late& late) {
    return told_ != std::pair{late.event.thread, stepping_.hart(late.event.thread).instructions};
  };
  while (points_.watches()) {
    const auto found = std::ranges::find_if(late_, is_over);
    if (found == late_.end()) break;
    const auto [event, before] = *found;
    late_.erase(found);
    const bool says_something = event.watch->point != Point::write_watch ||
                                contents_of(*event.watch, stepping_.hart(event.thread).memory) != before;
    if (!says_something || !points_.watches(*event.watch)) continue;
    shown_late_ = event.thread;
    return event;
  }
  return std::nullopt;
}

bool Pilot::has_stepped(std::size_t thread) { return std::exchange(shown_late_, std::nullopt) == thread; }

Pilot::Maybe Pilot::turn(std::size_t thread) {
  for (unsigned i = 0; i < led_in_turn && stepping_.state(thread) == ThreadState::runnable; ++i) {
    if (points_.breaks_at(stepping_.hart(thread).pc)) return Event{Happened::breakpoint, thread, {}};
    if (Maybe event = step_one(thread)) return event;
  }
  return std::nullopt;
}

// A turn of every thread that may and can run.
Pilot::Maybe Pilot::round(const MayRun& may_run, std::optional<std::size_t> awaited, bool& any) {
  const std::size_t first = next_;
  for (std::size_t i = 0; i < stepping_.threads(); ++i) {
    const std::size_t thread = (first + i) % stepping_.threads();
    if (stepping_.state(thread) != ThreadState::runnable || !may_run(thread)) continue;
    any = true;
    next_ = thread;
    if (Maybe event = turn(thread)) return event;
    if (awaited && stepping_.state(*awaited) != ThreadState::waiting)
      return Event{Happened::stepped, *awaited, {}};
    if (interrupted_()) return Event{Happened::interrupted, thread, {}};
  }
  return std::nullopt;
}

Event Pilot::run(const MayRun& may_run, std::optional<std::size_t> awaited) {
  for (;;) {
    bool any = false;
    if (Maybe event = round(may_run, awaited, any)) return *event;
    if (!any) return standstill();
  }
}

Event Pilot::go_on(const MayRun& may_run) {
  if (const Maybe event = take_late()) return *event;
  return run(may_run, std::nullopt);
}

Event Pilot::step(std::size_t thread, const MayRun& others) {
  next_ = thread;
  const MayRun all_others = [&](std::size_t other) { return other != thread && others(other); };
  if (stepping_.state(thread) == ThreadState::waiting) {
    const Event event = run(all_others, thread);
    next_ = thread;
    if (event.what != Happened::stepped) return event;
  }
  if (Maybe event = step_one(thread)) return *event;
  if (stepping_.state(thread) == ThreadState::waiting) {
    const Event event = run(all_others, thread);
    next_ = thread;
    return event.what == Happened::held ? Event{Happened::stepped, thread, {}} : event;
  }
  if (stepping_.state(thread) == ThreadState::ended) return go_on(others);
  return {Happened::stepped, thread, {}};
}

// Why no thread that may run can.
Event Pilot::standstill() const {
  std::optional<std::size_t> waiting;
  for (std::size_t thread = 0; thread < stepping_.threads(); ++thread) {
    if (stepping_.state(thread) == ThreadState::runnable) return {Happened::held, next_, {}};
    if (stepping_.state(thread) == ThreadState::waiting && !waiting) waiting = thread;
  }
  if (waiting) return {Happened::deadlocked, *waiting, {}};
  return {Happened::ended, next_, {}};
}

}  // namespace dojo::debug
