// Where each tensor of a graph lives: spread over the batch, the same on every node, or sharded.
#pragma once

#include <map>
#include <vector>

#include "graph/ir.h"

namespace dojo::lowering {

enum class Place : std::uint8_t {
  batch,       // each node holds its samples
  everywhere,  // every node holds the whole tensor
  sharded,     // each node holds its shard (lowering/layout.h)
};

struct Placement {
  std::vector<Place> of;  // by tensor
  // A value that is just a copy of a parameter or state for reading (perhaps in a narrower format): it is
  // never computed, but gathered.
  std::map<graph::TensorId, graph::TensorId> gathered_from;
};

// Prepares a graph for sharding. Afterwards every op that reduces over the batch, or sums a tensor that may
// be sharded, is without epilogue (its result is a partial sum on each node; what followed is an op of its
// own), every batch is dimension 0 and indexed by the batch axis alone. Throws UserError naming the op for
// what cannot be spread over the batch.
graph::Graph split_batch_reductions(const graph::Graph& graph);

// A batch-free value is sharded if it is only used elementwise, by ops whose results are sharded: gradients,
// optimizer arithmetic. It may also be summed as a whole (norms of gradients).
Placement place(const graph::Graph& graph);

}  // namespace dojo::lowering
