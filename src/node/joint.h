// Several threads of one node in simulated time, sharing its slots, pipes and ports.
//
// Values never wait for time: each thread has already run to its next stop, and its Core has recorded the
// blocks. This gives the recorded segments their cycles together, by the definition of timing
// (pipeline_reference.h). Whoever owns the clock starts a thread's segment when the thread may go on, asks
// when the next stop comes if nobody else starts before, and advances to that cycle or to an earlier one at
// which it starts another thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "isa/block.h"
#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/counts.h"
#include "node/job.h"
#include "node/pipeline_reference.h"

namespace dojo::node {

struct RecordedBlock {
  const isa::Block* block = nullptr;
  std::uint32_t count = 0;  // instructions completed
  Config config;
  Exit exit = Exit::onward;
};

// What a thread ran between two stops. Not copyable: its blocks may point into it.
struct Recording {
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  std::vector<RecordedBlock> blocks;
  std::deque<isa::Block> own;  // blocks of code that is not shared
};

class JointTimer {
public:
  JointTimer(const machine::Node& node, unsigned threads);

  Cycle now() const { return present_.pipeline.now(); }
  bool running(unsigned thread) const { return present_.feeds[thread].recording != nullptr; }

  // The thread begins `recording` at now(). It must not be running; the recording ends with a stop and
  // outlives it.
  void start(unsigned thread, const Recording& recording);
  // The cycle at which a running thread stops if nobody starts before; nothing if none runs.
  std::optional<Cycle> next_stop();
  // To a cycle no later than next_stop(). Threads that have stopped by then are no longer running().
  void advance(Cycle to);

  // The thread's cycles by cause while it ran.
  const Counts& counts(unsigned thread) const { return present_.pipeline.counts(thread); }

private:
  struct Feed {
    const Recording* recording = nullptr;
    std::size_t next = 0;  // block
  };
  struct Situation {
    ReferencePipeline pipeline;
    std::vector<Feed> feeds;
  };

  // Until a thread stops, but not beyond `limit`.
  void run(Situation& situation, Cycle limit) const;
  bool anyone_runs(const Situation& situation) const;

  machine::Node node_;
  Situation present_;
  std::optional<Situation> ahead_;  // present_ at its next stop
};

}  // namespace dojo::node
