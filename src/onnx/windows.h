// What the file says of the windows of convolutions and pools. Inside the importer only.
#pragma once

#include <cstdint>

#include "onnx/node.h"

namespace dojo::onnx {

enum class AutoPad : std::uint8_t { explicit_pads, valid, same_upper, same_lower };
AutoPad auto_pad(NodeImport& node);

// Kernel, strides and dilations, one number per spatial dimension; pads if the file gives them.
graph::Window window_of(NodeImport& node, graph::Shape kernel);

// SAME: as many outputs as strides fit into the input; an odd pad goes to the end (upper) or the start
// (lower).
void apply_same(NodeImport& node, graph::Window& window);

std::int64_t reach(const graph::Window& window, std::size_t d);  // of a kernel, in elements of the input

}  // namespace dojo::onnx
