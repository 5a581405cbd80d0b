// CFloat8 as a storage type: a byte that converts from and to float, with the bias in the type.
//
// The conversions are the definition's (src/numerics/format.h): round to nearest even, gradual denormals,
// clamping, NaN to the largest positive number, -0 kept. They are branch-free integer code, so that a loop
// over them becomes vector code.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace dojo {

template <unsigned fraction_bits, unsigned bias>
struct Cfloat8 {
  static_assert((fraction_bits == 2 || fraction_bits == 3) && bias < 64);
  uint8_t code = 0;

  Cfloat8() = default;

  explicit Cfloat8(float value) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, value), magnitude = bits & 0x7fffffffu;
    // Normal: round the fraction in place. Denormal: let the adder round, against a number whose last place
    // is the smallest denormal.
    constexpr unsigned shift = 23 - fraction_bits;
    const uint32_t normal = ((magnitude + ((1u << (shift - 1)) - 1) + ((magnitude >> shift) & 1u)) >> shift) -
                            ((127 - bias) << fraction_bits);
    constexpr uint32_t unit_bits = (127 + 24 - bias - fraction_bits) << 23;
    const float sum = __builtin_bit_cast(float, magnitude) + __builtin_bit_cast(float, unit_bits);
    const uint32_t denormal = __builtin_bit_cast(uint32_t, sum) - unit_bits;
    const uint32_t rounded = magnitude < (128 - bias) << 23 ? denormal : normal;
    const uint32_t clamped = rounded > 0x7f ? 0x7f : rounded;
    const uint32_t sign = magnitude > 0x7f800000u ? 0 : bits >> 24 & 0x80;
    code = static_cast<uint8_t>(clamped | sign);
  }

  // The fields, moved to a float's, are the number times 2^(bias - 127), denormals (of both) included.
  explicit operator float() const {
    constexpr unsigned shift = 23 - fraction_bits;
    constexpr uint32_t fields = 0x80000000u | 0x7fu << shift, factor_bits = (127 + 127 - bias) << 23;
    const uint32_t extended = static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(code)));
    return __builtin_bit_cast(float, extended << shift & fields) * __builtin_bit_cast(float, factor_bits);
  }
};

// At the biases that tensors have by default.
using cfloat8_143 = Cfloat8<3, 7>;
using cfloat8_152 = Cfloat8<2, 15>;

template <unsigned fraction_bits, unsigned bias>
void to_cfloat8(Cfloat8<fraction_bits, bias>* __restrict destination, const float* __restrict source,
                size_t count) {
  for (size_t i = 0; i < count; ++i) destination[i] = Cfloat8<fraction_bits, bias>(source[i]);
}

template <unsigned fraction_bits, unsigned bias>
void to_float(float* __restrict destination, const Cfloat8<fraction_bits, bias>* __restrict source,
              size_t count) {
  for (size_t i = 0; i < count; ++i) destination[i] = static_cast<float>(source[i]);
}

}  // namespace dojo
