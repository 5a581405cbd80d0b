#include "node/path.h"

#include <algorithm>

namespace dojo::node {

namespace {

constexpr std::size_t most_blocks = 64;
constexpr std::size_t most_instructions = 600;

}  // namespace

bool may_be_passed(const CodeBlock& block, Exit exit) {
  const isa::Decoded& last = block.block.code[block.block.count - 1];
  const bool stops = last.row->unit == isa::Unit::system || last.row->unit == isa::Unit::transfer;
  const bool by_address = last.row->mnemonic == "jalr" && exit == Exit::onward;
  const bool jumps = last.row->unit == isa::Unit::branch || exit == Exit::onward;
  return !stops && !by_address && jumps;
}

bool Path::add(const PathBlock& next) {
  if (!may_be_passed(*next.block, next.transition->exit)) return true;
  blocks.push_back(next);
  if (next.transition->after == from->after && next.target == head->block->block.pc) {
    loops = true;
    return true;
  }
  // A loop inside, which begins anew: it has a trace of its own, or will have one.
  const auto again = std::find_if(blocks.begin(), blocks.end(), [&](const PathBlock& one) {
    const Transition* before = &one == blocks.data() ? from : (&one)[-1].transition;
    return one.block->block.pc == next.target && before->after == next.transition->after;
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
