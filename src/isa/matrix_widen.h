// A row of a matrix operand, `tile_edge` elements of a narrow format, as FP32. Exact and without flags: a
// signalling NaN stays one, so that the step raises NV. Eight elements at a time in the compilers' own
// vectors, which every host has.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cstring>
#include <type_traits>

#include "isa/hart.h"

namespace dojo::isa {

constexpr unsigned widened_at_once = 8;
using WideBits [[gnu::vector_size(4 * widened_at_once)]] = std::uint32_t;
using WideFloats [[gnu::vector_size(4 * widened_at_once)]] = float;

// Eight elements from the first one on, zero-extended.
template <typename Code>
[[gnu::always_inline]] inline void load_codes(const std::uint8_t* from, unsigned first, WideBits& codes) {
  from += first * sizeof(Code);
#if defined(__AVX2__)  // compilers take the general way element by element
  __m256i wide;
  if constexpr (sizeof(Code) == 1)
    wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  else
    wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  codes = reinterpret_cast<WideBits>(wide);
#else
  using Codes [[gnu::vector_size(widened_at_once * sizeof(Code))]] = Code;
  Codes narrow;
  std::memcpy(&narrow, from, sizeof narrow);
  codes = __builtin_convertvector(narrow, WideBits);
#endif
}

struct Fp32 {
  void operator()(const std::uint8_t* from, float* to) const { std::memcpy(to, from, tile_edge * 4); }
};

struct Brain {
  void operator()(const std::uint8_t* from, float* to) const {
    for (unsigned i = 0; i < tile_edge; i += widened_at_once) {
      WideBits bits;
      load_codes<std::uint16_t>(from, i, bits);
      bits <<= 16;
      std::memcpy(to + i, &bits, sizeof bits);
    }
  }
};

// Formats of sign, exponent and fraction whose bias is half their exponents' number. A code's exponent and
// fraction in the places where FP32 has its own make a number that is 2^(127 - bias) too small, subnormal
// where the code is. From the code `special` on, the exponent becomes FP32's largest.
template <unsigned exponent_bits, unsigned fraction_bits, unsigned special, bool one_nan>
struct Narrow {
  void operator()(const std::uint8_t* from, float* to) const {
    constexpr unsigned magnitude_bits = exponent_bits + fraction_bits, bias = (1u << (exponent_bits - 1)) - 1;
    constexpr float scale = std::bit_cast<float>((127 + 127 - bias) << 23);
    constexpr std::uint32_t largest = one_nan ? 0x7fc00000 : 0x7f800000;
    using Code = std::conditional_t<magnitude_bits == 7, std::uint8_t, std::uint16_t>;
    for (unsigned i = 0; i < tile_edge; i += widened_at_once) {
      WideBits codes;
      load_codes<Code>(from, i, codes);
      const WideBits magnitude = codes & ((1u << magnitude_bits) - 1);
      const WideBits shifted = magnitude << (23 - fraction_bits);
      const auto number = reinterpret_cast<WideBits>(reinterpret_cast<WideFloats>(shifted) * scale);
      const auto is_special = reinterpret_cast<WideBits>(magnitude >= special);
      const WideBits sign = (codes >> magnitude_bits) << 31;
      const WideBits value = (is_special & (shifted | largest)) | (~is_special & number) | sign;
      std::memcpy(to + i, &value, sizeof value);
    }
  }
};

using Fp16 = Narrow<5, 10, 0x7c00, false>;
using E5m2 = Narrow<5, 2, 0x7c, false>;
using E4m3 = Narrow<4, 3, 0x7f, true>;  // no infinity, one NaN for each sign

}  // namespace dojo::isa
