// What the kinds of attention share. Inside the importer only.
#pragma once

#include "onnx/node.h"

namespace dojo::onnx {

// Operand i, [n, s, heads * size] or apart already, as [n, heads, s, size].
graph::TensorId heads_of(NodeImport& node, std::size_t i, std::int64_t heads);

// a b, or a b' if b is transposed, of [n, heads, rows, size] with heads of a over fewer of b, each of which
// serves as many that follow one another.
graph::TensorId product_of_heads(graph::Builder& b, graph::TensorId left, graph::TensorId right,
                                 bool transposed);

}  // namespace dojo::onnx
