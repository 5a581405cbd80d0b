// How translated blocks go from one to the next without coming back: what they keep account in.
//
// Time is the node's business, but it is remembered in transitions that follow one another, and following
// them is all that a running block has to do. Where the same transitions come again and again, a trace does
// even that in advance: its blocks stand behind one another, and their cycles are one number. The layouts
// here are read and written by translated code.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "isa/hart.h"

namespace dojo::translate {

// One remembered run of a block: the node's transitions (node/block_timing.h) begin with this.
struct BlockTransition {
  const void* block = nullptr;  // which block,
  std::uint64_t config = 0;     // in which configuration
  std::uint64_t cycles = 0;
  // What followed the last time, by how the block after it was left: onward, by a jump, by a stop.
  mutable std::array<std::atomic<const BlockTransition*>, 3> next{};
  std::uint64_t number = 0;
  const void* after =
      nullptr;  // the state that the node's pipeline is in then: all that later transitions depend on
};

// How often a transition happened: direct-mapped by the low byte of its number.
struct TransitionCount {
  const BlockTransition* transition = nullptr;
  std::uint64_t times = 0;
};
constexpr std::size_t transition_counts = 256, most_trace_counts = 4096, trace_counts_in_group = 64;

// What a hart has run and nobody has added up yet.
struct Account {
  std::array<TransitionCount, transition_counts> transitions{};
  // By number, how often a trace was left when just so many of its blocks were done: numbers are given out by
  // whoever asks for traces, one for each of their blocks.
  std::array<std::uint64_t, most_trace_counts> times{};
  // Which groups of them a trace was entered for that counts there: the others are zero.
  std::array<std::uint8_t, most_trace_counts / trace_counts_in_group> entered{};
};

// Where a trace begins: immutable, so that whoever comes to its block finds what belongs together.
struct TraceEntry {
  const void* after = nullptr;                                     // in this state of the pipeline,
  std::int64_t budget = std::numeric_limits<std::int64_t>::max();  // with a budget above this one,
  const void* entry = nullptr;                                     // here
};
inline constexpr TraceEntry no_trace_entry;

// What a block asks before it begins: whether a trace begins with it.
struct TraceHead {
  std::atomic<const TraceEntry*> trace{&no_trace_entry};
  // In how many runs of the block somebody shall look where it leads: Chain::wanted.
  std::int64_t countdown = 0;
};

struct Chain {
  const BlockTransition* last = nullptr;
  std::uint64_t cycles = 0;
  std::int64_t budget = 0;  // instructions to run at least
  Account* account = nullptr;

  // Afterwards: the block that has run last and is not in last, cycles, budget and account, because it came
  // to a stop or its transition was not at hand (its key's `owner`); nullptr if all are.
  const void* unaccounted = nullptr;
  // Where the entry of the next block, at hart.pc, may be stored so that this exit goes there directly.
  std::atomic<const void*>* link = nullptr;
  // The block at hart.pc (its key's `owner`) has been run so often that a trace may begin with it.
  const void* wanted = nullptr;
};

}  // namespace dojo::translate
