// How the guest is set going and what its stop is called. Numbers of signals: gdb's own, "Debugging with
// GDB", appendix "Protocol-specific signal numbers" (include/gdb/signals.def).
#include <fmt/format.h>

#include <algorithm>

#include "debug/packet.h"
#include "debug/stub.h"

namespace dojo::debug {

namespace {

using system::ThreadState;

enum Signal : unsigned {
  interrupt = 2,
  illegal = 4,
  trap = 5,
  abort = 6,
  bus = 10,
  segmentation = 11,
  stop = 17,
  too_long = 24
};

Signal signal_of(isa::TrapCause cause) {
  switch (cause) {
    case isa::TrapCause::illegal_instruction:
      return illegal;
    case isa::TrapCause::load_fault:
    case isa::TrapCause::store_fault:
    case isa::TrapCause::fetch_fault:
      return segmentation;
    case isa::TrapCause::misaligned_atomic:
    case isa::TrapCause::bad_transfer:
      return bus;
    case isa::TrapCause::breakpoint:
      return trap;
  }
  return trap;
}

// The first action that names the thread, or all of them.
const Action* action_for(const std::vector<Action>& actions, std::int64_t id) {
  const auto found = std::ranges::find_if(actions, [id](const Action& action) {
    return action.thread == all_threads || action.thread == any_thread || action.thread == id;
  });
  return found == actions.end() ? nullptr : &*found;
}

}  // namespace

std::string Stub::resume(const std::vector<Action>& actions) {
  release(actions);
  if (std::size_t thread = 0; goes_alone(actions, thread) && run_control_.has_stepped(thread))
    return report({StopReason::stepped, thread, {}});
  const MayRun may_run = [&](std::size_t thread) {
    const Action* action = action_for(actions, id_of(thread));
    return action != nullptr && action->resume != Resume::stop;
  };
  // The thread to step: the one named with a step, else the selected one if the step is for all.
  for (const Action& action : actions) {
    if (action.resume != Resume::step) continue;
    std::size_t thread = selected_;
    if (action.thread > 0 && !find(action.thread, thread)) continue;
    const ThreadState state = debuggee_.state(thread);
    if (state != ThreadState::runnable && state != ThreadState::waiting) continue;
    return report(run_control_.step(thread, may_run));
  }
  return report(run_control_.go_on(may_run));
}

// gdb steps over an access with the one thread alone: by a step, or going on to a breakpoint behind it.
bool Stub::goes_alone(const std::vector<Action>& actions, std::size_t& thread) const {
  return actions.size() == 1 && actions[0].thread > 0 && find(actions[0].thread, thread);
}

// A thread that trapped tries again unless gdb delivers the signal to it.
void Stub::release(const std::vector<Action>& actions) {
  if (last_.what != StopReason::trapped) return;
  const Action* action = action_for(actions, id_of(last_.thread));
  if (action == nullptr || action->resume == Resume::stop || action->signal != 0) return;
  isa::Hart& one = debuggee_.hart(last_.thread);
  if (one.trap == isa::TrapCause::breakpoint && debuggee_.state(last_.thread) == ThreadState::trapped) {
    const isa::Decoded at_pc = next_instruction(one);
    if (at_pc.row->mnemonic == "ebreak") one.pc += at_pc.length;
  }
  debuggee_.revive(last_.thread);
}

std::string Stub::report(const StopEvent& event) {
  last_ = event;
  if (event.what == StopReason::ended) return ended();
  selected_ = event.thread;
  if (event.what == StopReason::deadlocked || event.what == StopReason::trapped ||
      event.what == StopReason::too_long) {
    const isa::Hart& one = debuggee_.hart(event.thread);
    say_(fmt::format("{}node {} thread {}: {}\n", event.what == StopReason::deadlocked ? "deadlock: " : "",
                     one.node, one.thread, debuggee_.stranded(event.thread).reason));
  }
  return stop_words();
}

std::string Stub::ended() {
  over_ = true;
  int code = 0;
  for (std::size_t thread = 0; thread < debuggee_.threads(); ++thread) {
    if (debuggee_.state(thread) == ThreadState::trapped)
      return fmt::format("X{:02x}", static_cast<unsigned>(signal_of(debuggee_.hart(thread).trap)));
    if (debuggee_.state(thread) == ThreadState::too_long)
      return fmt::format("X{:02x}", static_cast<unsigned>(too_long));
    code = std::max(code, debuggee_.exit_code(thread));
  }
  return fmt::format("W{:02x}", code & 0xff);
}

// The stop reply, with the registers that gdb wants first.
std::string Stub::stop_words() const {
  unsigned signal = trap;
  std::string why;
  switch (last_.what) {
    case StopReason::stepped:
    case StopReason::ended:
      break;
    case StopReason::breakpoint:
      why = "swbreak:;";
      break;
    case StopReason::watchpoint: {
      const char* name = last_.watch->point == Point::write_watch  ? "watch"
                         : last_.watch->point == Point::read_watch ? "rwatch"
                                                                   : "awatch";
      why = fmt::format("{}:{:x};", name, last_.watch->address);
      break;
    }
    case StopReason::trapped:
      signal = signal_of(debuggee_.hart(last_.thread).trap);
      break;
    case StopReason::too_long:
      signal = too_long;
      break;
    case StopReason::interrupted:
      signal = interrupt;
      break;
    case StopReason::held:
      signal = stop;
      break;
    case StopReason::deadlocked:
      signal = abort;
      break;
  }
  constexpr std::size_t sp = 2, fp = 8;
  std::string words = fmt::format("T{:02x}{}thread:{:x};", signal, why, id_of(last_.thread));
  for (const std::size_t number : {sp, fp, pc_register})
    words +=
        fmt::format("{:02x}:{};", number, to_hex(*registers_.read(debuggee_.hart(last_.thread), number)));
  return words;
}

}  // namespace dojo::debug
