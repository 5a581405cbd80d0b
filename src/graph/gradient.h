// Reverse-mode differentiation, derived from the one definition of a structured op:
//
//     d in_k[map_k(i)]  +=  d out[map_out(i)] * dbody/din_k          over the same box
//
// so that the gradient of an op is again a structured op (for a maximum, times body == out). Gradients of
// several uses are added by elementwise ops. Runs before fusion: ops with an epilogue are a broken invariant.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "graph/builder.h"
#include "graph/ir.h"

namespace dojo::graph {

// Appends the ops that compute d loss / d p for every parameter that the loss depends on, and enters them in
// graph.gradient. `loss` must have shape []. A parameter that the loss does not depend on gets no entry. The
// gradients' names end in ".grad". A second call replaces graph.gradient (ops of the first stay until
// eliminate_dead_ops).
void differentiate(Graph& graph, TensorId loss);

// What is built from operands of these shapes.
using Forward = std::function<TensorId(Builder&, std::span<const TensorId>)>;

// For a graph that brings its backward pass along: the gradients of forward(operands) for those operands that
// are `wanted`, where `upstream` is the gradient of its result. Only the ops that they need are appended;
// no_tensor for an operand that is not wanted or that the result does not depend on. Nothing of it has a
// batch.
std::vector<TensorId> gradients_of(Builder& build, const std::string& name, const Forward& forward,
                                   std::span<const TensorId> operands, TensorId upstream,
                                   const std::vector<bool>& wanted);

}  // namespace dojo::graph
