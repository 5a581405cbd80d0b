// Small networks with all kinds of ops, as training steps: what the compiler's own tests compile.
#pragma once

#include "graph/ir.h"

namespace dojo::compiler::sample {

graph::Graph mlp(std::int64_t batch);           // 20 -> 16 -> 3, tanh, SGD
graph::Graph wide_mlp(std::int64_t batch);      // a weight of several tiles, AdamW
graph::Graph convolutions(std::int64_t batch);  // strided, padded and 3x3 convolutions, max pool, two dense layers, AdamW
graph::Graph residual(std::int64_t batch);      // batch norm, skip connection, global average pool, cross entropy

}  // namespace dojo::compiler::sample
