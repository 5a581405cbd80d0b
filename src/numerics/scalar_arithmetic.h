// Exact and correctly rounded functions in FP32: bits, choosing, square roots, whole numbers, remainders.
#pragma once

#include <stdint.h>

namespace dojo::scalar {

inline float from_bits(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t to_bits(float value) { return __builtin_bit_cast(uint32_t, value); }
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float absolute(float x) { return from_bits(to_bits(x) & 0x7fffffffu); }
inline float copy_sign(float magnitude, float sign) {
  return from_bits((to_bits(magnitude) & 0x7fffffffu) | (to_bits(sign) & 0x80000000u));
}

// Of two equal ones (0 and -0) b; NaN if either is.
inline float minimum(float a, float b) {
  return (static_cast<int>(a < b) | static_cast<int>(a != a)) != 0 ? a : b;
}
inline float maximum(float a, float b) {
  return (static_cast<int>(a > b) | static_cast<int>(a != a)) != 0 ? a : b;
}
// The same where the bound is no NaN: one comparison.
inline float at_most(float x, float bound) { return x >= bound ? bound : x; }
inline float at_least(float x, float bound) { return x <= bound ? bound : x; }
inline float relu(float x) { return x <= 0.0f ? 0.0f : x; }
// The same where a NaN has no sign, as RISC-V's arithmetic gives it: one integer instruction.
inline float relu_of_result(float x) {
  const auto bits = static_cast<int32_t>(to_bits(x));
  return from_bits(static_cast<uint32_t>(bits > 0 ? bits : 0));
}
inline float sqrt(float x) { return __builtin_sqrtf(x); }
inline float reciprocal(float x) { return 1.0f / x; }
inline float reciprocal_sqrt(float x) { return 1.0f / __builtin_sqrtf(x); }

// Rounding by addition: below 2^23 the sum with 2^23 has no fraction bits left. Beyond, x is an integer
// already.
inline float floor(float x) {
  const float shifted = copy_sign(8388608.0f, x);
  const float nearest = (x + shifted) - shifted;
  const float below = nearest > x ? nearest - 1.0f : nearest;
  return absolute(x) < 8388608.0f ? copy_sign(below, x) : x;
}

// Towards 0.
inline float trunc(float x) { return copy_sign(floor(absolute(x)), x); }

// x to `dropped` fewer bits of its fraction (1 to 23; others are taken for the nearest of these), halves to
// even, as if exponents had no end.
inline float round_bits(float x, float dropped) {
  const float held = dropped >= 1.0f ? (dropped <= 23.0f ? dropped : 23.0f) : 1.0f;
  const uint32_t bits = to_bits(x), count = static_cast<uint32_t>(held);
  const uint32_t below_half = (1u << (count - 1u)) - 1u, odd = (bits >> count) & 1u;
  const uint32_t rounded = (bits + below_half + odd) >> count << count;
  return absolute(x) < from_bits(0x7f800000u) ? from_bits(rounded) : x;
}

// The bits that both have, of whole numbers within +-2^24 in two's complement. Others count as 0, and a
// fraction is cut off.
inline int32_t whole_bits(float x) { return static_cast<int32_t>(absolute(x) <= 16777216.0f ? x : 0.0f); }
inline float bit_and(float a, float b) { return static_cast<float>(whole_bits(a) & whole_bits(b)); }

// (remainder * 2^places) mod divisor, both below 2^24.
inline uint64_t shifted_remainder(uint64_t remainder, uint32_t places, uint64_t divisor) {
  return (remainder << places) % divisor;
}

// What is left of x after as many whole y as fit, with the sign of x: exact. In units of y's last place x is
// its significand times 2^distance, at most 2^253, of which each step takes up to 40 places.
inline float fmod(float x, float y) {
  const float infinity = from_bits(0x7f800000u);
  const uint32_t x_bits = to_bits(x) & 0x7fffffffu, y_bits = to_bits(y) & 0x7fffffffu;
  const uint32_t x_field = x_bits >> 23, y_field = y_bits >> 23;
  const uint32_t x_exponent = x_field > 1u ? x_field : 1u, y_exponent = y_field > 1u ? y_field : 1u;
  const uint64_t significand = (x_bits & 0x7fffffu) | (x_field != 0u ? 0x800000u : 0u);
  const uint64_t of_y = (y_bits & 0x7fffffu) | (y_field != 0u ? 0x800000u : 0u);
  const uint64_t divisor = of_y != 0u ? of_y : 1u;
  uint32_t distance = x_exponent > y_exponent ? x_exponent - y_exponent : 0u;
  uint64_t rest = significand % divisor;
  for (int step = 0; step < 7; ++step) {
    const uint32_t places = distance < 40u ? distance : 40u;
    rest = shifted_remainder(rest, places, divisor);
    distance -= places;
  }
  const double unit =
      __builtin_bit_cast(double, static_cast<uint64_t>(y_exponent + 1023u - 150u) << 52);  // y's last place
  const float magnitude = static_cast<float>(static_cast<double>(static_cast<int64_t>(rest)) * unit);
  const bool is_defined = absolute(x) < infinity && absolute(y) <= infinity && y != 0.0f;
  const float reduced = x_bits < y_bits ? x : copy_sign(magnitude, x);
  return is_defined ? reduced : from_bits(0x7fc00000u);
}

// The same with the sign of y, as x - y * floor(x / y) would be without rounding; rounded once, where the
// signs of x and y differ. ONNX and Python give a remainder 0 the sign of y, too (PyTorch leaves it x's).
inline float remainder(float x, float y) {
  const float rest = fmod(x, y);
  const bool other_side = ((to_bits(rest) ^ to_bits(y)) >> 31) != 0u;
  const float moved = other_side ? rest + y : rest;
  return rest == 0.0f ? copy_sign(rest, y) : moved;
}

}  // namespace dojo::scalar
