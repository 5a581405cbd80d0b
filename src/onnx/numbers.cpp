#include "onnx/numbers.h"

#include <algorithm>
#include <cstdlib>

namespace dojo::onnx {
namespace {

// clang-format off
constexpr OperatorRule rules[] = {
    {"Abs",             Rule::absolute},
    {"Adagrad",         Rule::own},
    {"Adam",            Rule::own},
    {"Add",             Rule::adds},
    {"And",             Rule::compares},
    {"ArgMax",          Rule::own},
    {"ArgMin",          Rule::own},
    {"Attention",       Rule::own},
    {"BitCast",         Rule::own},
    {"BitShift",        Rule::own},
    {"BitwiseAnd",      Rule::own},
    {"BitwiseNot",      Rule::own},
    {"BitwiseOr",       Rule::own},
    {"BitwiseXor",      Rule::own},
    {"Cast",            Rule::own},
    {"CastLike",        Rule::own},
    {"CenterCropPad",   Rule::moves_or_zero, 0, 1},
    {"Clip",            Rule::moves},
    {"Compress",        Rule::moves, 0, 1},
    {"Concat",          Rule::moves},
    {"ConvInteger",     Rule::own},
    {"CumProd",         Rule::own},
    {"CumSum",          Rule::own},
    {"DepthToSpace",    Rule::moves},
    {"DequantizeLinear", Rule::own},
    {"Div",             Rule::divides},
    {"DynamicQuantizeLinear", Rule::own},
    {"Equal",           Rule::compares},
    {"Expand",          Rule::moves, 0, 1},
    {"EyeLike",         Rule::own},
    {"Flatten",         Rule::moves},
    {"Gather",          Rule::moves, 0, 1},
    {"GatherElements",  Rule::moves, 0, 1},
    {"GatherND",        Rule::moves, 0, 1},
    {"Greater",         Rule::compares},
    {"GreaterOrEqual",  Rule::compares},
    {"Identity",        Rule::moves},
    {"If",              Rule::own},
    {"IsInf",           Rule::compares},
    {"IsNaN",           Rule::compares},
    {"Less",            Rule::compares},
    {"LessOrEqual",     Rule::compares},
    {"Loop",            Rule::own},
    {"MatMulInteger",   Rule::own},
    {"Max",             Rule::moves},
    {"MaxPool",         Rule::moves, 0, 1},
    {"Min",             Rule::moves},
    {"Mod",             Rule::divides_off},
    {"Momentum",        Rule::own},
    {"Mul",             Rule::multiplies},
    {"Neg",             Rule::negates},
    {"Not",             Rule::compares},
    {"OneHot",          Rule::own},
    {"Or",              Rule::compares},
    {"Pad",             Rule::own},
    {"Pow",             Rule::own},
    {"QLinearConv",     Rule::own},
    {"QLinearMatMul",   Rule::own},
    {"QuantizeLinear",  Rule::own},
    {"ReduceMax",       Rule::moves, 0, 1},
    {"ReduceMin",       Rule::moves, 0, 1},
    {"Relu",            Rule::moves_or_zero},
    {"Reshape",         Rule::moves, 0, 1},
    {"ReverseSequence", Rule::moves, 0, 1},
    {"Scan",            Rule::own},
    {"Sign",            Rule::sign},
    {"Slice",           Rule::moves, 0, 1},
    {"SpaceToDepth",    Rule::moves},
    {"Split",           Rule::moves, 0, 1},
    {"Squeeze",         Rule::moves, 0, 1},
    {"Sub",             Rule::subtracts},
    {"Sum",             Rule::adds},
    {"TensorScatter",   Rule::moves, 0, 2},
    {"Tile",            Rule::moves, 0, 1},
    {"TopK",            Rule::own},
    {"Transpose",       Rule::moves},
    {"Trilu",           Rule::moves_or_zero, 0, 1},
    {"Unsqueeze",       Rule::moves, 0, 1},
    {"Where",           Rule::moves, 1, 2},
    {"Xor",             Rule::compares},
};
// clang-format on

}  // namespace

Bounds both(const Bounds& a, const Bounds& b) {
  return {std::min(a.least, b.least), std::max(a.most, b.most)};
}

Bounds sum(const Bounds& a, const Bounds& b) { return {a.least + b.least, a.most + b.most}; }

Bounds product(const Bounds& a, const Bounds& b) {
  double least = far_away, most = -static_cast<double>(far_away);
  for (const std::int64_t x : {a.least, a.most})
    for (const std::int64_t y : {b.least, b.most}) {
      const double corner = static_cast<double>(x) * static_cast<double>(y);
      least = std::min(least, corner), most = std::max(most, corner);
    }
  const auto within = [](double value) {
    return static_cast<std::int64_t>(
        std::clamp(value, -static_cast<double>(far_away), static_cast<double>(far_away)));
  };
  return {within(least), within(most)};
}

Bounds negated(const Bounds& a) { return {-a.most, -a.least}; }

bool is_whole(DataType type) {
  switch (type) {
    case DataType::int2:
    case DataType::uint2:
    case DataType::int4:
    case DataType::uint4:
    case DataType::int8:
    case DataType::uint8:
    case DataType::int16:
    case DataType::uint16:
    case DataType::int32:
    case DataType::uint32:
    case DataType::int64:
    case DataType::uint64:
      return true;
    default:
      return false;
  }
}

Bounds bounds_of(DataType type) {
  switch (type) {
      // clang-format off
    case DataType::boolean: return {0, 1};
    case DataType::int2:    return {-2, 1};
    case DataType::uint2:   return {0, 3};
    case DataType::int4:    return {-8, 7};
    case DataType::uint4:   return {0, 15};
    case DataType::int8:    return {-128, 127};
    case DataType::uint8:   return {0, 255};
    case DataType::int16:   return {-32768, 32767};
    case DataType::uint16:  return {0, 65535};
    case DataType::uint32:
    case DataType::uint64:  return {0, largest_whole};
    default:                return {-largest_whole, largest_whole};
      // clang-format on
  }
}

bool holds(DataType type, const Bounds& bounds) {
  const Bounds held = bounds_of(type);
  if (bounds == cut_numbers) return is_whole(type) && !wraps(type);
  return bounds.least >= held.least && bounds.most <= held.most;
}

bool wraps(DataType type) { return bounds_of(type).most < largest_whole && type != DataType::boolean; }

const OperatorRule& rule_of(std::string_view op) {
  static constexpr OperatorRule none{"", Rule::none};
  const auto* found = std::ranges::find(rules, op, &OperatorRule::op);
  return found == std::end(rules) ? none : *found;
}

Bounds bounds_after(Rule rule, const Bounds& a, const Bounds& b) {
  const std::int64_t far = std::max(std::abs(a.least), std::abs(a.most));
  const std::int64_t near = a.least <= 0 && a.most >= 0 ? 0 : std::min(std::abs(a.least), std::abs(a.most));
  const std::int64_t divisor = std::max(std::abs(b.least), std::abs(b.most));
  switch (rule) {
    case Rule::compares:
      return {0, 1};
    case Rule::adds:
      return sum(a, b);
    case Rule::subtracts:
      return sum(a, negated(b));
    case Rule::multiplies:
      return product(a, b);
    case Rule::divides:
      return {a.least >= 0 && b.least >= 0 ? 0 : -far, far};
    case Rule::divides_off:
      return {std::max(-divisor, std::min({a.least, b.least, std::int64_t{0}})),
              std::min(divisor, std::max({a.most, b.most, std::int64_t{0}}))};
    case Rule::negates:
      return negated(a);
    case Rule::absolute:
      return {near, far};
    case Rule::sign:
      return {-1, 1};
    case Rule::moves_or_zero:
      return both(both(a, b), {0, 0});
    default:
      return both(a, b);
  }
}

}  // namespace dojo::onnx
