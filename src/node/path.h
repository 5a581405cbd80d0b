// Which blocks a hart ran one after the other, noted once so that they may become a trace
// (translate/chain.h).
#pragma once

#include <vector>

#include "node/block_timing.h"
#include "node/image.h"

namespace dojo::node {

struct PathBlock {
  const CodeBlock* block = nullptr;
  ConfigWord config;           // when it began, as timing and
  translate::Vectors vectors;  // translation see it
  const Transition* transition = nullptr;
  std::uint64_t target = 0;  // where it led
};

// Traces go through blocks that end by themselves, and not by a jump to the instruction behind them, which is
// made by an address.
bool may_be_passed(const CodeBlock& block, Exit exit);

struct Path {
  const Translation* head = nullptr;
  const Transition* from = nullptr;  // the transition before it
  bool loops = false;                // it has come back to its head, in the state that it began in
  std::vector<PathBlock> blocks;

  // Notes a block that has just run. True: the path is complete.
  bool add(const PathBlock& next);
};

}  // namespace dojo::node
