// Powers, logarithms, hyperbolic functions and their inverses, computed in double. What overflows FP32
// becomes infinite, what underflows is rounded once, when the result is converted.
#pragma once

#include "numerics/scalar_double.h"

namespace dojo::scalar {

inline float exp2(float x) { return static_cast<float>(power_of_two(x).value()); }

inline float expm1(float x) { return copy_sign(static_cast<float>(power_of_two(x * log2_e).less_one()), x); }

// The logarithm of x as binary_logarithm gives it, NaN below 0.
inline double signed_binary_logarithm(float x) {
  const double value = binary_logarithm(x);
  return x < 0.0f ? __builtin_nan("") : value;
}
inline float log2(float x) { return static_cast<float>(signed_binary_logarithm(x)); }
inline float log10(float x) { return static_cast<float>(signed_binary_logarithm(x) * log10_2); }

inline float log1p(float x) {
  const float value = copy_sign(static_cast<float>(logarithm_of_one_plus(x)), x);
  return x < -1.0f ? from_bits(0x7fc00000u) : value;
}

// With m = e^|x| - 1 neither loses its small values.
inline float sinh(float x) {
  const double m = power_of_two(absolute(x) * log2_e).less_one();
  return copy_sign(static_cast<float>(0.5 * (m + m / (m + 1.0))), x);
}
inline float cosh(float x) {
  const double grown = power_of_two(absolute(x) * log2_e).value();
  return static_cast<float>(0.5 * (grown + 1.0 / grown));
}

// log(a + sqrt(a^2 + 1)) with the 1 taken out of the argument.
inline float asinh(float x) {
  const double a = absolute(x), square = a * a;
  const float value =
      static_cast<float>(logarithm_of_one_plus(a + square / (1.0 + __builtin_sqrt(1.0 + square))));
  return absolute(x) < from_bits(0x7f800000u) ? copy_sign(value, x) : x;
}

// log(x + sqrt(x^2 - 1)) by what x has over 1.
inline float acosh(float x) {
  const double over = x - 1.0, bounded = over < 0.0 ? 0.0 : over;
  const double value = logarithm_of_one_plus(bounded + __builtin_sqrt(bounded * (bounded + 2.0)));
  return x < 1.0f ? from_bits(0x7fc00000u) : static_cast<float>(value);
}

inline float atanh(float x) {
  const double a = absolute(x), bounded = a > 1.0 ? 1.0 : a;
  const double value = 0.5 * logarithm_of_one_plus(2.0 * bounded / (1.0 - bounded));
  return a > 1.0 ? from_bits(0x7fc00000u) : copy_sign(static_cast<float>(value), x);
}

// x to the power y as C and IEEE 754 have it: x^0 = 1^y = 1, also of NaN; (-1)^(+-infinity) = 1; of a
// negative x only whole powers are defined, and the odd ones are negative, also those of -0 and -infinity.
[[gnu::always_inline]] inline float pow(float x, float y) {
  const float a = absolute(x), half = 0.5f * y;
  const bool is_whole = trunc(y) == y, is_odd = is_whole && trunc(half) != half;
  const bool is_below =
      to_bits(x) - 0x80000001u < 0x7f7fffffu;  // finite x < 0, said so that it stays vector code
  const double exponent = a == 1.0f || y == 0.0f ? 0.0 : binary_logarithm(a) * y;
  const float magnitude = static_cast<float>(power_of_two(exponent).value());
  const float value = is_odd ? copy_sign(magnitude, x) : magnitude;
  return is_below && !is_whole ? from_bits(0x7fc00000u) : value;
}

}  // namespace dojo::scalar
