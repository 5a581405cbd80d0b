// Elementary functions in FP32 alone. Each reduces its argument exactly or with two constants, then evaluates
// a polynomial that interpolates the true function at Chebyshev nodes of the reduced range.
#pragma once

#include "numerics/scalar_arithmetic.h"

namespace dojo::scalar {

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2. 2^n is applied in two exact factors, so that the
// result is rounded once even where it is subnormal. Beyond the clamp the result is 0 or infinity anyway.
inline float exp(float x) {
  const float low = x < -104.0f ? -104.0f : x;
  const float clamped = low > 89.0f ? 89.0f : low;
  const float magic = 12582912.0f;  // 1.5 * 2^23: the sum's low bits are round(x / ln 2)
  const float shifted = fma(clamped, 1.44269502f, magic);
  const float n = shifted - magic;
  const float r = fma(n, -1.42860677e-06f, fma(n, -0.693145752f, clamped));
  float p = 0.000198912472f;
  p = fma(p, r, 0.00139338814f);
  p = fma(p, r, 0.00833331048f);
  p = fma(p, r, 0.041666463f);
  p = fma(p, r, 0.166666672f);
  p = fma(p, r, 0.5f);
  p = fma(p, r * r, r) + 1.0f;
  const int32_t power = static_cast<int32_t>(to_bits(shifted) - to_bits(magic));
  const int32_t half = power >> 1;
  const uint32_t rest = static_cast<uint32_t>(power) - static_cast<uint32_t>(half);
  const float factor1 = from_bits((static_cast<uint32_t>(half) + 127u) << 23);
  const float factor2 = from_bits((rest + 127u) << 23);
  return p * factor1 * factor2;
}

// log x = e ln 2 + log(1 + f) with 1 + f in [sqrt 1/2, sqrt 2).
inline float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float normal = tiny ? x * 8388608.0f : x;
  const uint32_t offset = to_bits(normal) - 0x3f3504f3u;  // bits of sqrt 1/2
  const float exponent = static_cast<float>(static_cast<int32_t>(offset) >> 23);
  const float e = tiny ? exponent - 23.0f : exponent;
  const float f = from_bits((offset & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = 0.0697427541f;
  p = fma(p, f, -0.114818826f);
  p = fma(p, f, 0.116854988f);
  p = fma(p, f, -0.124254234f);
  p = fma(p, f, 0.142490223f);
  p = fma(p, f, -0.166678116f);
  p = fma(p, f, 0.20000717f);
  p = fma(p, f, -0.24999997f);
  p = fma(p, f, 0.333333313f);
  const float square = f * f;
  const float tail = fma(e, 1.42860677e-06f, fma(square * f, p, -0.5f * square));
  const float finite = fma(e, 0.693145752f, f + tail);
  const float infinity = from_bits(0x7f800000u), nan = from_bits(0x7fc00000u);
  const float positive = x < infinity ? finite : x;  // infinity and NaN stay
  const float defined = x < 0.0f ? nan : positive;
  return x == 0.0f ? -infinity : defined;
}

// |x| < 0.63: odd polynomial; else 1 - 2 / (e^2|x| + 1).
inline float tanh(float x) {
  const float a = absolute(x), z = x * x;
  float p = 0.00226923614f;
  p = fma(p, z, -0.00832289364f);
  p = fma(p, z, 0.021762386f);
  p = fma(p, z, -0.0539584421f);
  p = fma(p, z, 0.133332998f);
  p = fma(p, z, -0.333333343f);
  const float small = fma(p * z, a, a);
  const float large = 1.0f - 2.0f / (exp(2.0f * a) + 1.0f);
  return copy_sign(a < 0.63f ? small : large, x);
}

// With e = e^-|x| <= 1 neither side loses its small values: 1 / (1 + e) for x >= 0, e / (1 + e) below.
inline float sigmoid(float x) {
  const float e = exp(-absolute(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// |x| < 0.92: odd polynomial; else 1 - e^-q(|x|) with q a polynomial for -log(1 - erf), and 1 from 4 on.
inline float erf(float x) {
  const float a = absolute(x), z = x * x;
  float p = 8.3867053e-05f;
  p = fma(p, z, -0.00081469788f);
  p = fma(p, z, 0.00520144543f);
  p = fma(p, z, -0.0268595833f);
  p = fma(p, z, 0.112836994f);
  p = fma(p, z, -0.376126349f);
  p = fma(p, z, 0.128379167f);
  const float small = fma(p, a, a);
  const float b = a > 4.0f ? 4.0f : a;
  float q = -1.64306368e-06f;
  q = fma(q, b, 4.61638592e-05f);
  q = fma(q, b, -0.000597585749f);
  q = fma(q, b, 0.00476262579f);
  q = fma(q, b, -0.0264276378f);
  q = fma(q, b, 0.110087164f);
  q = fma(q, b, 0.631823897f);
  q = fma(q, b, 1.13023102f);
  q = fma(q, b, -0.000318539649f);
  const float large = 1.0f - exp(-q);
  return copy_sign(a < 0.92f ? small : large, x);
}

// atan|x| = base + atan t with |t| <= tan(pi / 8): t = (|x| - 1) / (|x| + 1) about 1, and -1 / |x| far out.
// Of the base, pi / 4 or pi / 2, what FP32 cannot hold is added to the small part.
inline float atan(float x) {
  const float a = absolute(x);
  const bool far = a > 2.41421366f, middle = a > 0.414213568f;
  const float t = (far ? -1.0f : middle ? a - 1.0f : a) / (far ? a : middle ? a + 1.0f : 1.0f);
  const float base = far ? 1.57079637f : middle ? 0.785398185f : 0.0f;
  const float rest = far ? -4.37113883e-08f : middle ? -2.18556941e-08f : 0.0f;
  const float z = t * t;
  float p = -0.064517185f;
  p = fma(p, z, 0.10743669f);
  p = fma(p, z, -0.1426395f);
  p = fma(p, z, 0.1999954f);
  p = fma(p, z, -0.3333333f);
  return copy_sign(base + (fma(p * z, t, t) + rest), x);
}

}  // namespace dojo::scalar
