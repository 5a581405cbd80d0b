// How translated blocks go from one to the next without coming back: what they keep account in.
//
// Time is the node's business, but it is remembered in steps that follow one another, and following them is
// all that a running block has to do. The layouts here are read and written by translated code.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "isa/hart.h"

namespace dojo::translate {

// One remembered run of a block: the node's transitions (node/block_timing.h) begin with this.
struct Step {
  const void* block = nullptr;  // which block,
  std::uint64_t config = 0;     // in which configuration
  std::uint64_t cycles = 0;
  // What followed the last time, by how the block after it was left: onward, by a jump, by a stop.
  mutable std::array<std::atomic<const Step*>, 3> next{};
  std::uint64_t number = 0;
};

// How often a step happened: direct-mapped by the low byte of its number.
struct Tally {
  const Step* step = nullptr;
  std::uint64_t times = 0;
};
constexpr std::size_t tallies = 256;

struct Chain {
  const Step* last = nullptr;
  std::uint64_t cycles = 0;
  std::int64_t budget = 0;  // instructions to run at least
  Tally* tally = nullptr;   // of `tallies`

  // Afterwards: the block that has run last and is not in last, cycles, budget and tally, because it came to
  // a stop or its step was not at hand (its key's `owner`); nullptr if all are.
  const void* unaccounted = nullptr;
  // Where the entry of the next block, at hart.pc, may be stored so that this way out goes there directly.
  std::atomic<const void*>* link = nullptr;
};

}  // namespace dojo::translate
