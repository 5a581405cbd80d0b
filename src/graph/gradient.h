// Reverse-mode differentiation, derived from the one definition of a structured op:
//
//     d in_k[map_k(i)]  +=  d out[map_out(i)] * dbody/din_k          over the same box
//
// so that the gradient of an op is again a structured op (for a maximum, times body == out). Gradients of
// several uses are added by elementwise ops. Runs before fusion: ops with an epilogue are a broken invariant.
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

// Appends the ops that compute d loss / d p for every parameter that the loss depends on, and enters them in
// graph.gradient. `loss` must have shape []. A parameter that the loss does not depend on gets no entry. The
// gradients' names end in ".grad". A second call replaces graph.gradient (ops of the first stay until
// eliminate_dead_ops).
void differentiate(Graph& graph, TensorId loss);

}  // namespace dojo::graph
