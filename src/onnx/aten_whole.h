// How large whole numbers become in a graph of ATen's operators, so that none leaves what FP32 tells apart
// unseen.
//
// Inside the importer only. A rule is known of the operators whose results may be larger than their operands;
// those of all others are elements of their operands, or their numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/ir.h"
#include "onnx/aten.h"
#include "onnx/file.h"
#include "onnx/numbers.h"

namespace dojo::onnx {

Bounds given_bounds(DataType type);  // of an input or a state

// The integer type of this name (as PyTorch spells it) if it has 8 or 16 bits.
std::optional<DataType> narrow_whole(std::string_view name);

struct WholeOperand {
  std::optional<Bounds> bounds;  // none of floating-point numbers
  graph::Shape shape = {};
};

// Bounds of result `result` of a node whose results have so many elements; nothing if no rule says.
// `operands`: by slot, nothing in an empty one.
std::optional<Bounds> bounds_after(const Node& node, std::size_t result, std::int64_t elements,
                                   const std::vector<std::optional<WholeOperand>>& operands);

}  // namespace dojo::onnx
