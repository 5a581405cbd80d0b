// Products of whole numbers, and of quantized ones: what both operands stand for above their zero points is
// multiplied and added exactly, as long as FP32 holds every partial sum; then scaled, rounded and held in the
// type of the result.
#include <algorithm>

#include "onnx/formulas.h"
#include "onnx/narrow.h"
#include "onnx/windows.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

// Operand i less the zero point that operand `zero` is, one number or one for each place of dimension `axis`.
struct Centred {
  TensorId tensor;
  Bounds bounds;
};

// In a shape that broadcasts over `whole` along one dimension.
TensorId along(NodeImport& node, TensorId values, const Shape& whole, std::size_t axis) {
  graph::Builder& b = node.build();
  const Shape own = b.shape(values);
  if (own.empty() || own == Shape{1}) return b.reshape(values, {});
  if (own.size() != 1 || own[0] != whole.at(axis))
    node.fail(fmt::format("{} numbers along dimension {} of [{}]", fmt::join(own, " x "), axis,
                          fmt::join(whole, ", ")));
  Shape shape(whole.size() - axis, 1);
  shape[0] = own[0];
  return b.reshape(values, shape);
}

Centred centred(NodeImport& node, std::size_t i, std::size_t zero, std::size_t axis) {
  const std::optional<Bounds> bounds = node.bounds_of(i);
  if (!bounds) node.fail(fmt::format("'{}' holds no whole numbers", node.node().inputs[i]));
  const TensorId tensor = node.tensor(i);
  if (!node.has(zero)) return {tensor, *bounds};
  const Bounds zeros = node.bounds_of(zero).value_or(Bounds{});
  return {node.build().subtract(tensor, along(node, node.tensor(zero), node.shape(i), axis)),
          sum(*bounds, negated(zeros))};
}

// Of so many products.
Bounds exact_sum(NodeImport& node, const Centred& a, const Centred& b, std::int64_t count) {
  const Bounds one = product(a.bounds, b.bounds);
  const Bounds all = both(product(one, {count, count}), {0, 0});
  if (!all.are_exact())
    node.fail(fmt::format("sums of {} products from {} to {}, which FP32 does not hold exactly", count,
                          one.least, one.most),
              Refusal::not_yet);
  return all;
}

struct Sum {
  TensorId tensor;
  Bounds bounds;
};

// `zero_a`, `zero_b`: the operands that hold the zero points; b is operand `right`.
Sum matrix_product(NodeImport& node, std::size_t right, std::size_t zero_a, std::size_t zero_b) {
  const Shape a = node.shape(0), b = node.shape(right);
  if (a.empty() || b.empty()) node.fail("needs matrices");
  const Centred left = centred(node, 0, zero_a, a.size() - std::min<std::size_t>(2, a.size())),
                other = centred(node, right, zero_b, b.size() - 1);
  return {node.build().matmul(left.tensor, other.tensor), exact_sum(node, left, other, a.back())};
}

Sum convolved(NodeImport& node, std::size_t right, std::size_t zero_x, std::size_t zero_w) {
  const Shape weight = node.shape(right);
  if (weight.size() != node.shape(0).size() || weight.size() < 3)
    node.fail(fmt::format("a weight [{}] for [{}]", fmt::join(weight, ", "), fmt::join(node.shape(0), ", ")));
  const graph::Window window = window_of(node, Shape(weight.begin() + 2, weight.end()));
  const Centred x = centred(node, 0, zero_x, 1), w = centred(node, right, zero_w, 0);
  std::int64_t count = 1;
  for (std::size_t d = 1; d < weight.size(); ++d) count *= weight[d];
  return {node.build().convolution(x.tensor, w.tensor, std::nullopt, window, node.integer("group", 1)),
          exact_sum(node, x, w, count)};
}

// Integers of 32 bits.
void matrix_of_integers(NodeImport& node) {
  const Sum made = matrix_product(node, 1, 2, 3);
  node.whole_result(0, made.tensor, DataType::int32, made.bounds);
}
void convolution_of_integers(NodeImport& node) {
  const Sum made = convolved(node, 1, 2, 3);
  node.whole_result(0, made.tensor, DataType::int32, made.bounds);
}

// Operands a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero of both; scales of b lie along `axis` of
// the result.
void requantized(NodeImport& node, TensorId made, std::size_t axis_a, std::size_t axis_b) {
  graph::Builder& b = node.build();
  const Shape shape = b.shape(made);
  const DataType type = node.type_of(7);
  const Bounds bounds = bounds_of(type);
  const TensorId operands[] = {
      made, along(node, node.tensor(1), shape, axis_a), along(node, node.tensor(4), shape, axis_b),
      along(node, node.tensor(6), shape, axis_a), along(node, node.tensor(7), shape, axis_a)};
  F f;
  const F::Node factor = f.divide(f.multiply(f.input(1), f.input(2)), f.input(3));
  F::Node result = round(f, f.add(f.multiply(f.input(0), factor), f.input(4)), node);
  result = f.apply(Scalar::maximum, result, f.constant(static_cast<float>(bounds.least)));
  result = f.apply(Scalar::minimum, result, f.constant(static_cast<float>(bounds.most)));
  node.whole_result(0, b.elementwise(f.finish(result), operands), type, bounds);
}

void quantized_matrix(NodeImport& node) {
  const Sum made = matrix_product(node, 3, 2, 5);
  const std::size_t rank = node.build().shape(made.tensor).size();
  requantized(node, made.tensor, rank - std::min<std::size_t>(2, rank), rank == 0 ? 0 : rank - 1);
}

void quantized_convolution(NodeImport& node) {
  const Sum made = convolved(node, 3, 2, 5);
  TensorId sums = made.tensor;
  if (node.has(8)) {
    if (!sum(made.bounds, node.bounds_of(8).value_or(Bounds{})).are_exact())
      node.fail("a bias with which FP32 does not hold the sums exactly", Refusal::not_yet);
    sums = node.build().bias_add(sums, node.tensor(8));
  }
  requantized(node, sums, 1, 1);
}

// By the range of all its numbers and 0, into bytes.
void quantize_by_range(NodeImport& node) {
  graph::Builder& b = node.build();
  const TensorId x = node.tensor(0);
  if (node.has_batch(0)) node.fail("by the range of a whole batch", Refusal::unsupported);
  const TensorId ends[] = {b.minimum(x), b.maximum(x)};
  const auto spread = [](F& f) {
    const F::Node zero = f.constant(0);
    const F::Node low = f.apply(Scalar::minimum, f.input(0), zero),
                  high = f.apply(Scalar::maximum, f.input(1), zero);
    const F::Node range = f.subtract(high, low), none = f.apply(Scalar::equal, range, zero);
    return std::pair(low, f.divide(f.select(none, f.constant(1), range), f.constant(255)));
  };
  const auto held = [](F& f, F::Node number) {
    return f.apply(Scalar::minimum, f.apply(Scalar::maximum, number, f.constant(0)), f.constant(255));
  };
  F of_scale, of_zero, of_x;
  const TensorId scale = b.elementwise(of_scale.finish(spread(of_scale).second), ends);
  const auto [low, width] = spread(of_zero);
  const F::Node start = held(of_zero, of_zero.negate(of_zero.divide(low, width)));
  const TensorId zero = b.elementwise(of_zero.finish(round(of_zero, start, node)), ends);
  const TensorId operands[] = {x, scale, zero};
  const F::Node count = round(of_x, of_x.divide(of_x.input(0), of_x.input(1)), node);
  const F::Node code = held(of_x, of_x.add(count, of_x.input(2)));
  node.whole_result(0, b.elementwise(of_x.finish(code), operands), DataType::uint8, {0, 255});
  node.result(1, scale);
  node.whole_result(2, zero, DataType::uint8, {0, 255});
}

constexpr OpRow quantized_table[] = {
    {"ConvInteger", convolution_of_integers}, {"DynamicQuantizeLinear", quantize_by_range},
    {"MatMulInteger", matrix_of_integers},    {"QLinearConv", quantized_convolution},
    {"QLinearMatMul", quantized_matrix},
};

}  // namespace

std::span<const OpRow> quantized_product_rows() { return quantized_table; }

}  // namespace dojo::onnx
