// How far a result in FP32 is from the true value.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace dojo::scalar {

// In units of the last place of the true value's binade (subnormal ones: of the smallest subnormal). Of a
// true value that is no finite FP32 number, and of a zero's sign, infinity unless the result is the same.
inline double error_in_last_places(float result, double truth) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(truth)) return std::isnan(result) ? 0 : wrong;
  if (std::isnan(result) || std::signbit(result) != std::signbit(truth)) return wrong;
  if (std::fabs(truth) >= 0x1.ffffffp127) return result == static_cast<float>(truth) ? 0 : wrong;
  const int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
  return std::fabs(static_cast<double>(result) - truth) * std::ldexp(1.0, 23 - exponent);
}

}  // namespace dojo::scalar
