// What a thread asked of the fabric, in order, and what it ran: the only things that cross from executing to
// timing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "node/smt.h"

namespace dojo::system {

constexpr std::uint32_t no_semaphore = 0xffffffff;

// `clock`: the thread goes on with the cycle in which it asked. `sleep`: after `amount` cycles, or at cycle
// `amount`, but never beyond the last cycle.
enum class Request : std::uint8_t { put, get, signal, wait, quiet, clock, sleep, sleep_until };

// No sleep ends later, so that a cycle always fits its type: 73 years at 2 GHz.
constexpr std::uint64_t last_cycle = std::uint64_t{1} << 62;

struct TraceRecord {
  std::uint64_t cycles =
      0;  // of the thread's own work since the record before; 0 on nodes of several threads
  std::uint64_t amount = 0;  // put, get: bytes; signal, wait: count; sleep: cycles
  std::uint32_t peer = 0;    // endpoint: put, signal: destination; get: source; otherwise the node itself
  std::uint32_t semaphore = no_semaphore;  // offset of the semaphore that is added to or waited for
  std::uint32_t op = 0;
  Request kind{};
};

// Code that a thread of a node of several threads ran: a number of node::SmtTiming.
struct CodeRun {
  std::uint32_t code_run = 0;
  bool recorded = false;  // its stop left a record
};

// One started thread.
struct ThreadTrace {
  std::uint32_t node = 0;
  std::vector<TraceRecord> records;  // not yet replayed
  std::uint64_t last_cycles = 0;     // of work after the last record, when the thread has ended
  std::uint32_t last_op = 0;
  std::deque<CodeRun> ran;  // not yet timed
};

enum class More : std::uint8_t { found, ended, held };

// Whoever executes the threads, numbered by node, then thread.
class TraceSource {
public:
  virtual ~TraceSource() = default;
  // The replay takes away what it has used.
  virtual ThreadTrace& trace(std::size_t thread) = 0;
  // The thread's trace is used up. `held`: it could go on, but not now.
  virtual More more(std::size_t thread) = 0;
  // May take the timer of a node on, feeding it what its threads run, as long as that is nothing but code, no
  // thread stops and its cycle is before `end`.
  virtual void go_on(std::uint32_t /*node*/, node::SmtTimer& /*timer*/, std::uint64_t /*end*/) {}
  // The thread has asked for the clock and stands still until it is told.
  virtual void answer(std::size_t thread, std::uint64_t cycle) = 0;
  // What a semaphore held before anybody used it.
  virtual std::uint64_t first_value(std::uint32_t node, std::uint32_t offset) = 0;
};

}  // namespace dojo::system
