// What the functions that compute in double are made of: powers of two, logarithms and angles with relative
// errors below 2^-40, so that a result rounded to FP32 is at most 0.501 units in the last place off.
#pragma once

#include "numerics/scalar_arithmetic.h"

namespace dojo::scalar {

inline double double_from_bits(uint64_t bits) { return __builtin_bit_cast(double, bits); }
inline uint64_t double_to_bits(double value) { return __builtin_bit_cast(uint64_t, value); }

inline constexpr double log_2 = 0.6931471805599453, log2_e = 1.4426950408889634, log10_2 = 0.3010299956639812,
                        log10_e = 0.4342944819032518, pi = 3.141592653589793;

// A polynomial in x, its coefficients from the highest power down, by Horner's rule.
inline double polynomial(double, double value) { return value; }
template <class... Rest>
inline double polynomial(double x, double value, double next, Rest... rest) {
  return polynomial(x, value * x + next, rest...);
}

// 2^t = factor * (1 + excess), |excess| < 0.42, the factor a power of two; t is held within +-1000. A NaN
// gives an excess that is one.
struct Power {
  double factor, excess;
  double value() const { return factor + factor * excess; }
  double less_one() const { return factor * excess + (factor - 1.0); }  // to the last places near t = 0, too
};
inline Power power_of_two(double exponent) {
  const double low = exponent < -1000.0 ? -1000.0 : exponent;
  const double t = low > 1000.0 ? 1000.0 : low;
  const double magic = 0x1.8p52;  // the sum's low bits are round(t)
  const double shifted = t + magic;
  const double f = t - (shifted - magic);
  const double excess =
      f * polynomial(f, 1.0203121063391729e-07, 1.3255224878668817e-06, 1.525268684626772e-05,
                     0.00015403455852453838, 0.0013333558179043112, 0.009618129159402558,
                     0.055504108664760424, 0.2402265069581299, 0.6931471805599453);
  return {double_from_bits((double_to_bits(shifted) + 1023u) << 52), excess};
}

// v = 2^exponent * (1 + fraction) with 1 + fraction in [sqrt 1/2, sqrt 2), for normal v > 0.
struct Binade {
  double exponent, fraction;
};
inline Binade binade(double v) {
  const uint64_t root = 0x3fe6a09e667f3bcdu;  // bits of sqrt 1/2
  const uint64_t offset = double_to_bits(v) - root;
  return {static_cast<double>(static_cast<int64_t>(offset) >> 52),
          double_from_bits((offset & 0x000fffffffffffffu) + root) - 1.0};
}

// log(1 + f) = 2 atanh(f / (2 + f)) for the fraction of a binade.
inline double log_of_fraction(double f) {
  const double s = f / (2.0 + f), z = s * s;
  return s * polynomial(z, 0.16837659970680488, 0.18121934431215214, 0.22223434547517906, 0.2857141602110767,
                        0.40000000061741614, 0.6666666666655292, 2.0);
}

// log2 v for v >= 0 that is no subnormal double.
inline double binary_logarithm(double v) {
  const double infinity = __builtin_inf();
  const Binade parts = binade(v);
  const double finite = parts.exponent + log_of_fraction(parts.fraction) * log2_e;
  const double positive = v < infinity ? finite : v;  // infinity and NaN stay
  return v == 0.0 ? -infinity : positive;
}

// log(1 + y) for y >= -1. Near 0 the fraction is y itself, of which 1 + y has lost places.
inline double logarithm_of_one_plus(double y) {
  const double infinity = __builtin_inf();
  const double sum = 1.0 + y;
  const Binade parts = binade(sum);
  const double fraction = parts.exponent == 0.0 ? y : parts.fraction;
  const double finite = parts.exponent * log_2 + log_of_fraction(fraction);
  const double positive = y < infinity ? finite : y;
  return y == -1.0 ? -infinity : positive;
}

// The angle of the point (x, y) in the first quadrant, 0 that of (0, 0); of both only one may be infinite.
// atan t for t <= tan(pi / 8), and above about pi / 4.
inline double angle(double y, double x) {
  const bool is_steep = y > x;
  const double large = is_steep ? y : x, small = is_steep ? x : y;
  const bool is_middle = small > 0.41421356237309503 * large;
  const double numerator = is_middle ? small - large : small;
  const double denominator = is_middle ? small + large : large;
  const double t = numerator / (denominator == 0.0 ? 1.0 : denominator), z = t * t;
  const double p = polynomial(z, -0.027229493655218973, 0.05168616250249889, -0.0655085023854286,
                              0.07681037484051574, -0.09090255377464372, 0.11111089626077861,
                              -0.14285713929925073, 0.1999999999772153, -0.3333333333333092);
  const double flat = (is_middle ? pi / 4 : 0.0) + (t + t * z * p);
  return is_steep ? pi / 2 - flat : flat;
}

}  // namespace dojo::scalar
