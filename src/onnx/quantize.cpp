// Quantized numbers: y = saturate(round(x / scale) + zero_point), and back. A scale and a zero point are one
// number, one for each place along an axis, or one for each block of places there.
#include <cmath>

#include "onnx/formulas.h"
#include "onnx/narrow.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

// Operand i (scale or zero point) in a shape that broadcasts over that of operand 0.
TensorId spread(NodeImport& node, std::size_t i) {
  graph::Builder& b = node.build();
  const Shape whole = node.shape(0);
  TensorId values = node.tensor(i);
  const Shape own = b.shape(values);
  const std::int64_t block = node.integer("block_size", 0);
  node.ignore({"axis"});  // where one number is for all
  if (own.empty() || (own.size() == 1 && own[0] == 1 && block == 0)) return b.reshape(values, {});
  const std::size_t axis = node.dimension(node.integer("axis", 1), whole.size());
  if (block == 0) {
    if (own.size() != 1 || own[0] != whole[axis])
      node.fail(fmt::format("scales [{}] along dimension {} of [{}]", fmt::join(own, ", "), axis,
                            fmt::join(whole, ", ")));
    Shape shape(whole.size() - axis, 1);
    shape[0] = own[0];
    return b.reshape(values, shape);
  }
  if (block < 1 || own.size() != whole.size() || own[axis] != (whole[axis] + block - 1) / block)
    node.fail(fmt::format("scales [{}] for blocks of {} along dimension {} of [{}]", fmt::join(own, ", "),
                          block, axis, fmt::join(whole, ", ")));
  const auto at = static_cast<std::int64_t>(axis);
  Shape repeated = own;
  repeated.insert(repeated.begin() + at + 1, block);
  values = b.expand(b.unsqueeze(values, {at + 1}), repeated);
  Shape merged = own;
  merged[axis] *= block;
  return b.slice(b.reshape(values, merged), at, 0, whole[axis]);
}

void refuse_training(NodeImport& node) {
  if (node.training()) node.fail("in training, where its scale is no parameter", Refusal::not_yet);
}

DataType quantized_type(NodeImport& node) {
  const auto asked = static_cast<DataType>(node.integer("output_dtype", 0));
  if (node.has(2)) return node.type_of(2);
  return asked == DataType::undefined ? DataType::uint8 : asked;
}

void quantize(NodeImport& node) {
  refuse_training(node);
  node.ignore({"precision"});  // everything is FP32
  const DataType type = quantized_type(node);
  const bool saturates = node.integer("saturate", 1) != 0 || type == DataType::float4e2m1;
  std::vector<TensorId> operands = {node.tensor(0), spread(node, 1)};
  F f;
  F::Node result = f.divide(f.input(0), f.input(1));
  const auto with_zero = [&](F::Node number) {
    if (!node.has(2)) return number;
    operands.push_back(spread(node, 2));
    return f.add(number, f.input(2));
  };
  if (const NarrowType* narrow = narrow_type(type)) {
    const F::Node sum = with_zero(result);
    result = f.insert(rounding_to(*narrow, saturates), std::span(&sum, 1));
    return node.result(0, node.build().elementwise(f.finish(result), operands), type);
  }
  if (!is_whole(type) || !wraps(type))
    node.fail(fmt::format("to {}", data_type_name(type)), Refusal::unsupported);
  const Bounds bounds = bounds_of(type);
  result = with_zero(round(f, result, node));
  result = f.apply(graph::Scalar::maximum, result, f.constant(static_cast<float>(bounds.least)));
  result = f.apply(graph::Scalar::minimum, result, f.constant(static_cast<float>(bounds.most)));
  node.whole_result(0, node.build().elementwise(f.finish(result), operands), type, bounds);
}

void dequantize(NodeImport& node) {
  refuse_training(node);
  const auto asked = static_cast<DataType>(node.integer("output_dtype", 0));
  if (asked != DataType::undefined && asked != DataType::float32 && narrow_type(asked) == nullptr)
    node.fail(fmt::format("to {}", data_type_name(asked)), Refusal::unsupported);
  std::vector<TensorId> operands = {node.tensor(0), spread(node, 1)};
  F f;
  F::Node number = f.input(0);
  if (node.has(2)) {
    operands.push_back(spread(node, 2));
    number = f.subtract(number, f.input(2));
  }
  const F::Node result = f.multiply(number, f.input(1));
  node.result(0, node.build().elementwise(f.finish(result), operands), DataType::float32);
}

constexpr OpRow quantize_table[] = {
    {"DequantizeLinear", dequantize},
    {"QuantizeLinear", quantize},
};

}  // namespace

std::span<const OpRow> quantize_rows() { return quantize_table; }

}  // namespace dojo::onnx
