// The arithmetic of windows that convolutions and pooling share.
#pragma once

#include <string>

#include "graph/builder.h"

namespace dojo::graph {

// The window with every vector filled in for an operand of shape `in` ([n, c, spatial...]); `kernel` is used
// if the window names none. Refuses vectors of the wrong length, extents and strides below 1, negative pads.
Window complete(const std::string& op, Window window, const Shape& in, const Shape& kernel);

// Extent of the output in spatial dimension d; refuses a window larger than the padded input.
std::int64_t output_extent(const std::string& op, const Window& window, std::size_t d, std::int64_t in);

// "oh", "ow" in two dimensions, else "o0", "o1"...
std::string spatial_name(const std::string& prefix, std::size_t d, const Window& window);

}  // namespace dojo::graph
