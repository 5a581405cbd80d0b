// How long a block takes, remembered: (state of the pipeline, block, configuration, way out) -> (cycles,
// counts, next state).
//
// The machine has no caches, so the timing of a block depends on nothing else. A remembered step costs one
// comparison in a loop that repeats itself and one hash lookup otherwise. What is remembered is computed by
// node/pipeline.h and is a pure function of its key, so host threads may share one BlockTiming: whoever comes
// first computes, and the result never depends on who that was.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "machine/machine.h"
#include "node/counts.h"
#include "node/image.h"
#include "node/job.h"

namespace dojo::node {

// How a block was left. `stopped`: by a transfer or a system call, after which the pipeline is empty.
enum class Exit : std::uint8_t { onward, taken, stopped };

struct PipelineState;

// One remembered step. Immutable, but for the guess.
struct Transition {
  const PipelineState* from = nullptr;
  const CodeBlock* block = nullptr;
  Config config;
  Exit exit = Exit::onward;
  const PipelineState* to = nullptr;
  Counts counts;  // with cycles by cause
  std::uint64_t cycles = 0;
  mutable std::atomic<const Transition*> likely_next{nullptr};
  const Transition* chain = nullptr;
};

class BlockTiming {
public:
  explicit BlockTiming(const machine::Node& node);
  ~BlockTiming();
  BlockTiming(const BlockTiming&) = delete;
  BlockTiming& operator=(const BlockTiming&) = delete;

  // Where every hart starts: an empty pipeline, or one that takes no time at all.
  const Transition& start(bool with_timing) const;

  // The step through `block` after `last`.
  const Transition& step(const Transition& last, const CodeBlock& block, const Config& config, Exit exit) {
    const Transition* guess = last.likely_next.load(std::memory_order_acquire);
    if (guess && guess->block == &block && guess->config == config && guess->exit == exit) return *guess;
    return find(last, block, config, exit);
  }

  // The same without remembering, for blocks that will not come again: `count` instructions of `block`, then
  // an empty pipeline.
  Counts once(const Transition& last, const isa::Block& block, std::uint32_t count, const Config& config,
              Exit exit) const;

  const machine::Node& node() const;
  std::size_t transitions() const;
  std::size_t states() const;

private:
  const Transition& find(const Transition& last, const CodeBlock& block, const Config& config, Exit exit);

  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace dojo::node
