// The operators of ATen that are known, a row each, and what its rows share.
//
// Inside the importer only. A slot is an operand by its position (aten.h).
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "onnx/node.h"

namespace dojo::onnx {

// Rows by family; nullptr if there is no such overload.
const OpRow* find_aten_row(std::string_view overload);
std::span<const OpRow> aten_elementwise_rows();
std::span<const OpRow> aten_indexed_rows();
std::span<const OpRow> aten_linear_rows();
std::span<const OpRow> aten_random_rows();
std::span<const OpRow> aten_reduction_rows();
std::span<const OpRow> aten_shape_rows();

// The argument in a slot: a tensor, or a number by its name.
graph::TensorId argument(NodeImport& node, std::size_t slot, std::string_view name, float otherwise = 0);

// A row whose result is its first operand as it is.
void same(NodeImport& node);

// A tensor of this shape with the same number everywhere.
graph::TensorId filled(NodeImport& node, float value, const graph::Shape& shape);

}  // namespace dojo::onnx
