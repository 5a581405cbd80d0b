// Turns blocks of decoded instructions into code of the host.
//
// A translated block does to a hart what its instructions' semantics do, bit for bit, flags included:
// frequent instructions become host instructions, with a slow path to their semantics (Row::execute) for all
// that is rare (NaN, addresses that may not be accessible, numbers that are not boxed); all others call their
// semantics. Time and counts are not its business.
//
// Vector instructions are translated for one configuration (vl, vtype), so that nothing is left to decide
// when they run, and for the vectors that the host has when the program runs, whatever it was built for.
// Needs x86-64 with AVX2, FMA, BMI1 and BMI2, better AVX-512 (F, BW, DQ, VL); elsewhere nothing is ever
// translated, and the semantics run as they are: the same bits.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "isa/block.h"
#include "isa/hart.h"
#include "translate/chain.h"
#include "translate/code_store.h"
#include "translate/host_vectors.h"
#include "translate/thread_sanitizer.h"
#include "translate/turns.h"

namespace dojo::translate {

// The hart's part in a translation of vector instructions.
struct Vectors {
  bool any = false;  // false: the block has no such instruction
  std::uint64_t vl = 0, vtype = 0;
  unsigned vlen_bits = 512;
};

// What a block is called in transitions (chain.h), and by whoever asked for its translation.
struct Key {
  const void* block = nullptr;
  std::uint64_t config = 0;
  const void* owner = nullptr;
};

// A block to be translated; in a trace, also how it was left once: onward (0) or by a jump (1), to where, and
// the transition that accounts for it.
struct TraceBlock {
  const isa::Block* block = nullptr;
  Vectors vectors;
  Key key;
  unsigned way = 0;
  std::uint64_t target = 0;
  const BlockTransition* transition = nullptr;
};

class Translator {
public:
  // With HostVectors::none, or what the host does not have, nothing is translated.
  explicit Translator(HostVectors vectors = host_vectors());
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // Where to enter the code for a block, which must outlive it, as must `head`; nullptr if the host cannot
  // run it or there is no room for it. If the block has vector instructions, the code holds for this vl and
  // vtype; when it is reached from another block in a different configuration, it leaves the chain. Not for
  // two threads at once, nor with `trace`.
  const void* translate(const TraceBlock& block, TraceHead& head);

  // From now on whoever comes to `head` in the pipeline's state `after` runs these blocks as one. If it
  // `loops`, the last leads to the first, in that state. Counts are from `first_count` on (Account::times).
  // False if there is no room for it.
  bool trace(std::span<const TraceBlock> blocks, bool loops, const void* after, std::uint32_t first_count,
             TraceHead& head);

  // The code for a block as a turn (turns.h), under translate's conditions.
  const void* turn(const TraceBlock& block);
  // What a turn's `entry` is if its block may compute with floats and the last such turn before it may be
  // another hart's, and that of the Turn behind the last.
  const void* turn_of_floats() const { return turn_of_floats_; }
  const void* turns_end() const { return turns_end_; }

  // Does what isa::run_code does, for the block of `entry` and those that follow it, until one is not linked,
  // has stopped, cannot be accounted for, or the budget is used up. Beforehand hart.stop is none, hart.reach
  // is that of hart.memory, begin_floats was called, frm is below RMM and vstart is 0.
  void run(isa::Hart& hart, Chain& chain, const void* entry) const {
    run_(&hart, &chain, entry);
    code_was_run(this);
  }
  // The same for blocks of several harts that take turns. The harts of all turns that may compute with floats
  // have one rounding mode; begin was called for the one whose turn of that kind came last.
  void run(TurnsRun& turns) const;

private:
  friend class CodeWriter;
  void write_frame();
  void write_turns_frame();

  HostVectors vectors_;
  CodeStore store_;
  void (*run_)(isa::Hart*, Chain*, const void*) = nullptr;
  const void* leave_ = nullptr;  // jumped to by blocks: back to the caller of run
  void (*run_turns_)(TurnsRun*) = nullptr;
  const void *leave_turns_ = nullptr, *turns_end_ = nullptr, *turn_of_floats_ = nullptr;
  // Each instruction whose semantics are called, and behind it one that returns: what these go on to.
  std::deque<std::array<isa::Decoded, 2>> called_;
  // One for each direct jump to another block.
  std::deque<std::atomic<const void*>> links_;
  std::deque<TraceEntry> trace_entries_;
  // Where computed jumps find the block at an address: the latest, by the address's low bits.
  struct JumpTarget {
    std::uint64_t pc;
    const void* entry;
  };
  static constexpr std::size_t jump_cache_entries = 4096;
  std::deque<JumpTarget> jump_targets_;
  std::vector<std::atomic<const JumpTarget*>> jump_cache_;
};

}  // namespace dojo::translate
