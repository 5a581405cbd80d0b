// Activations and their gradients in one byte: CFloat8 storage with a bias for each tensor that follows the
// data (docs/notes/012).
//
// A stored element is value * 2^s in CFloat8 at its default bias, which is the same number and code as
// `value` at bias + s. The powers 2^s of all stored tensors are one state of the graph, `cfloat8.scales`;
// writers multiply by it, readers divide by it, both exactly and both as ordinary parts of the ops, so that
// every interpreter and the nodes round alike. At the end of a step each s moves so that the mean magnitude
// of what was stored in this step would have been near `cfloat8_mean_target`: the next step uses it.
#pragma once

#include "graph/ir.h"

namespace dojo::lowering {

// The state's name, and the mean magnitude of codes that it steers to (within a factor of 2 nothing moves).
constexpr const char* cfloat8_scales = "cfloat8.scales";
constexpr float cfloat8_mean_target = 4;

// What s may be: the 6-bit bias bounds it at 7 + s >= 0 (CFloat8_1_4_3) and 15 + s <= 63 (CFloat8_1_5_2).
constexpr int least_cfloat8_scale = -7, largest_cfloat8_scale = 48;
// Where s begins: activations are of the order of 1, gradients of a mean loss are small.
constexpr int first_forward_scale = 0, first_gradient_scale = 16;

// `graph` is a training step with formats up to bf16. Of its bf16 tensors those are stored as CFloat8 that
// are only multiplied, summed, compared for a maximum or copied before the losses are known (what the
// backward pass does with a saved activation does not matter): 1_4_3 for what leads to graph.outputs, 1_5_2
// for gradients. Inputs stay as they are. Without such tensors nothing changes.
void store_in_cfloat8(graph::Graph& graph);

}  // namespace dojo::lowering
