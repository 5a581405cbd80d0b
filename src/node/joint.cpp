#include "node/joint.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "node/pipeline.h"

namespace dojo::node {

JointTimer::JointTimer(const machine::Node& node, unsigned threads)
    : node_(node), present_{ReferencePipeline(node, threads, Keep::totals), std::vector<Feed>(threads)} {}

void JointTimer::start(unsigned thread, const Recording& recording) {
  DOJO_ENSURE(!running(thread));
  DOJO_ENSURE(!recording.blocks.empty() && recording.blocks.back().exit == Exit::stopped);
  present_.feeds[thread] = {&recording, 0};
  ahead_.reset();
}

bool JointTimer::anyone_runs(const Situation& situation) const {
  return std::any_of(situation.feeds.begin(), situation.feeds.end(),
                     [](const Feed& feed) { return feed.recording != nullptr; });
}

std::optional<Cycle> JointTimer::next_stop() {
  if (!anyone_runs(present_)) return std::nullopt;
  if (!ahead_) {
    ahead_ = present_;
    run(*ahead_, std::numeric_limits<Cycle>::max());
  }
  return ahead_->pipeline.now();
}

void JointTimer::advance(Cycle to) {
  DOJO_ENSURE(to >= now());
  if (!anyone_runs(present_)) return present_.pipeline.jump(to);
  if (ahead_) {
    DOJO_ENSURE(to <= ahead_->pipeline.now());
    if (to == ahead_->pipeline.now()) {
      present_ = std::move(*ahead_);
      ahead_.reset();
      return;
    }
  }
  run(present_, to);
  DOJO_ENSURE(now() == to);
}

void JointTimer::run(Situation& situation, Cycle limit) const {
  // More than a thread can pass on in one cycle, markers aside.
  const std::size_t enough = 2 * isa::max_block;
  ReferencePipeline& pipeline = situation.pipeline;
  bool stopped = false;
  while (!stopped && pipeline.now() < limit) {
    for (unsigned thread = 0; thread < situation.feeds.size(); ++thread) {
      Feed& feed = situation.feeds[thread];
      if (!feed.recording) continue;
      const auto& blocks = feed.recording->blocks;
      while (feed.next < blocks.size() && pipeline.fed(thread) < enough) {
        const RecordedBlock& block = blocks[feed.next++];
        for (const Step& step : steps_of(*block.block, block.count, block.config, block.exit, node_))
          pipeline.feed(thread, step);
      }
    }
    pipeline.tick();
    for (unsigned thread = 0; thread < situation.feeds.size(); ++thread) {
      Feed& feed = situation.feeds[thread];
      if (!feed.recording || feed.next < feed.recording->blocks.size() || !pipeline.stopped(thread)) continue;
      feed = {};
      stopped = true;
    }
  }
}

}  // namespace dojo::node
