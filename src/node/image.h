// The program's text, decoded once and shared by all nodes that run it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "isa/block.h"

namespace dojo::node {

// A decoded block and what the node wants to know of it before running it. Immutable once published.
struct alignas(64) CodeBlock {
  isa::Block block;
  bool uses_vectors = false;  // its timing depends on vl, vtype and the tile shape
  bool sees_account = false;  // reads or writes what the hart accumulates: flags, instructions, cycles

  std::uint64_t end() const { return block.pc + block.bytes; }
};

// At most `limit` instructions.
CodeBlock build_code_block(const isa::Memory& memory, std::uint64_t pc, unsigned limit = isa::max_block);

// Blocks of the text range [text_begin, text_end), which is the same on all nodes and never changes while the
// image exists (stores into text trap). Any number of host threads may call find at once.
// `limit` makes shorter blocks: with 1, a core stops after every instruction.
class CodeImage {
public:
  CodeImage(std::uint64_t text_begin, std::uint64_t text_end, unsigned limit = isa::max_block);

  // The block that starts at pc, built from `memory` if nobody asked for it before; nullptr if pc is outside
  // the text: such code may change, so its block is built for one execution only.
  const CodeBlock* find(std::uint64_t pc, const isa::Memory& memory) {
    const std::uint64_t slot = (pc - begin_) / 2;
    if (slot >= slots_.size() || (pc & 1) != 0) return nullptr;
    if (const CodeBlock* known = slots_[slot].load(std::memory_order_acquire)) return known;
    return build(slot, pc, memory);
  }
  unsigned limit() const { return limit_; }
  std::size_t blocks() const;

private:
  const CodeBlock* build(std::uint64_t slot, std::uint64_t pc, const isa::Memory& memory);

  std::uint64_t begin_;
  unsigned limit_;
  std::vector<std::atomic<const CodeBlock*>> slots_;  // one per half-word of text
  mutable std::mutex building_;
  std::deque<CodeBlock> blocks_;
};

}  // namespace dojo::node
