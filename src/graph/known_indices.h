// Indices that are computed from known numbers which count evenly become affine: scores[arange(N), label]
// reads sample n of the scores for sample n, and says so then.
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

// Keeps every bit. Known is what ops make of constants alone, in tensors of at most 65,536 elements. Indices
// are read where they were concatenated from, so that known ones are told from others; ops that nothing reads
// then are removed.
void make_known_indices_affine(Graph& graph);

}  // namespace dojo::graph
