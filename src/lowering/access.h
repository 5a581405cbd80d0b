// What follows from the affine maps of a structured op: which axes reach where, bounds, strides, collisions.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ir.h"

namespace dojo::lowering {

using Shape = std::vector<std::int64_t>;

int batch_axis(const graph::StructuredOp& op);  // -1 if it has none

bool reaches(const graph::AffineIndex& index, std::size_t axis);
bool reaches(const graph::Access& access, std::size_t axis);

// The dimension whose index is exactly axis `axis` (coefficient 1, offset 0) where the axis occurs in no
// other; -1 if there is none.
int plain_dimension(const graph::Access& access, std::size_t axis);

// Whether dimension d's index can leave [0, extent). One that is computed can.
bool may_leave(const graph::AffineIndex& index, const std::vector<graph::Axis>& box, std::int64_t extent);
bool may_leave(const graph::Access& access, const std::vector<graph::Axis>& box, const Shape& shape);

// A row-major position as an affine function of the box, without what is computed (meaningful where no index
// leaves its dimension).
graph::AffineIndex linear(const graph::Access& access, std::size_t axes, const Shape& shape);

std::vector<int> chain_axes(
    const graph::StructuredOp& op);  // not in out's map, nor in what its indices are computed from
std::vector<int> parallel_axes(const graph::StructuredOp& op);  // the others

// No two points of the parallel axes give the same element of out (sufficient test on strides; out may not
// leave its bounds).
bool injective(const graph::StructuredOp& op, const Shape& out_shape);
// Injective, inside the bounds, and reaching every element.
bool covers(const graph::StructuredOp& op, const Shape& out_shape);

// The operand has out's shape and is read at out's own index.
bool follows_output(const graph::Access& access, const graph::StructuredOp& op,
                    const std::vector<graph::Tensor>& tensors);
// A sum of all elements of tensors of one shape, each at the same place in all of them, beside single values.
bool sums_everything(const graph::StructuredOp& op, const std::vector<graph::Tensor>& tensors);
// Every operand follows the output or is a single value; no chain axes.
bool elementwise(const graph::StructuredOp& op, const std::vector<graph::Tensor>& tensors);
bool same_map(const graph::Access& a, const graph::Access& b);
bool single_value(const graph::Access& access);  // no axis reaches it

// body is input 0 and there is no epilogue: out is a rearranged copy.
bool is_copy(const graph::StructuredOp& op);
// body is input i times input j, i != j, summed.
bool is_contraction(const graph::StructuredOp& op);

}  // namespace dojo::lowering
