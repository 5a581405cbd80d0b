// System calls that read simulated time and wait for it. All clocks are one and begin with the launch.
#include <algorithm>
#include <cmath>

#include "system/system_calls.h"

namespace dojo::system {

namespace {

constexpr std::uint64_t billion = 1'000'000'000;
constexpr std::uint64_t clocks = 12;  // from CLOCK_REALTIME, 0, to CLOCK_TAI, 11

struct TimeSpec {
  std::int64_t seconds = 0, nanoseconds = 0;

  bool valid() const {
    return seconds >= 0 && nanoseconds >= 0 && nanoseconds < static_cast<std::int64_t>(billion);
  }
};

// The cycles of a time span; never fewer than it has, and never more than the clock may reach.
std::uint64_t cycles_of(const TimeSpec& span, double clock_ghz) {
  const double nanoseconds =
      static_cast<double>(span.seconds) * billion + static_cast<double>(span.nanoseconds);
  const double cycles = std::ceil(nanoseconds * clock_ghz);
  return cycles < static_cast<double>(last_cycle) ? static_cast<std::uint64_t>(cycles) : last_cycle;
}

}  // namespace

// --- Reading --------------------------------------------------------------------------------------------

// What the time CSR has; without timing an instruction counts as a cycle,
// so that programs which measure until enough time has passed come to an end.
std::uint64_t Execution::nanoseconds(const Thread& thread) const {
  const std::uint64_t cycles =
      options_.host.timing ? thread.hart.cycle : thread.hart.instructions + thread.slept;
  return static_cast<std::uint64_t>(static_cast<double>(cycles) / machine_.node.clock_ghz);
}

std::int64_t Execution::call_clock_gettime(Thread& thread) {
  if (argument(thread, 0) >= clocks) return bad_argument;
  const std::uint64_t now = nanoseconds(thread);
  const std::uint64_t time[2] = {now / billion, now % billion};
  return give(thread, argument(thread, 1), time);
}

std::int64_t Execution::call_clock_getres(Thread& thread) {
  if (argument(thread, 0) >= clocks) return bad_argument;
  return argument(thread, 1) == 0 ? 0 : give(thread, argument(thread, 1), TimeSpec{0, 1});
}

std::int64_t Execution::call_gettimeofday(Thread& thread) {
  const std::uint64_t now = nanoseconds(thread) / 1000;
  const std::uint64_t time[2] = {now / 1'000'000, now % 1'000'000};
  return argument(thread, 0) == 0 ? 0 : give(thread, argument(thread, 0), time);
}

// In hundredths of a second; all of it is the program's own.
std::int64_t Execution::call_times(Thread& thread) {
  const std::uint64_t ticks = nanoseconds(thread) / 10'000'000;
  const std::uint64_t times[4] = {ticks, 0, 0, 0};
  const std::int64_t failed = argument(thread, 0) == 0 ? 0 : give(thread, argument(thread, 0), times);
  return failed != 0 ? failed : static_cast<std::int64_t>(ticks);
}

// --- Waiting --------------------------------------------------------------------------------------------

// No signal ever ends a sleep, so nothing remains of it.
std::int64_t Execution::call_nanosleep(Thread& thread) { return sleep(thread, argument(thread, 0), false); }

std::int64_t Execution::call_clock_nanosleep(Thread& thread) {
  constexpr std::uint64_t absolute = 1;  // TIMER_ABSTIME
  if (argument(thread, 0) >= clocks) return bad_argument;
  return sleep(thread, argument(thread, 2), (argument(thread, 1) & absolute) != 0);
}

// For, or until, the time at `address`. Where the clock is not known the replay alone knows how long that is.
std::int64_t Execution::sleep(Thread& thread, std::uint64_t address, bool until) {
  TimeSpec span;
  if (!take(thread, address, span)) return bad_address;
  if (!span.valid()) return bad_argument;
  const std::uint64_t cycles = cycles_of(span, machine_.node.clock_ghz);
  const auto awake = [&](std::uint64_t now) {
    return std::max(now, until ? cycles : std::min(now + cycles, last_cycle));
  };
  if (!options_.host.timing) {
    const std::uint64_t worked = thread.hart.instructions;
    thread.slept = awake(worked + thread.slept) - worked;
    return 0;
  }
  record(thread, until ? Request::sleep_until : Request::sleep, thread.hart.node, cycles, no_semaphore);
  if (thread.clock_known) thread.hart.cycle = awake(thread.hart.cycle);
  return 0;
}

}  // namespace dojo::system
