// The node's pipeline, cycle by cycle: the definition of timing.
//
// Slow and obvious. One tick is one cycle: first the vector engine issues, then the front end passes
// instructions on, then every thread's cycle gets its cause. The fast model (pipeline.h) answers to this one
// for a single running thread, and several running threads of a node are timed by this one itself. The rules
// in words: docs/notes/005.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/counts.h"
#include "node/job.h"

namespace dojo::node {

// One instruction of a thread's trace and, if it is the last of its block, how the block was left.
struct Step {
  Job job;
  Exit exit = Exit::onward;
};

using Cycle = std::int64_t;

// What to keep beside the totals: `times` grows with the trace, `totals` does not.
enum class Keep : std::uint8_t { totals, times };

class ReferencePipeline {
public:
  ReferencePipeline(const machine::Node& node, unsigned threads, Keep keep = Keep::times);

  void feed(unsigned thread, const Step& step) { threads_[thread].trace.push_back(step); }
  // Advances one cycle.
  void tick();
  // Lets time pass while every thread is empty.
  void jump(Cycle to);

  Cycle now() const { return now_; }  // the cycle that the next tick computes
  // Nothing left to pass on and nothing in flight.
  bool empty(unsigned thread) const;
  // The thread's latest step was `stopped` and has been paid for: its pipeline is empty, it is ready for
  // more.
  bool stopped(unsigned thread) const { return threads_[thread].stop_paid; }
  // Steps fed and not passed on.
  std::size_t fed(unsigned thread) const { return threads_[thread].trace.size(); }
  // Cycles from which nothing was waiting to run are not counted.
  const Counts& counts(unsigned thread) const { return threads_[thread].counts; }

  // Per fed step, when it left the front end and when it began to execute. Markers have the cycle of what
  // follows them.
  struct Times {
    Cycle passed = 0, issued = 0;
  };
  const std::vector<Times>& times(unsigned thread) const { return threads_[thread].times; }
  // Per cycle since the start, what was counted; for tests.
  const std::vector<Cause>& history(unsigned thread) const { return threads_[thread].history; }

private:
  struct Ready {
    Cycle first = 0, last = 0;  // of a register: when a follower may start, and when all of it is there
  };
  struct Tile {
    Cycle forward = 0, ready = 0;  // for the next step on it, and for everybody else
  };
  struct Queued {
    Job job;
    std::size_t index;
  };
  struct Thread {
    std::deque<Step> trace;
    std::deque<Queued> queue;
    std::array<Cycle, 32> x{}, f{};
    std::array<unsigned, 32> x_pending{}, f_pending{};  // writes by vector instructions not yet begun
    std::array<Ready, 32> v{};
    std::array<Tile, 4> tile{};
    Cycle config = 0;
    unsigned config_pending = 0;
    Cycle done = 0;         // when everything begun so far has finished
    Cycle front_ready = 0;  // no instruction passes before
    bool stopping = false, stop_paid = false;
    bool acted = false;  // passed or began something this cycle
    Cause front_reason = Cause::dependency;
    Counts counts;
    std::vector<Times> times;
    std::vector<Cause> history;
  };
  struct Slots {  // what is left of one cycle
    unsigned decode, scalar, alus, address_units;
    bool load_path = true, store_path = true;
  };

  bool operands_ready(const Thread& thread, const Job& job) const;
  bool sources_ready(const Thread& thread, const Job& job) const;
  bool pipes_free(const Job& job) const;
  bool ports_free(const Job& job) const;
  void issue_vectors();
  void begin(Thread& thread, const Queued& queued);
  void pass_instructions();
  bool take_slots(const Job& job, Slots& slots);
  void pass(Thread& thread, const Step& step);
  void account(Thread& thread);

  machine::Node node_;
  Keep keep_;
  Cycle now_ = 0;
  std::vector<Thread> threads_;
  Cycle simd_busy_ = 0, matrix_busy_ = 0, divider_busy_ = 0;
  std::vector<Cycle> load_busy_, store_busy_;
};

}  // namespace dojo::node
