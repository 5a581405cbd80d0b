// Lowering: from a graph with formats to the lowered program of one node.
//
// Outline:
//   1. reductions over the batch become partial sums (placement.h), every tensor gets its place;
//   2. the ops are walked in order. An op with a batch axis runs on the node's samples; a result that is
//      summed over the batch is reduce-scattered if it is sharded, all-reduced if every node needs it.
//      Elementwise ops on sharded tensors run on the shard. What remains runs on every node alike.
//   3. an op that reads a parameter gets it gathered: all small ones in one collective at the start, the
//      others just before the op, tile by tile in a loop where the parameter has more than one tile. A tiled
//      axis that the op sums over continues the sum from tile to tile in an FP32 buffer.
//   4. updates end in the persistent shards.
#pragma once

#include "graph/ir.h"
#include "lowering/lowered.h"

namespace dojo::lowering {

// Parameters and states of at most this many elements are gathered once, together, and kept.
constexpr std::int64_t small_parameter_elements = 1024;

struct Lowered {
  LoweredProgram program;
  std::vector<std::string> scalars;  // launch scalars, in the order of the fetch step
};

// `graph` has its formats assigned. Throws UserError naming op or tensor.
Lowered lower(const graph::Graph& graph, unsigned nodes);

}  // namespace dojo::lowering
