// Pools, and what undoes a pool or a cutting into blocks.
#include <algorithm>
#include <limits>

#include "onnx/formulas.h"
#include "onnx/scattered.h"
#include "onnx/windows.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

graph::Window pool_window(NodeImport& node) {
  if (!node.has_attribute("kernel_shape")) node.fail("attribute 'kernel_shape' is missing");
  graph::Window window = window_of(node, {});
  window.ceil_mode = node.integer("ceil_mode", 0) != 0;
  apply_same(node, window);
  return window;
}

// --- The largest ---

constexpr std::int64_t most_taps = 1024;

// Where the element that tap `tap` reads lies within its channel, for every output: the rows of an image one
// behind the other, or its columns.
std::vector<float> read_places(const graph::Window& window, const Shape& tap, const Shape& in,
                               const Shape& out, bool columns_first) {
  std::vector<float> result = {0};
  for (std::size_t d = 0; d < out.size(); ++d) {
    std::int64_t stride = 1;
    for (std::size_t e = columns_first ? 0 : d + 1; e < (columns_first ? d : in.size()); ++e) stride *= in[e];
    std::vector<float> longer;
    for (const float before : result)
      for (std::int64_t at = 0; at < out[d]; ++at) {
        const std::int64_t place =
            at * window.strides[d] - window.pads_begin[d] + tap[d] * window.dilations[d];
        longer.push_back(before + static_cast<float>(place * stride));
      }
    result = std::move(longer);
  }
  return result;
}

// The first tap with the largest number, one tap after the other: the place of what it reads in x.
void largest_places(NodeImport& node, const graph::Window& window, TensorId pooled) {
  graph::Builder& b = node.build();
  const bool columns_first = node.integer("storage_order", 0) != 0;
  const TensorId x = node.tensor(0);
  const Shape shape = b.shape(x), result = b.shape(pooled);
  const std::int64_t elements = graph::element_count(shape);
  std::int64_t taps = 1;
  for (const std::int64_t extent : window.kernel) taps *= extent;
  if (elements > largest_whole || taps > most_taps || taps * graph::element_count(result) > largest_whole)
    node.fail(fmt::format("places of {} elements in windows of {}", elements, taps), Refusal::not_yet);
  if (node.has_batch(0) && shape[0] != 1)
    node.fail("places that count through the samples of the batch", Refusal::unsupported);
  const Shape in(shape.begin() + 2, shape.end()), out(result.begin() + 2, result.end());
  Shape begin(shape.size(), 0), end(shape.size(), 0);
  for (std::size_t d = 0; d < in.size(); ++d) {
    begin[d + 2] = window.pads_begin[d];
    end[d + 2] = std::max<std::int64_t>(
        0, (out[d] - 1) * window.strides[d] + reach(window, d) - in[d] - window.pads_begin[d]);
  }
  const TensorId padded = b.pad(x, begin, end, -std::numeric_limits<float>::infinity());
  TensorId best = graph::no_tensor, place = graph::no_tensor;
  Shape tap(in.size(), 0);
  for (std::int64_t k = 0; k < taps; ++k) {
    TensorId read = padded;
    for (std::size_t d = 0; d < in.size(); ++d) {
      const std::int64_t start = tap[d] * window.dilations[d];
      read = b.slice(read, static_cast<std::int64_t>(d + 2), start,
                     start + (out[d] - 1) * window.strides[d] + 1, window.strides[d]);
    }
    const TensorId own =
        b.constant(b.fresh_tensor_name("places"), out, read_places(window, tap, in, out, columns_first));
    F f;
    const TensorId first[] = {read, own}, operands[] = {best, read, place, own};
    if (k == 0)  // as large as what it reads
      place =
          b.elementwise(f.finish(f.select(f.less(f.input(0), f.input(0)), f.input(0), f.input(1))), first);
    else
      place =
          b.elementwise(f.finish(f.select(f.less(f.input(0), f.input(1)), f.input(3), f.input(2))), operands);
    best = k == 0 ? read : b.binary(Scalar::maximum, best, read);
    for (std::size_t d = tap.size(); d-- > 0 && ++tap[d] == window.kernel[d];) tap[d] = 0;
  }
  std::vector<float> channels;
  const std::int64_t count = shape[0] * shape[1], plane = elements / count;
  for (std::int64_t c = 0; c < count; ++c) channels.push_back(static_cast<float>(c * plane));
  Shape alone(shape.size(), 1);
  alone[0] = shape[0], alone[1] = shape[1];
  if (node.has_batch(0)) alone.erase(alone.begin());
  place = b.add(place, b.constant(b.fresh_tensor_name("channels"), alone, std::move(channels)));
  node.whole_result(1, place, DataType::int64, {0, elements - 1});
}

void max_pool(NodeImport& node) {
  node.ignore({"storage_order"});  // it orders the second result
  const graph::Window window = pool_window(node);
  const TensorId pooled = node.build().max_pool(node.tensor(0), window);
  if (node.wants(1)) largest_places(node, window, pooled);
  node.result(0, pooled);
}

// What a pool took, back at the places that it gave, and 0 elsewhere.
void max_unpool(NodeImport& node) {
  graph::Builder& b = node.build();
  const TensorId x = node.tensor(0), places = node.numbers(1);
  const Shape shape = b.shape(x);
  if (node.has_batch(0) && shape[0] != 1)
    node.fail("places that count through the samples of the batch", Refusal::unsupported);
  if (node.shape(1) != shape) node.fail("places of another shape");
  const graph::Window window = window_of(node, {});
  Shape whole = {shape[0], shape[1]};
  for (std::size_t d = 0; d < window.kernel.size(); ++d)
    whole.push_back((shape[d + 2] - 1) * window.strides[d] + window.kernel[d] - window.pads_begin[d] -
                    window.pads_end[d]);
  const std::int64_t elements = graph::element_count(whole), count = graph::element_count(shape);
  if (*std::ranges::min_element(whole) < 1 || elements > largest_whole)
    node.fail(fmt::format("[{}] as its result", fmt::join(whole, ", ")), Refusal::unsupported);
  const TensorId nothing = b.expand(b.constant(0), {elements});
  TensorId made = b.reshape(
      scattered(b, Arrival::replace, nothing, b.reshape(x, {count}), b.reshape(places, {count}), 0), whole);
  if (node.has(2)) {
    const Shape wanted = node.operand_integers(2);
    if (wanted.size() != whole.size()) node.fail("output_shape does not fit");
    Shape more;
    for (std::size_t d = 0; d < whole.size(); ++d) more.push_back(wanted[d] - whole[d]);
    made = b.pad(made, Shape(whole.size(), 0), more);
  }
  node.result(0, made);
}

// --- Means and norms ---

void average_pool(NodeImport& node) {
  graph::Window window = pool_window(node);
  window.count_include_pad = node.integer("count_include_pad", 0) != 0;
  node.result(0, node.build().average_pool(node.tensor(0), window));
}

void global_average_pool(NodeImport& node) {
  node.result(0, node.build().global_average_pool(node.tensor(0)));
}

void global_max_pool(NodeImport& node) { node.result(0, node.build().global_max_pool(node.tensor(0))); }

float exponent_of(NodeImport& node) {
  const float p = node.number("p", 2);
  if (!(p > 0)) node.fail(fmt::format("p = {}", p));
  return p;
}

// |x|^p, and the p-th root of a sum of such.
TensorId raised(NodeImport& node, TensorId x, float p) {
  graph::Builder& b = node.build();
  if (p == 2) return b.multiply(x, x);
  return b.power(b.unary(Scalar::absolute, x), p);
}
TensorId root(NodeImport& node, TensorId sum, float p) {
  return p == 1 ? sum : node.build().power(sum, 1 / p);
}

// (sum |x|^p)^(1 / p) of every window.
void norm_pool(NodeImport& node) {
  graph::Builder& b = node.build();
  const float p = exponent_of(node);
  graph::Window window = pool_window(node);
  if (window.ceil_mode) node.fail("ceil_mode", Refusal::not_yet);
  window.count_include_pad = true;
  float taps = 1;
  for (const std::int64_t extent : window.kernel) taps *= static_cast<float>(extent);
  const TensorId mean = b.average_pool(raised(node, node.tensor(0), p), window);
  node.result(0, root(node, b.scale(mean, taps), p));
}

void global_norm_pool(NodeImport& node) {
  graph::Builder& b = node.build();
  const float p = exponent_of(node);
  std::vector<std::int64_t> axes;
  for (std::size_t d = 2; d < node.shape(0).size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
  if (axes.empty()) node.fail("needs spatial dimensions");
  node.result(0, root(node, b.sum(raised(node, node.tensor(0), p), axes, true), p));
}

// --- Blocks ---

// The sum of all blocks where they lay in the image: a transposed convolution in which every channel of a
// block is one tap.
void join_blocks(NodeImport& node) {
  graph::Builder& b = node.build();
  const Shape image = node.operand_integers(1), block = node.operand_integers(2), shape = node.shape(0);
  const std::size_t rank = image.size();
  graph::Window window;
  window.kernel = block;
  window.strides = node.integers("strides", Shape(rank, 1));
  window.dilations = node.integers("dilations", Shape(rank, 1));
  const Shape pads = node.integers("pads", Shape(2 * rank, 0));
  if (rank < 1 || shape.size() != 3 || block.size() != rank || window.strides.size() != rank ||
      window.dilations.size() != rank || pads.size() != 2 * rank)
    node.fail(fmt::format("blocks [{}] of [{}]", fmt::join(block, ", "), fmt::join(image, ", ")));
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
  window.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(rank), pads.end());
  std::int64_t taps = 1, blocks = 1;
  Shape grid = {shape[0], shape[1]}, missing;
  for (std::size_t d = 0; d < rank; ++d) {
    if (block[d] < 1 || block[d] > 4096 || window.strides[d] < 1 || window.dilations[d] < 1 || pads[d] < 0 ||
        pads[d + rank] < 0)
      node.fail("a block, stride, dilation or pad that is none");
    taps *= block[d];
    const std::int64_t room = image[d] + pads[d] + pads[d + rank] - reach(window, d);
    if (room < 0) node.fail(fmt::format("a block of {} in an image of {}", block[d], image[d]));
    grid.push_back(room / window.strides[d] + 1);
    blocks *= grid.back();
    missing.push_back(room % window.strides[d]);
  }
  if (taps > most_taps || shape[1] % taps != 0 || blocks != shape[2] || shape[1] > largest_whole / taps)
    node.fail(fmt::format("{} channels of {} blocks, each of {} taps", shape[1], shape[2], taps));
  std::vector<float> own(static_cast<std::size_t>(shape[1] * taps), 0.0f);
  for (std::int64_t c = 0; c < shape[1]; ++c) own[static_cast<std::size_t>(c * taps + c % taps)] = 1;
  Shape of_weight = {shape[1], 1};
  of_weight.insert(of_weight.end(), block.begin(), block.end());
  const TensorId weight = b.constant(b.fresh_tensor_name("taps"), of_weight, std::move(own));
  node.result(0, b.transposed_convolution(b.reshape(node.tensor(0), grid), weight, std::nullopt, window,
                                          shape[1] / taps, missing));
}

// clang-format off
constexpr OpRow pooling_table[] = {
    {"AveragePool",       average_pool},
    {"Col2Im",            join_blocks},
    {"GlobalAveragePool", global_average_pool},
    {"GlobalLpPool",      global_norm_pool},
    {"GlobalMaxPool",     global_max_pool},
    {"LpPool",            norm_pool},
    {"MaxPool",           max_pool},
    {"MaxUnpool",         max_unpool},
};
// clang-format on

}  // namespace

std::span<const OpRow> pooling_rows() { return pooling_table; }

}  // namespace dojo::onnx
