// picolibc's own does not know which of POSIX's options this system has: clocks, and sleeping by one.
#pragma once
#include_next <sys/features.h>

#define _POSIX_TIMERS 200809L
#define _POSIX_MONOTONIC_CLOCK 200809L
#define _POSIX_CPUTIME 200809L
#define _POSIX_THREAD_CPUTIME 200809L
#define _POSIX_CLOCK_SELECTION 200809L
