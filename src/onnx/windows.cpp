// What the file says of the windows of convolutions and pools.
#include "onnx/windows.h"

#include <algorithm>

namespace dojo::onnx {

graph::Window window_of(NodeImport& node, graph::Shape kernel) {
  const graph::Shape input = node.shape(0);
  if (input.size() < 3)
    node.fail(fmt::format("its operand has {} dimensions, at least 3 are needed", input.size()));
  const std::size_t spatial = input.size() - 2;
  graph::Window window;
  window.kernel = node.integers("kernel_shape", std::move(kernel));
  window.strides = node.integers("strides", graph::Shape(spatial, 1));
  window.dilations = node.integers("dilations", graph::Shape(spatial, 1));
  graph::Shape pads = node.integers("pads");
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (pads.empty() || mode != "NOTSET") pads.assign(2 * spatial, 0);
  if (window.kernel.size() != spatial || window.strides.size() != spatial ||
      window.dilations.size() != spatial || pads.size() != 2 * spatial)
    node.fail(fmt::format("kernel, strides, dilations and pads do not fit {} spatial dimensions", spatial));
  for (const graph::Shape* positive : {&window.kernel, &window.strides, &window.dilations})
    for (const std::int64_t extent : *positive)
      if (extent < 1 || extent > 1 << 20)
        node.fail(fmt::format("{} as kernel extent, stride or dilation", extent));
  for (const std::int64_t extent : pads)
    if (extent < 0 || extent > 1 << 20) node.fail(fmt::format("a pad of {}", extent), Refusal::unsupported);
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end());
  return window;
}

AutoPad auto_pad(NodeImport& node) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return AutoPad::explicit_pads;
  if (mode == "VALID") return AutoPad::valid;
  if (mode == "SAME_UPPER") return AutoPad::same_upper;
  if (mode == "SAME_LOWER") return AutoPad::same_lower;
  node.fail(fmt::format("auto_pad = '{}'", mode));
}

std::int64_t reach(const graph::Window& window, std::size_t d) {
  return (window.kernel[d] - 1) * window.dilations[d] + 1;
}

void apply_same(NodeImport& node, graph::Window& window) {
  const AutoPad mode = auto_pad(node);
  if (mode == AutoPad::explicit_pads || mode == AutoPad::valid) return;
  const graph::Shape input = node.shape(0);
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    const std::int64_t extent = input[d + 2], stride = window.strides[d];
    const std::int64_t outputs = (extent + stride - 1) / stride;
    const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * stride + reach(window, d) - extent);
    window.pads_begin[d] = mode == AutoPad::same_upper ? total / 2 : total - total / 2;
    window.pads_end[d] = total - window.pads_begin[d];
  }
}

}  // namespace dojo::onnx
