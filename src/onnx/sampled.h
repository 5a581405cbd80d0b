// Elements of a tensor between its places: lookups at computed indices, weighted by arithmetic.
//
// Inside the importer only.
#pragma once

#include <cstdint>
#include <span>

#include "onnx/node.h"

namespace dojo::onnx {

struct Sampling {
  enum class Mode : std::uint8_t { nearest, linear, cubic } mode = Mode::linear;
  // What lies outside: 0, the nearest element, or the mirror image.
  enum class Padding : std::uint8_t { zeros, border, reflection } padding = Padding::zeros;
  bool aligned = false;  // the mirrors stand on the outermost elements, else half an element beyond them
};

// x: [n, c, extents...]; places[d]: [n, p], where each of p points lies along the d-th extent, counted in
// elements. The result: [n, p, c].
graph::TensorId sampled(NodeImport& node, graph::TensorId x, std::span<const graph::TensorId> places,
                        const Sampling& how);

}  // namespace dojo::onnx
