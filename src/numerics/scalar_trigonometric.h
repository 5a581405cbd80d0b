// Circular functions and their inverses, computed in double, of arguments of any size.
#pragma once

#include "numerics/scalar_double.h"

namespace dojo::scalar {

// |x| = whole * pi / 2 + rest, |rest| <= pi / 4, for finite x; of whole only the low bits count.
struct Quarters {
  uint64_t whole;
  double rest;
};

// After Payne and Hanek: |x| = significand * 2^(field - 150), and of 2 / pi only the bits of weights from 2
// down to 2^-93 matter to the product modulo 4. They are a window into the text of 2 / pi, here behind 26
// zeros for the smallest |x|, 1/2, below which all is rest. The product is exact to 2^-61; the FP32 number
// next to a multiple of pi / 2 leaves a rest of 2^-30.
inline Quarters quarters(float x) {
  const uint64_t bits = to_bits(x) & 0x7fffffffu;
  const uint64_t field = bits >> 23;
  const uint64_t significand = (bits & 0x7fffffu) | 0x800000u;
  const bool is_small = field < 126u;
  const uint64_t start = is_small ? 0u : field - 126u;
  const uint64_t word = start >> 6, place = start & 63u;
  const uint64_t text0 = 0x00000028be60db93u, text1 = 0x91054a7f09d5f47du, text2 = 0x4d377036d8a5664fu,
                 text3 = 0x10e4107f9458eaf7u, text4 = 0xaef1586dc91b8e90u;
  const uint64_t first = word == 0u ? text0 : word == 1u ? text1 : text2;
  const uint64_t second = word == 0u ? text1 : word == 1u ? text2 : text3;
  const uint64_t third = word == 0u ? text2 : word == 1u ? text3 : text4;
  const uint64_t high = (first << place) | (second >> 1 >> (63u - place));
  const uint64_t low = ((second << place) | (third >> 1 >> (63u - place))) >> 32;
  const uint64_t product =
      significand * high + ((significand * low) >> 32);  // in 2^-62 of a quarter, modulo 4
  const uint64_t whole = (product + (uint64_t{1} << 61)) >> 62;
  const double unit = 0x1.921fb54442d18p-62;  // pi / 2 * 2^-62
  const double rest = static_cast<double>(static_cast<int64_t>(product - (whole << 62))) * unit;
  return {is_small ? 0u : whole, is_small ? static_cast<double>(absolute(x)) : rest};
}

inline double sine_within_quarter(double r) {
  const double z = r * r;
  return r + r * z *
                 polynomial(z, -2.4805611712122475e-08, 2.7555990664728974e-06, -0.00019841266916110632,
                            0.008333333331078323, -0.16666666666663885);
}
inline double cosine_within_quarter(double r) {
  const double z = r * r;
  return 1.0 + z * polynomial(z, -2.7237108576245085e-07, 2.4799861846361453e-05, -0.0013888885090262895,
                              0.041666666637384386, -0.49999999999963873);
}

// The sine of the rest after so many quarters.
inline float sine_of(Quarters parts) {
  const double sine = sine_within_quarter(parts.rest), cosine = cosine_within_quarter(parts.rest);
  const float value = static_cast<float>((parts.whole & 1u) != 0u ? cosine : sine);
  return from_bits(to_bits(value) ^ static_cast<uint32_t>((parts.whole & 2u) << 30));
}

inline float finite_or_nan(float x, float value) {
  return absolute(x) < from_bits(0x7f800000u) ? value : from_bits(0x7fc00000u);
}

inline float sin(float x) {
  const float value = sine_of(quarters(x));
  return finite_or_nan(x, from_bits(to_bits(value) ^ (to_bits(x) & 0x80000000u)));
}
inline float cos(float x) {
  const Quarters parts = quarters(x);
  return finite_or_nan(x, sine_of({parts.whole + 1u, parts.rest}));
}
inline float tan(float x) {
  const Quarters parts = quarters(x);
  const double sine = sine_within_quarter(parts.rest), cosine = cosine_within_quarter(parts.rest);
  const bool is_odd = (parts.whole & 1u) != 0u;
  const float value = static_cast<float>((is_odd ? -cosine : sine) / (is_odd ? sine : cosine));
  return finite_or_nan(x, from_bits(to_bits(value) ^ (to_bits(x) & 0x80000000u)));
}

// sqrt(1 - x^2), 0 beyond 1.
inline double other_leg(double a) {
  const double square = (1.0 - a) * (1.0 + a);
  return __builtin_sqrt(square < 0.0 ? 0.0 : square);
}
inline float asin(float x) {
  const double a = absolute(x);
  const float value = copy_sign(static_cast<float>(angle(a, other_leg(a))), x);
  return a > 1.0 ? from_bits(0x7fc00000u) : value;
}
inline float acos(float x) {
  const double a = absolute(x), acute = angle(other_leg(a), a);
  const float value = static_cast<float>(x < 0.0f ? pi - acute : acute);
  return a > 1.0 ? from_bits(0x7fc00000u) : value;
}

// The angle of the point (x, y) in (-pi, pi], with the sign of y: also where x or y is 0, -0 or infinite.
inline float atan2(float y, float x) {
  const float infinity = from_bits(0x7f800000u);
  const bool both_infinite = absolute(x) == infinity && absolute(y) == infinity;
  const double a = both_infinite ? 1.0f : absolute(x), b = both_infinite ? 1.0f : absolute(y);
  const double acute = angle(b, a);
  const double turned = (to_bits(x) >> 31) != 0u ? pi - acute : acute;
  const float value = copy_sign(static_cast<float>(turned), y);
  return x != x || y != y ? x + y : value;
}

}  // namespace dojo::scalar
