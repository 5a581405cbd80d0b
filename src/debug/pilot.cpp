#include "debug/pilot.h"

namespace dojo::debug {

namespace {

using system::ThreadState;
constexpr unsigned turn_instructions = 5000;

}  // namespace

// One instruction of a runnable thread, and what is worth a stop. gdb for RISC-V wants to be told of an
// access before it happens: it takes its watchpoints away, steps over the instruction and looks what has
// changed. Whoever leaves them in is told once.
Pilot::Maybe Pilot::step_one(std::size_t thread) {
  std::optional<RemoteAccess> remote;
  if (points_.watches()) {
    const isa::Hart& hart = stepping_.hart(thread);
    const isa::Decoded instruction = next_instruction(hart);
    const std::pair<std::size_t, std::uint64_t> now{thread, hart.instructions};
    if (told_ != now)
      if (const std::optional<Watch> watch = points_.hit(accesses_of(hart, instruction))) {
        told_ = now;
        return Event{Happened::watchpoint, thread, watch};
      }
    remote = remote_access_of(hart, instruction);
  }
  const ThreadState state = stepping_.step(thread);
  if (state == ThreadState::trapped) return Event{Happened::trapped, thread, {}};
  if (state == ThreadState::too_long) return Event{Happened::too_long, thread, {}};
  if (remote) return arrival(*remote);
  return std::nullopt;
}

// What a transfer does to another node is seen there, when it is done: its threads have no instruction for
// it.
Pilot::Maybe Pilot::arrival(const RemoteAccess& remote) const {
  const std::size_t thread = remote.node * stepping_.threads_per_node();
  if (thread >= stepping_.threads()) return std::nullopt;
  const std::optional<Watch> watch = points_.hit(remote.accesses);
  if (!watch) return std::nullopt;
  return Event{Happened::watchpoint, thread, watch};
}

Pilot::Maybe Pilot::turn(std::size_t thread) {
  for (unsigned i = 0; i < turn_instructions && stepping_.state(thread) == ThreadState::runnable; ++i) {
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

Event Pilot::go_on(const MayRun& may_run) { return run(may_run, std::nullopt); }

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
