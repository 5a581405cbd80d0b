// The node's pipeline, cycle by cycle: the definition of timing.
//
// Slow and obvious. One tick is one cycle: first the vector engine issues, then the front end passes
// instructions on, then every thread's cycle gets its cause. Two fast models answer to this one: pipeline.h
// for a single running thread, smt_pipeline.h for the threads of a node together. The rules in words:
// docs/notes/005.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/cost.h"
#include "node/counts.h"

namespace dojo::node {

// One instruction of a thread's trace and, if it is the last of its block, how the block was left.
struct TimedInstruction {
  Cost cost;
  Exit exit = Exit::onward;
  std::uint64_t bucket = 0;  // what its cycles are counted under
};

using Cycle = std::int64_t;

// What to keep beside the totals: `times` grows with the trace; `buckets` are the cycles by
// TimedInstruction::bucket.
enum class Keep : std::uint8_t { times, buckets };

// Cycles by cause that are counted under one bucket.
struct Spent {
  std::uint64_t bucket = 0;
  std::array<std::uint64_t, causes> cycles{};
};

class ReferencePipeline {
public:
  ReferencePipeline(const machine::Node& node, unsigned threads, Keep keep = Keep::times);

  // The instruction must stay where it is until the thread is empty.
  void feed(unsigned thread, const TimedInstruction& instruction) {
    threads_[thread].trace.push_back(&instruction);
  }
  // Nothing more comes before the thread is empty, and its cycles until then count.
  void finish(unsigned thread) { threads_[thread].finishing = true; }
  // Advances one cycle.
  void tick();

  Cycle now() const { return now_; }  // the cycle that the next tick computes
  // Nothing left to pass on and nothing in flight.
  bool empty(unsigned thread) const;
  // The thread's latest instruction was `stopped` and has been paid for: its pipeline is empty, it is ready
  // for more.
  bool stopped(unsigned thread) const { return threads_[thread].stop_paid; }
  bool finished(unsigned thread) const { return threads_[thread].finishing && empty(thread); }
  // Forgets that the thread has stopped or finished: it may be fed again.
  void acknowledge(unsigned thread);
  // The front end could run out of instructions within a cycle, and no stop is among them.
  bool hungry(unsigned thread) const;
  // Cycles from which nothing was waiting to run are not counted.
  const Counts& counts(unsigned thread) const { return threads_[thread].counts; }

  // Per fed instruction, when it left the front end and when it began to execute. Markers have the cycle of
  // what follows them.
  struct Times {
    Cycle passed = 0, issued = 0;
  };
  const std::vector<Times>& times(unsigned thread) const { return threads_[thread].times; }
  // Per cycle since the start, what was counted; for tests.
  const std::vector<Cause>& history(unsigned thread) const { return threads_[thread].history; }

  // Kept with Keep::buckets, since it was last taken: a cycle belongs to the instruction that passes next.
  std::vector<Spent> take_spent() { return std::exchange(spent_, {}); }

private:
  struct Ready {
    Cycle first = 0, last = 0;  // of a register: when a follower may start, and when all of it is there
  };
  struct Tile {
    Cycle forward = 0, ready = 0;  // for the next instruction on it, and for everybody else
  };
  struct Queued {
    const TimedInstruction* instruction;
    std::size_t index;
  };
  struct Thread {
    std::deque<const TimedInstruction*> trace;
    std::deque<Queued> queue;
    std::array<Cycle, 32> x{}, f{};
    std::array<unsigned, 32> x_pending{}, f_pending{};  // writes by vector instructions not yet begun
    std::array<Ready, 32> v{};
    std::array<Tile, 4> tile{};
    Cycle config = 0;
    unsigned config_pending = 0;
    Cycle done = 0;         // when everything begun so far has finished
    Cycle front_ready = 0;  // no instruction passes before
    bool stopping = false, stop_paid = false, finishing = false;
    bool acted = false;                        // passed or began something this cycle
    const TimedInstruction* passed = nullptr;  // the latest
    Cause front_reason = Cause::dependency;
    Counts counts;
    std::vector<Times> times;
    std::vector<Cause> history;
  };
  struct Slots {  // what is left of one cycle
    unsigned decode, scalar, alus, address_units;
    bool load_path = true, store_path = true;
  };

  bool operands_ready(const Thread& thread, const Cost& cost) const;
  bool sources_ready(const Thread& thread, const Cost& cost) const;
  bool pipes_free(const Cost& cost) const;
  bool ports_free(const Cost& cost) const;
  void issue_vectors();
  void begin(Thread& thread, const Queued& queued);
  void pass_instructions();
  bool take_slots(const Cost& cost, Slots& slots);
  void pass(Thread& thread, const TimedInstruction& instruction);
  bool idle(const Thread& thread) const;
  void account(Thread& thread);
  void spend(const Thread& thread, Cause cause);
  void enqueue(Thread& thread, const TimedInstruction& instruction);

  machine::Node node_;
  Keep keep_;
  Cycle now_ = 0;
  std::vector<Thread> threads_;
  Cycle simd_busy_ = 0, matrix_busy_ = 0, divider_busy_ = 0;
  std::vector<Cycle> load_busy_, store_busy_;
  std::vector<Spent> spent_;
};

}  // namespace dojo::node
