// The C library's functions for time: simulated time since the launch, whatever the clock is called.
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "system.h"

namespace {

// Linux numbers clocks from 0, the C library otherwise; all of them tell the same.
constexpr long linux_clock = 0;
bool is_clock(clockid_t clock) { return clock <= CLOCK_BOOTTIME; }

}  // namespace

// A program may have a function of its own under any of these names.
#pragma clang attribute push(__attribute__((weak)), apply_to = function)
extern "C" {

int clock_gettime(clockid_t clock, struct timespec* time) {
  long raw[2] = {};
  const long answer = is_clock(clock) ? ask(call_clock_gettime, linux_clock, address(raw)) : -EINVAL;
  if (answer == 0) *time = {.tv_sec = raw[0], .tv_nsec = raw[1]};
  return checked(answer);
}
int clock_getres(clockid_t clock, struct timespec* time) {
  long raw[2] = {};
  const long answer = is_clock(clock) ? ask(call_clock_getres, linux_clock, address(raw)) : -EINVAL;
  if (answer == 0 && time != nullptr) *time = {.tv_sec = raw[0], .tv_nsec = raw[1]};
  return checked(answer);
}
int gettimeofday(struct timeval* time, void*) {
  long raw[2];
  ask(call_gettimeofday, address(raw));
  if (time != nullptr) *time = {.tv_sec = raw[0], .tv_usec = static_cast<suseconds_t>(raw[1])};
  return 0;
}
clock_t times(struct tms* parts) {
  long raw[4];
  const long ticks = ask(call_times, address(raw));
  if (parts != nullptr) *parts = {.tms_utime = static_cast<clock_t>(raw[0])};
  return static_cast<clock_t>(ticks);
}

// Nothing ends a sleep before its time.
int nanosleep(const struct timespec* time, struct timespec* left) {
  const long raw[2] = {static_cast<long>(time->tv_sec), time->tv_nsec};
  const long answer = ask(call_nanosleep, address(raw));
  if (answer == 0 && left != nullptr) *left = {};
  return checked(answer);
}
// As POSIX has it, the answer is the error.
int clock_nanosleep(clockid_t clock, int flags, const struct timespec* time, struct timespec* left) {
  if (!is_clock(clock)) return EINVAL;
  constexpr long absolute = 1;  // Linux's TIMER_ABSTIME
  const long raw[2] = {static_cast<long>(time->tv_sec), time->tv_nsec};
  const bool until = (flags & TIMER_ABSTIME) != 0;
  const long answer = ask(call_clock_nanosleep, linux_clock, until ? absolute : 0, address(raw));
  if (answer == 0 && !until && left != nullptr) *left = {};
  return static_cast<int>(-answer);
}
unsigned sleep(unsigned seconds) {
  const timespec time{.tv_sec = static_cast<time_t>(seconds), .tv_nsec = 0};
  nanosleep(&time, nullptr);
  return 0;
}
int usleep(useconds_t microseconds) {
  constexpr useconds_t million = 1'000'000;
  const timespec time{.tv_sec = static_cast<time_t>(microseconds / million),
                      .tv_nsec = static_cast<long>(microseconds % million * 1000)};
  return nanosleep(&time, nullptr);
}

}  // extern "C"
#pragma clang attribute pop
