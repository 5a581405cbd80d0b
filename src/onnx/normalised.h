// Normalisation over some axes, as operators of more than one domain do it.
//
// Inside the importer only.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/builder.h"

namespace dojo::onnx {

struct Normalised {
  graph::TensorId result, mean, inverse_deviation;  // the last two with extents of 1 in the axes
};

// (x - mean) / sqrt(variance + epsilon), the variance over all elements of the axes.
Normalised normalised(graph::Builder& build, graph::TensorId x, const std::vector<std::int64_t>& axes,
                      float epsilon);

}  // namespace dojo::onnx
