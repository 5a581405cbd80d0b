// ATen's operators with weights and windows, and their gradients, which are those of what they are made of.
#include <algorithm>
#include <cmath>

#include "graph/expression.h"
#include "graph/gradient.h"
#include "graph/op_maker.h"
#include "onnx/aten_rows.h"

namespace dojo::onnx {
namespace {

using graph::Builder;
using graph::Shape;
using graph::TensorId;
using graph::Window;
using Ids = std::span<const TensorId>;

void matmul(NodeImport& node) { node.result(0, node.build().matmul(node.tensor(0), node.tensor(1))); }

// beta * self + alpha * (a b)
void addmm(NodeImport& node) {
  if (node.has(3) || node.has(4)) node.fail("a factor that is computed", Refusal::not_yet);
  const float beta = node.number("beta", 1), alpha = node.number("alpha", 1);
  node.result(0,
              node.build().gemm(node.tensor(1), node.tensor(2), node.tensor(0), alpha, beta, false, false));
}

// --- Windows ---

// One number stands for all spatial dimensions.
Shape per_dimension(NodeImport& node, std::string_view name, std::size_t spatial, std::int64_t otherwise) {
  Shape values = node.integers(name);
  if (values.empty()) values.assign(1, otherwise);
  if (values.size() == 1) values.assign(spatial, values[0]);
  if (values.size() != spatial)
    node.fail(fmt::format("{} numbers as {} of {} spatial dimensions", values.size(), name, spatial));
  return values;
}

void check(NodeImport& node, const Window& window) {
  for (const Shape* positive : {&window.kernel, &window.strides, &window.dilations})
    for (const std::int64_t extent : *positive)
      if (extent < 1 || extent > 1 << 20)
        node.fail(fmt::format("{} as kernel extent, stride or dilation", extent));
  for (const std::int64_t extent : window.pads_begin)
    if (extent < 0 || extent > 1 << 20) node.fail(fmt::format("a padding of {}", extent));
}

// What a convolution's node says beside its operands.
struct Convolution {
  Window window;
  std::int64_t groups = 1;
  bool transposed = false;
  Shape output_pads;

  TensorId operator()(Builder& b, TensorId x, TensorId w, std::optional<TensorId> bias) const {
    return transposed ? b.transposed_convolution(x, w, bias, window, groups, output_pads)
                      : b.convolution(x, w, bias, window, groups);
  }
};

Convolution convolution_of(NodeImport& node, const Shape& weight) {
  if (weight.size() < 3) node.fail(fmt::format("a weight of {} dimensions", weight.size()));
  const std::size_t spatial = weight.size() - 2;
  Convolution made;
  made.window.kernel.assign(weight.begin() + 2, weight.end());
  made.window.strides = per_dimension(node, "stride", spatial, 1);
  made.window.dilations = per_dimension(node, "dilation", spatial, 1);
  made.window.pads_begin = made.window.pads_end = per_dimension(node, "padding", spatial, 0);
  made.output_pads = per_dimension(node, "output_padding", spatial, 0);
  made.groups = node.integer("groups", 1);
  made.transposed = node.integer("transposed", 0) != 0;
  check(node, made.window);
  return made;
}

void convolution(NodeImport& node) {
  const Convolution convolve = convolution_of(node, node.shape(1));
  node.result(0, convolve(node.build(), node.tensor(0), node.tensor(1), node.maybe(2)));
}

// The gradients for input, weight and bias, those that output_mask names.
void convolution_backward(NodeImport& node) {
  node.ignore({"bias_sizes", "output_mask"});
  const Convolution convolve = convolution_of(node, node.shape(2));
  const TensorId upstream = node.tensor(0);
  Builder& b = node.build();
  const std::vector<TensorId> gradients =
      gradients_of(b, label_of(node.node()),
                   [&](Builder& inside, Ids ids) { return convolve(inside, ids[0], ids[1], {}); },
                   std::vector{node.tensor(1), node.tensor(2)}, upstream, {node.wants(0), node.wants(1)});
  for (std::size_t k = 0; k < 2; ++k)
    if (node.wants(k)) node.result(k, gradients[k]);
  if (!node.wants(2)) return;
  std::vector<std::int64_t> axes;
  for (std::size_t d = 0; d < b.shape(upstream).size(); ++d)
    if (d != 1) axes.push_back(static_cast<std::int64_t>(d));
  node.result(2, b.sum(upstream, axes));
}

// --- Pooling ---

// How many spatial dimensions an operator is for: "max_pool2d..." has 2.
std::size_t spatial_of(NodeImport& node) {
  const std::string_view op = node.node().op;
  return static_cast<std::size_t>(op[op.find("pool") + 4] - '0');
}

// Images, of which one alone may lack the batch, as [n, c, spatial...].
Shape image_shape(NodeImport& node, std::size_t operand) {
  Shape shape = node.shape(operand);
  if (shape.size() == spatial_of(node) + 1) shape.insert(shape.begin(), 1);
  if (shape.size() != spatial_of(node) + 2)
    node.fail(fmt::format("an operand of {} dimensions", shape.size()), Refusal::unsupported);
  return shape;
}

TensorId images(NodeImport& node, std::size_t operand) {
  const Shape shape = image_shape(node, operand);
  const TensorId x = node.tensor(operand);
  return shape == node.shape(operand) ? x : node.build().reshape(x, shape);
}

void give(NodeImport& node, std::size_t result, TensorId tensor) {
  Builder& b = node.build();
  if (node.wants(result))
    node.result(result, b.shape(tensor) == node.wanted_shape(result)
                            ? tensor
                            : b.reshape(tensor, node.wanted_shape(result)));
}

Window pool_window(NodeImport& node, std::size_t operand) {
  const std::size_t rank = image_shape(node, operand).size();
  Window window;
  window.kernel = per_dimension(node, "kernel_size", rank - 2, 1);
  window.strides =
      node.integers("stride").empty() ? window.kernel : per_dimension(node, "stride", rank - 2, 1);
  window.dilations = per_dimension(node, "dilation", rank - 2, 1);
  window.pads_begin = window.pads_end = per_dimension(node, "padding", rank - 2, 0);
  window.ceil_mode = node.integer("ceil_mode", 0) != 0;
  check(node, window);
  return window;
}

// The number of each element of an image, row by row, as the indices of a max pool count.
TensorId element_numbers(Builder& b, const Shape& image, const std::string& name) {
  std::vector<float> numbers(static_cast<std::size_t>(graph::element_count(image)));
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<float>(k);
  return b.constant(b.fresh_tensor_name(name + ".numbers"), image, std::move(numbers));
}

// Axes over all windows of images, and what is read and written there.
struct Windows {
  std::vector<graph::Index> at_window, at_element;  // [n, c, o...], [n, c, i...]
  std::vector<graph::Index> at_number() const { return {at_element.begin() + 2, at_element.end()}; }
};

Windows windows_of(graph::OpMaker& op, const Window& window, const Shape& pooled) {
  Windows made;
  for (std::size_t d = 0; d < pooled.size(); ++d)
    made.at_window.push_back(graph::Index::along(op.axis(d == 0   ? "i"
                                                         : d == 1 ? "c"
                                                                  : fmt::format("o{}", d - 2),
                                                         pooled[d])));
  made.at_element = made.at_window;
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    made.at_element[d + 2] = graph::Index::along(d + 2, window.strides[d], -window.pads_begin[d]);
    made.at_element[d + 2].plus(op.axis(fmt::format("k{}", d), window.kernel[d]), window.dilations[d]);
  }
  return made;
}

constexpr float nowhere = -1;  // the number of an element outside the image

// Of each window the largest element, and the number in its image of the first that is so large.
void max_pool(NodeImport& node) {
  const Window window = pool_window(node, 0);
  const TensorId x = images(node, 0);
  Builder& b = node.build();
  const TensorId largest = b.max_pool(x, window);
  const Shape image = b.shape(x), pooled = b.shape(largest);
  give(node, 0, largest);
  if (!node.wants(1)) return;
  const TensorId numbers = element_numbers(b, {image.begin() + 2, image.end()}, label_of(node.node()));
  graph::OpMaker op(b);
  const Windows windows = windows_of(op, window, pooled);
  graph::Formula f;
  const auto element = f.input(op.read(x, windows.at_element, -std::numeric_limits<float>::infinity()));
  const auto most = f.input(op.read(largest, windows.at_window));
  const auto number = f.input(op.read(numbers, windows.at_number(), nowhere));
  const auto far = f.constant(-std::numeric_limits<float>::infinity());
  const auto is_it =
      f.multiply(f.apply(graph::Scalar::equal, element, most), f.less(f.constant(nowhere), number));
  const TensorId first = op.write(pooled, windows.at_window, graph::Reduction::maximum,
                                  f.finish(f.select(is_it, f.negate(number), far)));
  give(node, 1, b.unary(graph::Scalar::negate, first));
}

// The gradient goes to the element of each window that its number names.
void max_pool_backward(NodeImport& node) {
  const Window window = pool_window(node, 1);
  const TensorId upstream = images(node, 0), indices = images(node, 2);
  const Shape image = image_shape(node, 1);
  Builder& b = node.build();
  const TensorId numbers = element_numbers(b, {image.begin() + 2, image.end()}, label_of(node.node()));
  graph::OpMaker op(b);
  const Windows windows = windows_of(op, window, b.shape(upstream));
  graph::Formula f;
  const auto gradient = f.input(op.read(upstream, windows.at_window));
  const auto chosen = f.input(op.read(indices, windows.at_window));
  const auto number = f.input(op.read(numbers, windows.at_number(), nowhere));
  const auto root = f.select(f.apply(graph::Scalar::equal, chosen, number), gradient, f.constant(0));
  give(node, 0, op.write(image, windows.at_element, graph::Reduction::sum, f.finish(root)));
}

Window average_window(NodeImport& node, std::size_t operand) {
  Window window = pool_window(node, operand);
  window.count_include_pad = node.integer("count_include_pad", 1) != 0;
  return window;
}

// divisor_override: the sum over a window by a number of the user's own.
TensorId averaged(Builder& b, TensorId x, const Window& window, std::int64_t divisor) {
  if (divisor == 0) return b.average_pool(x, window);
  Window all = window;
  all.count_include_pad = true, all.ceil_mode = false;
  std::int64_t elements = 1;
  for (const std::int64_t extent : window.kernel) elements *= extent;
  return b.scale(b.average_pool(x, all), static_cast<float>(elements) / static_cast<float>(divisor));
}

std::int64_t divisor_of(NodeImport& node, const Window& window) {
  const std::int64_t divisor = node.integer("divisor_override", 0);
  if (divisor != 0 && window.ceil_mode) node.fail("divisor_override with ceil_mode", Refusal::not_yet);
  return divisor;
}

void average_pool(NodeImport& node) {
  const Window window = average_window(node, 0);
  give(node, 0, averaged(node.build(), images(node, 0), window, divisor_of(node, window)));
}

void average_pool_backward(NodeImport& node) {
  const Window window = average_window(node, 1);
  const std::int64_t divisor = divisor_of(node, window);
  give(node, 0,
       gradients_of(node.build(), label_of(node.node()),
                    [&](Builder& b, Ids ids) { return averaged(b, ids[0], window, divisor); },
                    std::vector{images(node, 1)}, images(node, 0), {true})[0]);
}

// Row r of `to` averages elements [r from / to, ceil((r + 1) from / to)).
std::vector<float> adaptive_weights(std::int64_t from, std::int64_t to) {
  std::vector<float> weights(static_cast<std::size_t>(from * to), 0);
  for (std::int64_t r = 0; r < to; ++r) {
    const std::int64_t begin = r * from / to, end = ((r + 1) * from + to - 1) / to;
    for (std::int64_t k = begin; k < end; ++k)
      weights[static_cast<std::size_t>(r * from + k)] = 1.0f / static_cast<float>(end - begin);
  }
  return weights;
}

TensorId adaptively_averaged(Builder& b, TensorId x, const Shape& result) {
  const Shape from = b.shape(x);
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (from[d] == result[d]) continue;
    const auto along = static_cast<std::int64_t>(d);
    x = result[d] == 1 ? b.mean(x, {along}, true) : b.mix(x, along, adaptive_weights(from[d], result[d]));
  }
  return x;
}

void adaptive_average_pool(NodeImport& node) {
  node.ignore({"output_size"});
  const Shape wanted = node.wanted_shape(0);
  if (wanted == node.shape(0)) return node.result(0, node.value(0));
  node.result(0, adaptively_averaged(node.build(), node.tensor(0), wanted));
}

void adaptive_average_pool_backward(NodeImport& node) {
  const Shape result = node.shape(0);
  node.result(0, gradients_of(node.build(), label_of(node.node()),
                              [&](Builder& b, Ids ids) { return adaptively_averaged(b, ids[0], result); },
                              std::vector{node.tensor(1)}, node.tensor(0), {true})[0]);
}

// clang-format off
constexpr OpRow rows[] = {
    {"_adaptive_avg_pool2d.default",                    adaptive_average_pool},
    {"_adaptive_avg_pool2d_backward.default",           adaptive_average_pool_backward},
    {"_adaptive_avg_pool3d.default",                    adaptive_average_pool},
    {"_adaptive_avg_pool3d_backward.default",           adaptive_average_pool_backward},
    {"addmm.default",                                   addmm},
    {"avg_pool2d.default",                              average_pool},
    {"avg_pool2d_backward.default",                     average_pool_backward},
    {"avg_pool3d.default",                              average_pool},
    {"avg_pool3d_backward.default",                     average_pool_backward},
    {"bmm.default",                                     matmul},
    {"convolution.default",                             convolution},
    {"convolution_backward.default",                    convolution_backward},
    {"max_pool2d_with_indices.default",                 max_pool},
    {"max_pool2d_with_indices_backward.default",        max_pool_backward},
    {"max_pool3d_with_indices.default",                 max_pool},
    {"max_pool3d_with_indices_backward.default",        max_pool_backward},
    {"mm.default",                                      matmul},
    {"mv.default",                                      matmul},
    {"dot.default",                                     matmul},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_linear_rows() { return rows; }

}  // namespace dojo::onnx
