#include "onnx/narrow.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/expression.h"

namespace dojo::onnx {
namespace {

using numerics::Overflow;
using numerics::TopExponent;

// clang-format off
constexpr NarrowType types[] = {
    {DataType::float16,        numerics::fp16},
    {DataType::bfloat16,       numerics::bf16},
    {DataType::float8e4m3fn,   numerics::e4m3},
    {DataType::float8e4m3fnuz, {1, 4, 3,  8, TopExponent::ordinary, Overflow::clamp}, true},
    {DataType::float8e5m2,     numerics::e5m2},
    {DataType::float8e5m2fnuz, {1, 5, 2, 16, TopExponent::ordinary, Overflow::clamp}, true},
    {DataType::float4e2m1,     {1, 2, 1,  1, TopExponent::ordinary, Overflow::clamp}},
};
// clang-format on

}  // namespace

const NarrowType* narrow_type(DataType type) {
  const auto* found = std::ranges::find(types, type, &NarrowType::type);
  return found == std::end(types) ? nullptr : found;
}

float value_of(std::uint32_t code, const NarrowType& type) {
  if (type.zero_is_nan && code == type.spec.sign_mask()) return std::numeric_limits<float>::quiet_NaN();
  return numerics::widen(code, type.spec);
}

graph::Expression rounding_to(const NarrowType& type, bool saturates) {
  using graph::Scalar;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const numerics::FormatSpec& spec = type.spec;
  graph::Formula f;
  const auto x = f.input(0), size = f.apply(Scalar::absolute, x);
  auto rounded = f.apply(Scalar::round_bits, size, f.constant(static_cast<float>(23 - spec.fraction_bits)));
  if (spec.exponent_bits < 8) {  // below the smallest normal number all lie on its grid
    const float smallest = std::ldexp(1.0f, 1 - spec.bias);
    const auto grid = f.constant(std::ldexp(1.5f, 23 - spec.fraction_bits + 1 - spec.bias));
    rounded = f.select(f.less(size, f.constant(smallest)), f.subtract(f.add(size, grid), grid), rounded);
  }
  const float largest = numerics::widen(spec.largest(), spec);
  const bool has_infinity = spec.top == TopExponent::ieee;
  const float beyond = saturates      ? largest
                       : has_infinity ? infinity
                                      : std::numeric_limits<float>::quiet_NaN();
  rounded = f.select(f.less(f.constant(largest), rounded), f.constant(beyond), rounded);
  const auto with_sign = f.select(f.less(x, f.constant(0)), f.negate(rounded), rounded);
  const auto result = f.select(f.apply(Scalar::equal, x, f.constant(0)), x, with_sign);
  // What float4 makes of NaN, which it has not, the standard leaves open; its cases have a zero.
  const bool has_nan = type.zero_is_nan || spec.top != TopExponent::ordinary;
  return f.finish(has_nan ? result : f.select(f.apply(Scalar::equal, x, x), result, f.constant(-0.0f)));
}

}  // namespace dojo::onnx
