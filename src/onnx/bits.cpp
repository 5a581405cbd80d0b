// Operators on the bits of whole numbers. Two's complement of any width has the same low bits, so numbers
// within bounds are combined as FP32 numbers are, and what bounds the result is as many bits as they need.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "onnx/formulas.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;

// All numbers of as many bits as `a` and `b` need, with a sign if either can be below 0.
Bounds same_bits(const Bounds& a, const Bounds& b) {
  const Bounds all = both(a, b);
  const std::int64_t far = std::max(all.most, all.least < 0 ? -(all.least + 1) : 0);
  const std::int64_t most =
      static_cast<std::int64_t>((std::uint64_t{1} << std::bit_width(static_cast<std::uint64_t>(far))) - 1);
  return {all.least < 0 ? -most - 1 : 0, most};
}

// Bits that both have cannot reach farther than an operand that is never below 0.
Bounds common_bits(const Bounds& a, const Bounds& b) {
  if (a.least >= 0 && b.least >= 0) return {0, std::min(a.most, b.most)};
  if (a.least >= 0 || b.least >= 0) return {0, a.least >= 0 ? a.most : b.most};
  return same_bits(a, b);
}

Bounds whole_operand(NodeImport& node, std::size_t i) {
  const std::optional<Bounds> bounds = node.bounds_of(i);
  if (!bounds) node.fail(fmt::format("'{}' holds no whole numbers", node.node().inputs[i]));
  return *bounds;
}

enum class Combined : std::uint8_t { common, any, one };

// a | b = a + (b without what is common), a ^ b = both without it: sums of numbers that share no bit.
template <Combined kind>
void combine(NodeImport& node) {
  const Bounds a = whole_operand(node, 0), b = whole_operand(node, 1);
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1)};
  F f;
  const F::Node x = f.input(0), y = f.input(1), common = f.apply(Scalar::bit_and, x, y);
  F::Node result = common;
  if (kind == Combined::any) result = f.add(x, f.subtract(y, common));
  if (kind == Combined::one) result = f.add(f.subtract(x, common), f.subtract(y, common));
  node.whole_result(0, node.build().elementwise(f.finish(result), operands), node.type_of(0),
                    kind == Combined::common ? common_bits(a, b) : same_bits(a, b));
}

// Every bit turned: -1 - x with a sign, the largest number less x without.
void invert(NodeImport& node) {
  const Bounds x = whole_operand(node, 0);
  const DataType type = node.type_of(0);
  const bool has_sign = bounds_of(type).least < 0;
  if (!has_sign && !wraps(type)) node.fail(fmt::format("of {}", data_type_name(type)), Refusal::not_yet);
  const std::int64_t turned = has_sign ? -1 : bounds_of(type).most;
  const graph::TensorId operand = node.tensor(0);
  F f;
  const F::Node root = f.subtract(f.constant(static_cast<float>(turned)), f.input(0));
  node.whole_result(0, node.build().elementwise(f.finish(root), std::span(&operand, 1)), type,
                    sum({turned, turned}, negated(x)));
}

// Times 2^places, which is exact. Places that the type does not have, and those below 0, leave what the sign
// alone leaves.
void shift(NodeImport& node) {
  const std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") node.fail(fmt::format("direction = '{}'", direction));
  const Bounds x = whole_operand(node, 0), places = whole_operand(node, 1);
  const DataType type = node.type_of(0);
  const auto width = static_cast<std::int64_t>(bits_of(type));
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1)};
  F f;
  const F::Node count = f.input(1);
  const F::Node there =
      f.multiply(at_most(f, f.constant(0), count), f.less(count, f.constant(static_cast<float>(width))));
  if (direction == "RIGHT") {
    const F::Node all = f.select(there, count, f.constant(static_cast<float>(2 * width)));
    const F::Node shifted =
        f.apply(Scalar::floor, f.multiply(f.input(0), f.apply(Scalar::exp2, f.negate(all))));
    return node.whole_result(0, node.build().elementwise(f.finish(shifted), operands), type,
                             {std::min<std::int64_t>(x.least, 0), std::max<std::int64_t>(x.most, 0)});
  }
  const F::Node factor = f.select(there, f.apply(Scalar::exp2, count), f.constant(0));
  F::Node shifted = f.multiply(f.input(0), factor);
  const std::int64_t farthest = std::int64_t{1}
                                << std::clamp<std::int64_t>(places.most, 0, width - 1 < 40 ? width - 1 : 40);
  Bounds bounds = both(product(x, {0, farthest}), {0, 0});
  if (wraps(type) && !holds(type, bounds)) {
    // Without the bits that leave the type: what is left has as few as the operand, so this is exact, too.
    const Bounds all = bounds_of(type);
    const F::Node turn = f.constant(static_cast<float>(all.most - all.least + 1));
    const F::Node from_least = f.subtract(shifted, f.constant(static_cast<float>(all.least)));
    shifted = f.subtract(shifted, f.multiply(turn, f.apply(Scalar::floor, f.divide(from_least, turn))));
    bounds = all;
  }
  node.whole_result(0, node.build().elementwise(f.finish(shifted), operands), type, bounds);
}

// The same bits as another type: of whole numbers as many with another sign, of known ones also FP32 numbers.
void reinterpret(NodeImport& node) {
  const auto to = static_cast<DataType>(node.integer("to", 0));
  const DataType from = node.type_of(0);
  const Known* known = node.known(0);
  if (bits_of(to) != bits_of(from))
    node.fail(fmt::format("from {} to {}, of other width", data_type_name(from), data_type_name(to)));
  const bool was_whole = !is_floating(from), is_whole_now = !is_floating(to);
  if (was_whole && is_whole_now && known == nullptr)
    return node.whole_result(0, node.tensor(0), to, whole_operand(node, 0));
  if (known == nullptr || (!was_whole && from != DataType::float32) ||
      (!is_whole_now && to != DataType::float32))
    node.fail(fmt::format("from {} to {}", data_type_name(from), data_type_name(to)), Refusal::not_yet);
  Known made;
  made.dims = known->dims, made.is_integer = is_whole_now, made.type = to;
  for (const std::int64_t value : known->integers)
    if (is_whole_now)
      made.integers.push_back(held(to, value));
    else
      made.floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(value)));
  for (const float value : known->floats)
    made.integers.push_back(held(to, std::bit_cast<std::int32_t>(value)));
  node.result(0, std::move(made));
}

constexpr OpRow bit_table[] = {
    {"BitCast", reinterpret},
    {"BitShift", shift},
    {"BitwiseAnd", combine<Combined::common>},
    {"BitwiseNot", invert},
    {"BitwiseOr", combine<Combined::any>},
    {"BitwiseXor", combine<Combined::one>},
};

}  // namespace

std::span<const OpRow> bit_rows() { return bit_table; }

}  // namespace dojo::onnx
