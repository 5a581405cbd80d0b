#include "node/path.h"

#include <algorithm>

namespace dojo::node {

namespace {

constexpr std::size_t most_blocks = 64;
constexpr std::size_t most_instructions = 600;

// Traces go through blocks that end by themselves, and not by a jump to the instruction behind them, which is
// made by an address.
bool may_be_passed(const PathBlock& one) {
  const isa::Block& block = one.block->block;
  const isa::Decoded& last = block.code[block.count - 1];
  const bool stops = last.row->unit == isa::Unit::system || last.row->unit == isa::Unit::transfer;
  const bool by_address = last.row->mnemonic == "jalr" && one.step->exit == Exit::onward;
  const bool jumps = last.row->unit == isa::Unit::branch || one.step->exit == Exit::onward;
  return !stops && !by_address && jumps;
}

}  // namespace

bool Path::add(const PathBlock& next) {
  if (!may_be_passed(next)) return true;
  blocks.push_back(next);
  if (next.step->after == from->after && next.target == head->block->block.pc) {
    loops = true;
    return true;
  }
  // A loop inside, which begins anew: it has a trace of its own, or will have one.
  const auto again = std::find_if(blocks.begin(), blocks.end(), [&](const PathBlock& one) {
    const Transition* before = &one == blocks.data() ? from : (&one)[-1].step;
    return one.block->block.pc == next.target && before->after == next.step->after;
  });
  if (again != blocks.end()) {
    blocks.erase(again, blocks.end());
    return true;
  }
  std::size_t instructions = 0;
  for (const PathBlock& one : blocks) instructions += one.block->block.count;
  return blocks.size() == most_blocks || instructions >= most_instructions;
}

}  // namespace dojo::node
