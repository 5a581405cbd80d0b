// Operators with weights: products and convolutions.
#include <algorithm>

#include "onnx/windows.h"

namespace dojo::onnx {
namespace {

std::int64_t product(std::span<const std::int64_t> extents) {
  std::int64_t result = 1;
  for (const std::int64_t extent : extents) result *= extent;
  return result;
}

void matmul(NodeImport& node) {
  const graph::Shape weight = node.shape(1);
  const std::int64_t fan_in = weight.size() < 2 ? product(weight) : weight[weight.size() - 2];
  // The batch is among the rows of the left operand, or in a dimension over which matrices are stacked.
  const std::size_t rank = node.shape(0).size();
  const bool of_rows = node.has_batch(0) && node.view_of(0).dimension + 2 == rank && weight.size() <= 2;
  node.keep_view(of_rows ? 1 : 2);
  const View& view = node.view();
  const bool stacked = view.dimension + 2 < std::max(rank, weight.size());
  if (!view.is_plain() && !of_rows && !stacked)
    node.fail("moving the batch away from dimension 0", Refusal::unsupported);
  const graph::TensorId a = node.tensor(0), b = node.tensor(1, Draw::uniform(fan_in));
  node.result(0, node.build().matmul(a, b));
}

void gemm(NodeImport& node) {
  if (node.opset() < 7) node.ignore({"broadcast"});
  const bool transpose_a = node.integer("transA", 0) != 0, transpose_b = node.integer("transB", 0) != 0;
  const float alpha = node.single("alpha", 1), beta = node.single("beta", 1);
  const graph::Shape weight = node.shape(1);
  if (weight.size() != 2) node.fail(fmt::format("operand B has {} dimensions, not 2", weight.size()));
  if (node.shape(0).size() != 2) node.fail("needs two matrices");
  if (!transpose_a && node.view_of(0).dimension == 0) node.keep_view(1);
  if (!node.view().is_plain() && node.has(2) && node.shape(2).size() > 1 && node.shape(2)[0] != 1)
    node.fail("an addend with rows of its own", Refusal::unsupported);
  const graph::TensorId a = node.tensor(0);
  const graph::TensorId b = node.tensor(1, Draw::uniform(weight[transpose_b ? 1 : 0]));
  node.result(0,
              node.build().gemm(a, b, node.maybe(2, Draw::fill(0)), alpha, beta, transpose_a, transpose_b));
}

graph::Shape spatial_of(const graph::Shape& weight) {
  return weight.size() < 2 ? graph::Shape{} : graph::Shape(weight.begin() + 2, weight.end());
}

void check_weight(NodeImport& node) {
  if (node.shape(1).size() != node.shape(0).size())
    node.fail(fmt::format("the weight has {} dimensions, its operand {}", node.shape(1).size(),
                          node.shape(0).size()));
  for (const std::int64_t extent : node.shape(1))
    if (extent < 1) node.fail(fmt::format("the weight has an extent of {}", extent));
}

void convolution(NodeImport& node) {
  check_weight(node);
  const graph::Shape weight = node.shape(1);
  graph::Window window = window_of(node, spatial_of(weight));
  apply_same(node, window);
  const std::int64_t groups = node.integer("group", 1);
  const graph::TensorId x = node.tensor(0);
  const graph::TensorId w = node.tensor(1, Draw::uniform(product(weight) / weight[0]));
  node.result(0, node.build().convolution(x, w, node.maybe(2, Draw::fill(0)), window, groups));
}

// The output's extents decide the pads if `output_shape` or SAME gives them (an output then is its input
// times the stride).
void transposed_pads(NodeImport& node, graph::Window& window, graph::Shape& output_pads) {
  const AutoPad mode = auto_pad(node);
  graph::Shape wanted = node.integers("output_shape");
  const graph::Shape input = node.shape(0);
  if (wanted.empty() && (mode == AutoPad::same_upper || mode == AutoPad::same_lower))
    for (std::size_t d = 0; d < window.kernel.size(); ++d) wanted.push_back(input[d + 2] * window.strides[d]);
  if (wanted.empty()) return;
  if (wanted.size() != window.kernel.size()) node.fail("output_shape does not fit the spatial dimensions");
  for (std::size_t d = 0; d < wanted.size(); ++d) {
    const std::int64_t full = window.strides[d] * (input[d + 2] - 1) + output_pads[d] + reach(window, d);
    const std::int64_t total = std::max<std::int64_t>(0, full - wanted[d]);
    if (full < wanted[d]) output_pads[d] += wanted[d] - full;  // more outputs than any input reaches
    window.pads_begin[d] = mode == AutoPad::same_upper ? total / 2 : total - total / 2;
    window.pads_end[d] = total - window.pads_begin[d];
  }
}

void transposed_convolution(NodeImport& node) {
  check_weight(node);
  const graph::Shape weight = node.shape(1);
  graph::Window window = window_of(node, spatial_of(weight));
  graph::Shape output_pads = node.integers("output_padding", graph::Shape(window.kernel.size(), 0));
  if (output_pads.size() != window.kernel.size())
    node.fail("output_padding does not fit the spatial dimensions");
  transposed_pads(node, window, output_pads);
  const std::int64_t groups = node.integer("group", 1);
  const graph::TensorId x = node.tensor(0);
  const graph::TensorId w = node.tensor(1, Draw::uniform(product(weight) / weight[1]));
  node.result(0, node.build().transposed_convolution(x, w, node.maybe(2, Draw::fill(0)), window, groups,
                                                     output_pads));
}

// clang-format off
constexpr OpRow linear_table[] = {
    {"Conv",          convolution},
    {"ConvTranspose", transposed_convolution},
    {"Gemm",          gemm},
    {"MatMul",        matmul},
};
// clang-format on

}  // namespace

std::span<const OpRow> linear_rows() { return linear_table; }

}  // namespace dojo::onnx
