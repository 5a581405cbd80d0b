// Elements brought into a tensor at computed places, as operators of more than one domain do it.
//
// Inside the importer only. Which of several updates of one element stays, ONNX and PyTorch leave open: the
// last.
#pragma once

#include <cstdint>

#include "graph/builder.h"

namespace dojo::onnx {

enum class Arrival : std::uint8_t {
  replace,
  add,
  maximum,
  minimum
};  // what becomes of the element that is there

// result[.., indices[.., i, ..], ..] from updates[.., i, ..] along `axis`. Indices count from 0; there may be
// fewer of them than there are updates.
graph::TensorId scattered(graph::Builder& build, Arrival arrival, graph::TensorId data,
                          graph::TensorId updates, graph::TensorId indices, std::int64_t axis);

// result[indices[i.., 0], indices[i.., 1], ..., b..] from updates[i.., b..].
graph::TensorId scattered_rows(graph::Builder& build, Arrival arrival, graph::TensorId data,
                               graph::TensorId updates, graph::TensorId indices);

}  // namespace dojo::onnx
