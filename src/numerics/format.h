// Number formats, and exact conversion between them.
//
// Everything is described by a FormatSpec; bf16, fp16, OFP8 and Tesla's CFloat8 / CFloat16 (source: "A Guide
// to Tesla's Configurable Floating Point Formats & Arithmetic", the white paper) are constants of it. Values
// travel as FP32, of which each narrower format is a subset. Where the white paper is silent or contradicts
// itself the choice is a field of the spec; docs/notes/008-formats.md lists them.
//
// widen and round are the definition; the bulk conversions of convert.h answer to them.
#pragma once

#include <cstdint>
#include <string_view>

namespace dojo::numerics {

enum class Format : std::uint8_t {
  fp32,
  bf16,
  fp16,
  cfloat8_143,
  cfloat8_152,  // 6-bit bias kept outside the number
  cfloat16_shp,
  cfloat16_uhp,
  e4m3,
  e5m2,  // OFP8, for XSfmm
  u8,
  i32,  // integers: exact values, no rounding rules beyond saturation
};

std::string_view name(Format format);   // "bf16", "cfloat8_143"...
unsigned storage_bytes(Format format);  // 4, 2 or 1

// What the codes with the largest exponent field mean.
enum class TopExponent : std::uint8_t {
  ordinary,  // numbers like all others: no infinity, no NaN (Tesla's formats)
  ieee,      // infinity and NaNs
  last_nan,  // numbers, except that the all-ones code is NaN (OFP8 E4M3)
};

// The value of a code whose exponent field is 0 and whose fraction is 0.m.
enum class Denormals : std::uint8_t {
  gradual,  // 0.m x 2^(1 - bias): the grid of the smallest normals continues to zero
  printed,  // 0.m x 2^(-bias), as the white paper prints it: a hole lies below the smallest normal
};

// Where a finite value beyond the largest number goes, and an infinity with it.
enum class Overflow : std::uint8_t { clamp, infinity };

// A NaN in a format that has none becomes the largest number; the sign is a choice.
enum class NanSign : std::uint8_t { positive, kept };

enum class NegativeZero : std::uint8_t { kept, positive };

// Underflow is raised for an inexact result that is tiny, that is below the smallest normal: as a result
// rounded with unbounded exponent (after), or as the operand itself (before).
enum class Tininess : std::uint8_t { after_rounding, before_rounding };

struct FormatSpec {
  std::uint8_t sign_bits, exponent_bits, fraction_bits;
  std::int16_t bias;  // value of a normal code: 1.m x 2^(E - bias)
  TopExponent top = TopExponent::ieee;
  Overflow overflow = Overflow::infinity;
  Denormals denormals = Denormals::gradual;
  NanSign nan_sign = NanSign::positive;
  NegativeZero negative_zero = NegativeZero::kept;
  Tininess tininess = Tininess::after_rounding;

  constexpr unsigned bits() const { return sign_bits + exponent_bits + fraction_bits; }
  constexpr std::uint32_t sign_mask() const {
    return sign_bits ? std::uint32_t{1} << (exponent_bits + fraction_bits) : 0;
  }
  constexpr std::uint32_t magnitude_mask() const {
    return static_cast<std::uint32_t>((std::uint64_t{1} << (exponent_bits + fraction_bits)) - 1);
  }
  constexpr std::uint32_t infinity() const {  // only of TopExponent::ieee
    return magnitude_mask() >> fraction_bits << fraction_bits;
  }
  constexpr std::uint32_t largest() const {  // the code of the largest number
    return top == TopExponent::ordinary ? magnitude_mask()
           : top == TopExponent::ieee   ? infinity() - 1
                                        : magnitude_mask() - 1;
  }
};

// clang-format off
inline constexpr FormatSpec fp32   {1, 8, 23, 127};
inline constexpr FormatSpec bf16   {1, 8,  7, 127};
inline constexpr FormatSpec fp16   {1, 5, 10,  15};
inline constexpr FormatSpec e4m3   {1, 4,  3,   7, TopExponent::last_nan, Overflow::clamp};
inline constexpr FormatSpec e5m2   {1, 5,  2,  15, TopExponent::ieee,     Overflow::clamp};
// `bias` of the first three is the unsigned 6-bit number, 0..63, that the machine keeps beside the data.
constexpr FormatSpec cfloat8_143 (int bias = 7)  { return {1, 4,  3, static_cast<std::int16_t>(bias), TopExponent::ordinary, Overflow::clamp}; }
constexpr FormatSpec cfloat8_152 (int bias = 15) { return {1, 5,  2, static_cast<std::int16_t>(bias), TopExponent::ordinary, Overflow::clamp}; }
constexpr FormatSpec cfloat16_shp(int bias = 15) { return {1, 5, 10, static_cast<std::int16_t>(bias), TopExponent::ordinary, Overflow::clamp}; }
// No sign; negative operands become 0 and raise Invalid. The paper does not say whether the top exponent is reserved.
constexpr FormatSpec cfloat16_uhp(TopExponent top = TopExponent::ordinary) { return {0, 6, 10, 31, top, Overflow::clamp}; }
// clang-format on

// The spec of a floating format at its default bias (7, 15, 15, 31). Not for u8 and i32.
FormatSpec spec_of(Format format);

// The white paper's four exceptions, as a set of bits.
enum Flag : std::uint8_t {
  flag_invalid = 1,    // a NaN operand, or a negative operand of an unsigned format
  flag_denormal = 2,   // the operand is denormal in its own format
  flag_overflow = 4,   // the rounded value exceeds the largest number (infinities included)
  flag_underflow = 8,  // inexact and tiny
};

// How to round. Stochastic: away from zero with probability (distance to the neighbour below) / (distance
// between neighbours), that is when `random` < floor(that ratio x 2^32); exact for every residual of 32 bits
// or fewer, and values on the grid never move.
struct Rounding {
  bool stochastic = false;
  std::uint32_t random = 0;  // uniform

  static constexpr Rounding nearest_even() { return {}; }
  static constexpr Rounding with(std::uint32_t random_bits) { return {true, random_bits}; }
};

struct Rounded {
  std::uint32_t code = 0;
  std::uint8_t flags = 0;  // of Flag
};

// The exact value of a code; bits above spec.bits() are ignored. A NaN code gives the canonical NaN
// 0x7fc00000.
float widen(std::uint32_t code, const FormatSpec& spec);

// A NaN becomes the canonical NaN (positive, quiet, no payload) where the format has one.
Rounded round(float value, const FormatSpec& spec, Rounding rounding = Rounding::nearest_even());

// Code with exponent field 0 and fraction not 0: an operand that raises flag_denormal when it is widened.
bool is_denormal(std::uint32_t code, const FormatSpec& spec);

// The value that `value` has after being stored in `format` (nearest even, default bias) and read back. u8
// and i32: the nearest integer, ties to even, saturated; NaN becomes 0. (i32 beyond 2^24 saturates at the
// largest float below 2^31.)
float round_to(Format format, float value);

}  // namespace dojo::numerics
