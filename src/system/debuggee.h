// A debugged launch: a debugger steps its threads, or whoever writes down what every instruction did.
//
// All threads stand still but the one that is told to go, and it goes one instruction far. Any order of steps
// gives the values, counts and cycles that the launch would have had by itself (docs/notes/002, 006), as long
// as nobody writes to registers or memory. Made by Computer::launch for LaunchOptions::debugger; used by one
// host thread.
#pragma once

#include <cstddef>

#include "isa/hart.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/execution.h"
#include "system/layout.h"
#include "system/program.h"
#include "system/replay.h"

namespace dojo::system {

class Debuggee {
public:
  Debuggee(Execution& execution, const machine::Machine& machine, const Program& program,
           const Layout& layout, const LaunchOptions& options, Replay* replay)
      : execution_(execution),
        machine_(machine),
        program_(program),
        layout_(layout),
        options_(options),
        replay_(replay) {}

  // Started threads of all nodes: number node * threads_per_node() + thread.
  std::size_t threads() const { return execution_.threads().size(); }
  std::size_t threads_per_node() const { return layout_.threads; }
  const machine::Machine& machine() const { return machine_; }
  const Program& program() const { return program_; }

  // Registers and memory, to be read and written between steps. Its pc is the next instruction, or the one
  // that trapped; behind the instruction if the thread waits.
  isa::Hart& hart(std::size_t thread) const { return execution_.threads()[thread]->hart; }
  ThreadState state(std::size_t thread) const { return execution_.threads()[thread]->state; }
  int exit_code(std::size_t thread) const { return execution_.threads()[thread]->exit_code; }

  // Executes one instruction of a runnable thread with all that follows from it: a system call, a transfer
  // that wakes others. A thread that cannot go on stays as it is. Returns its state afterwards.
  // A thread that reads a clock which depends on the others waits until they stand still.
  ThreadState step(std::size_t thread);

  // Host::interrupted: the debugger is to interrupt() and return.
  bool asked_to_end() const { return options_.host.interrupted(); }
  // A trapped thread may try again from its pc.
  void revive(std::size_t thread);
  // Ends the launch when the debugger returns: Outcome::interrupted.
  void interrupt() { execution_.interrupt(); }
  // Why a thread does not go on, for people.
  Stranded stranded(std::size_t thread) const;

private:
  Execution& execution_;
  const machine::Machine& machine_;
  const Program& program_;
  const Layout& layout_;
  const LaunchOptions& options_;
  Replay* replay_;  // nullptr without timing
};

}  // namespace dojo::system
