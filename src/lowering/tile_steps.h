// One op in tiles, as its plan says (tile_plan.h): what a tile fetches, computes and stores.
#pragma once

#include <functional>
#include <vector>

#include "lowering/lowered.h"
#include "lowering/tile_plan.h"

namespace dojo::lowering {

using HomeOf = std::function<BufferId(graph::TensorId)>;  // makes it, if there is none yet

// Adds the step to the program. `result`: the output, or with parts the tensor that holds them (FP32, the
// parts along dimension 0).
void add_tiles(LoweredProgram& program, const std::vector<graph::Tensor>& tensors, const HomeOf& home_of,
               const graph::StructuredOp& op, const TilePlan& plan, graph::TensorId result);

// out = epilogue(reduction over the parts, in their order): what follows an op in parts.
graph::StructuredOp sum_of_parts(const graph::StructuredOp& op, const std::vector<graph::Tensor>& tensors,
                                 graph::TensorId parts);

graph::AffineIndex index_along(std::size_t axes, std::size_t axis);

// Gives an empty box axes d0, d1... over the shape, and returns the access that reads it element by element;
// of `axes` axes that the box will have.
graph::Access elements_of(const std::vector<std::int64_t>& shape, graph::StructuredOp& op, std::size_t axes);

}  // namespace dojo::lowering
