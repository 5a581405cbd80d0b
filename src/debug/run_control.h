// Moves the threads of a launch until something happens that a debugger wants to see.
//
// All-stop: while one thread is looked at, all stand still. A step moves the chosen thread alone; if it comes
// to wait for a semaphore, the others run until it can go on. Going on lets the threads run in turns, by node
// and thread, starting with the one that was last seen, so that a session repeats itself exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "debug/points.h"
#include "system/debuggee.h"

namespace dojo::debug {

enum class StopReason : std::uint8_t {
  stepped,
  breakpoint,
  watchpoint,
  trapped,
  too_long,     // the launch's instruction limit
  interrupted,  // gdb asked
  held,         // the threads that may run wait for threads that may not
  deadlocked,   // all that have not ended wait
  ended,        // all threads have ended, or trapped and were given up
};

struct StopEvent {
  StopReason what = StopReason::stepped;
  std::size_t thread = 0;
  std::optional<Watch> watch;
};

using MayRun = std::function<bool(std::size_t thread)>;

class RunControl {
public:
  // `interrupted` is asked every few thousand instructions.
  RunControl(system::Debuggee& debuggee, std::function<bool()> interrupted)
      : debuggee_(debuggee), interrupted_(std::move(interrupted)) {}

  Points& points() { return points_; }

  // Whether the next step of `thread` is over already: it was stopped for an access only after that.
  bool has_stepped(std::size_t thread);
  // One instruction of `thread`, whether or not there is a breakpoint at it.
  StopEvent step(std::size_t thread, const MayRun& others);
  // Until something happens. A breakpoint at a thread's pc is met before the instruction is executed.
  StopEvent go_on(const MayRun& may_run);

private:
  using Maybe = std::optional<StopEvent>;

  Maybe step_one(std::size_t thread);
  Maybe step_plainly(std::size_t thread);
  Maybe step_watched(std::size_t thread);
  void tell_late(std::size_t thread, std::span<const Watch> watches);
  Maybe take_late();
  Maybe turn(std::size_t thread);
  Maybe round(const MayRun& may_run, std::optional<std::size_t> awaited, bool& any);
  StopEvent run(const MayRun& may_run, std::optional<std::size_t> awaited);
  StopEvent standstill() const;

  system::Debuggee& debuggee_;
  std::function<bool()> interrupted_;
  Points points_;
  std::size_t next_ = 0;
  // The thread, and its instructions then, that was last stopped before an access.
  std::optional<std::pair<std::size_t, std::uint64_t>> told_;
  // Of accesses that are over, or will be behind the next instruction; what a watchpoint for writes watches
  // then holds something else than this.
  struct Late {
    StopEvent event;
    std::vector<std::byte> before;
  };
  std::vector<Late> late_;
  std::optional<std::size_t> shown_late_;  // the thread of the one shown last
};

}  // namespace dojo::debug
