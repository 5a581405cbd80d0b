// Indices that are computed from known numbers which count evenly become affine: scores[arange(N), label]
// reads sample n of the scores for sample n, and says so then.
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

// Keeps every bit. Known is what ops make of constants alone, in tensors of at most 65,536 elements.
void make_known_indices_affine(Graph& graph);

}  // namespace dojo::graph
