#include "graph/window.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::graph {

Window complete(const std::string& op, Window window, const Shape& in, const Shape& kernel) {
  const std::size_t spatial = in.size() < 2 ? 0 : in.size() - 2;
  if (spatial == 0) refuse(op, "a window over [{}], which has no spatial dimension", fmt::join(in, ", "));
  if (window.kernel.empty()) window.kernel = kernel;
  if (!kernel.empty() && window.kernel != kernel) {
    refuse(op, "a kernel of [{}] for a weight of [{}]", fmt::join(window.kernel, ", "),
           fmt::join(kernel, ", "));
  }
  const auto fill = [&](Shape& values, std::int64_t otherwise, std::int64_t least, const char* what) {
    if (values.empty()) values.assign(spatial, otherwise);
    if (values.size() != spatial) refuse(op, "{} {} for {} spatial dimensions", values.size(), what, spatial);
    if (*std::min_element(values.begin(), values.end()) < least) refuse(op, "{} below {}", what, least);
  };
  if (window.kernel.empty()) refuse(op, "a window without a kernel shape");
  fill(window.kernel, 1, 1, "kernel extents");
  fill(window.strides, 1, 1, "strides");
  fill(window.dilations, 1, 1, "dilations");
  fill(window.pads_begin, 0, 0, "pads");
  fill(window.pads_end, 0, 0, "pads");
  return window;
}

std::int64_t output_extent(const std::string& op, const Window& window, std::size_t d, std::int64_t in) {
  const std::int64_t reach = (window.kernel[d] - 1) * window.dilations[d] + 1, stride = window.strides[d];
  const std::int64_t room = in + window.pads_begin[d] + window.pads_end[d] - reach;
  if (room < 0) refuse(op, "a window of {} does not fit into {} with its pads", reach, in);
  if (!window.ceil_mode) return room / stride + 1;
  std::int64_t extent = (room + stride - 1) / stride + 1;
  if ((extent - 1) * stride >= in + window.pads_begin[d]) --extent;
  return extent;
}

std::string spatial_name(const std::string& prefix, std::size_t d, const Window& window) {
  if (window.kernel.size() == 2) return prefix + (d == 0 ? "h" : "w");
  return fmt::format("{}{}", prefix, d);
}

}  // namespace dojo::graph
