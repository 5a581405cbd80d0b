// Turns blocks of decoded instructions into code of the host.
//
// A translated block does to a hart what its instructions' meanings do, bit for bit, flags included: frequent
// instructions become host instructions, with a way out to their meaning (Row::execute) for all that is rare
// (NaN, addresses that may not be accessible, numbers that are not boxed); all others call their meaning.
// Time and counts are not its business.
//
// Vector instructions are translated for one configuration (vl, vtype), so that nothing is left to decide
// when they run. Needs x86-64 with AVX2, FMA, BMI1 and BMI2, and a build that may use AVX2 (DOJO_NATIVE);
// elsewhere nothing is ever translated, and the meanings run as they are: the same bits.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "isa/block.h"
#include "isa/hart.h"
#include "translate/chain.h"
#include "translate/code_store.h"

namespace dojo::translate {

// The hart's part in a translation of vector instructions.
struct Vectors {
  bool any = false;  // false: the block has no such instruction
  std::uint64_t vl = 0, vtype = 0;
  unsigned vlen_bits = 512;
};

// What a block is called in steps (chain.h), and by whoever asked for its translation.
struct Key {
  const void* block = nullptr;
  std::uint64_t config = 0;
  const void* owner = nullptr;
};

class Translator {
public:
  Translator();
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // Where to enter the code for `block`, which must outlive it; nullptr if the host cannot run it or has no
  // room for it. If the block has vector instructions, the code holds for this vl and vtype; when it is
  // reached from another block in a different configuration, it leaves the chain. Not for two threads at
  // once.
  const void* translate(const isa::Block& block, const Vectors& vectors, const Key& key);

  // Does what isa::run_code does, for the block of `entry` and those that follow it, until one is not linked,
  // has stopped, cannot be accounted for, or the budget is used up. Beforehand hart.stop is none, hart.reach
  // is that of hart.memory, begin_floats was called, frm is below RMM and vstart is 0.
  void run(isa::Hart& hart, Chain& chain, const void* entry) const { run_(&hart, &chain, entry); }

  static bool host_is_known();

private:
  friend class BlockWriter;
  void write_frame();

  CodeStore store_;
  void (*run_)(isa::Hart*, Chain*, const void*) = nullptr;
  const void* leave_ = nullptr;  // jumped to by blocks: back to the caller of run
  // Each instruction whose meaning is called, and behind it one that returns: what the meaning goes on to.
  std::deque<std::array<isa::Decoded, 2>> called_;
  // One for each direct way out of a block.
  std::deque<std::atomic<const void*>> links_;
  // Where computed jumps find the block at an address: the latest, by the address's low bits.
  struct Landing {
    std::uint64_t pc;
    const void* entry;
  };
  static constexpr std::size_t landing_places = 4096;
  std::deque<Landing> made_landings_;
  std::vector<std::atomic<const Landing*>> landings_;
};

}  // namespace dojo::translate
