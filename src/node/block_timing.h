// How long a block takes, remembered: (state of the pipeline, block, configuration, way out) -> (cycles,
// counts, next state).
//
// The machine has no caches, so the timing of a block depends on nothing else. A remembered transition costs
// one comparison if the block was left this way in the same configuration the last time, one hash lookup
// otherwise. What is remembered is computed by
// node/pipeline.h and is a pure function of its key, so host threads may share one BlockTiming: whoever comes
// first computes, and the result never depends on who that was.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "machine/machine.h"
#include "node/cost.h"
#include "node/counts.h"
#include "node/image.h"
#include "translate/chain.h"

namespace dojo::node {

// How a block was left. `stopped`: by a transfer or a system call, after which the pipeline is empty;
// `trapped`: by an instruction that was not completed, likewise. Nothing is remembered of that one.
enum class Exit : std::uint8_t { onward, taken, stopped, trapped };

struct PipelineState;

// A remembered transition; `number` in the order of their making. Immutable, but for the guesses about what
// comes behind it. All that a repeated transition touches lies in one line of the host's cache.
struct alignas(64) Transition : translate::BlockTransition {
  mutable std::atomic<const CodeBlock*> next_block{nullptr};  // its owner's (core.cpp)

  Counts counts;  // with cycles by cause
  const PipelineState* from = nullptr;
  Exit exit = Exit::onward;
  const Transition* chain = nullptr;

  const PipelineState* to() const { return static_cast<const PipelineState*>(after); }
};

class BlockTiming {
public:
  explicit BlockTiming(const machine::Node& node);
  ~BlockTiming();
  BlockTiming(const BlockTiming&) = delete;
  BlockTiming& operator=(const BlockTiming&) = delete;

  // Where every hart starts: an empty pipeline, or one that takes no time at all. A transition of no block.
  const Transition& start(bool with_timing) const;

  // The transition through `block` after `last`.
  const Transition& transition(const Transition& last, const CodeBlock& block, ConfigWord config, Exit exit) {
    const translate::BlockTransition* guess =
        last.next[static_cast<std::size_t>(exit)].load(std::memory_order_acquire);
    if (guess && guess->block == &block && guess->config == config.bits) [[likely]]
      return static_cast<const Transition&>(*guess);
    return find(last, block, config, exit);
  }

  // The same without remembering, for blocks that will not come again: what `count` instructions of `block`
  // count, and a transition of no block from which the next one goes on.
  struct Once {
    Counts counts;
    const Transition* last = nullptr;
  };
  Once once(const Transition& last, const isa::Block& block, std::uint32_t count, const Config& config,
            Exit exit);

  const machine::Node& node() const;
  std::size_t transitions() const;
  std::size_t states() const;

private:
  const Transition& find(const Transition& last, const CodeBlock& block, ConfigWord config, Exit exit);

  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace dojo::node
