// Fewer, larger ops. With FP32 formats the results keep every bit; in narrower formats the roundings between
// fused ops disappear.
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

// Removes ops whose results reach neither graph.outputs nor graph.update (nor graph.gradient, if
// keep_gradients), and the tensors that nothing refers to any more. Tensor ids change: maps in the graph are
// renumbered; ids held elsewhere must be looked up again by name.
void eliminate_dead_ops(Graph& graph, bool keep_gradients = false);

// Merges, until nothing changes, an elementwise op and the single op that reads its result into one body, and
// an elementwise op that reads the single-use result of a structured op into that op's epilogue; a sum over
// the batch takes the place of its only copy. Ends with eliminate_dead_ops. Tensors in outputs, update and
// (if keep_gradients) gradient stay.
void fuse(Graph& graph, bool keep_gradients = false);

}  // namespace dojo::graph
