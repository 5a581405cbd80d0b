#include "numerics/format.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "numerics/convert.h"

namespace dojo::numerics {
namespace {

struct FormatRow {
  std::string_view name;
  unsigned bytes;
};

// In the order of enum Format.
constexpr std::array<FormatRow, 11> format_rows{{
    {"fp32", 4},
    {"bf16", 2},
    {"fp16", 2},
    {"cfloat8_143", 1},
    {"cfloat8_152", 1},
    {"cfloat16_shp", 2},
    {"cfloat16_uhp", 2},
    {"e4m3", 1},
    {"e5m2", 1},
    {"u8", 1},
    {"i32", 4},
}};

constexpr float canonical_nan = std::bit_cast<float>(0x7fc00000u);

double power_of_two(int exponent) { return std::ldexp(1.0, exponent); }

// The finite codes just below and above a magnitude, and where between them it lies: (position / span) of the
// way up.
struct Bracket {
  std::uint64_t below;  // may exceed the largest code: the grid is continued upwards without end
  double position, span;
};

// All arithmetic here is exact: a magnitude has 24 bits, and only powers of two are multiplied with.
Bracket bracket(double magnitude, const FormatSpec& spec) {
  const int fraction_bits = spec.fraction_bits;
  const int least_exponent = 1 - spec.bias;
  const double hidden = power_of_two(fraction_bits);
  if (magnitude >= power_of_two(least_exponent)) {
    const int exponent = std::ilogb(magnitude);
    const double scaled = magnitude * power_of_two(fraction_bits - exponent);  // in [hidden, 2 hidden)
    const double whole = std::floor(scaled);
    const auto field = static_cast<std::uint64_t>(exponent - least_exponent);
    return {(field << fraction_bits) + static_cast<std::uint64_t>(whole), scaled - whole, 1};
  }
  const bool printed = spec.denormals == Denormals::printed;
  const double scaled = magnitude * power_of_two(fraction_bits + spec.bias - (printed ? 0 : 1));
  const double last = hidden - 1;
  if (printed && scaled >= last) return {static_cast<std::uint64_t>(last), scaled - last, 2 * hidden - last};
  const double whole = std::floor(scaled);
  return {static_cast<std::uint64_t>(whole), scaled - whole, 1};
}

bool goes_up(const Bracket& at, Rounding rounding) {
  if (rounding.stochastic) return rounding.random < std::floor(at.position * 0x1p32 / at.span);
  const double twice = 2 * at.position;
  return twice > at.span || (twice == at.span && (at.below & 1) != 0);
}

// Tininess as IEEE 754 means it after rounding: would the value, rounded at full precision, still lie below
// the smallest normal?
bool is_tiny(double magnitude, const FormatSpec& spec, Rounding rounding) {
  const double least = power_of_two(1 - spec.bias);
  if (magnitude >= least) return false;
  if (spec.tininess == Tininess::before_rounding || magnitude < least / 2) return true;
  const double scaled = magnitude / least * power_of_two(spec.fraction_bits + 1);
  const Bracket at{static_cast<std::uint64_t>(scaled), scaled - std::floor(scaled), 1};
  const std::uint64_t rounded = at.below + (goes_up(at, rounding) ? 1 : 0);
  return rounded < std::uint64_t{2} << spec.fraction_bits;
}

std::uint32_t beyond_largest(const FormatSpec& spec) {
  if (spec.overflow == Overflow::clamp) return spec.largest();
  return spec.top == TopExponent::ieee ? spec.infinity() : spec.magnitude_mask();
}

std::uint32_t nan_code(bool negative, const FormatSpec& spec) {
  if (spec.top == TopExponent::ieee) return spec.infinity() | std::uint32_t{1} << (spec.fraction_bits - 1);
  if (spec.top == TopExponent::last_nan) return spec.magnitude_mask();
  return spec.largest() | (negative && spec.nan_sign == NanSign::kept ? spec.sign_mask() : 0);
}

}  // namespace

std::string_view name(Format format) { return format_rows.at(static_cast<std::size_t>(format)).name; }

unsigned storage_bytes(Format format) { return format_rows.at(static_cast<std::size_t>(format)).bytes; }

FormatSpec spec_of(Format format) {
  switch (format) {
    case Format::fp32:
      return fp32;
    case Format::bf16:
      return bf16;
    case Format::fp16:
      return fp16;
    case Format::cfloat8_143:
      return cfloat8_143();
    case Format::cfloat8_152:
      return cfloat8_152();
    case Format::cfloat16_shp:
      return cfloat16_shp();
    case Format::cfloat16_uhp:
      return cfloat16_uhp();
    case Format::e4m3:
      return e4m3;
    case Format::e5m2:
      return e5m2;
    case Format::u8:
    case Format::i32:
      break;
  }
  DOJO_ENSURE(!"an integer format has no floating-point spec");
  return fp32;
}

float widen(std::uint32_t code, const FormatSpec& spec) {
  const std::uint32_t magnitude = code & spec.magnitude_mask();
  const bool negative = (code & spec.sign_mask()) != 0;
  if (magnitude > spec.largest()) {
    const bool infinite = spec.top == TopExponent::ieee && magnitude == spec.infinity();
    if (!infinite) return canonical_nan;
    return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  }
  const std::uint32_t field = magnitude >> spec.fraction_bits;
  const std::uint32_t fraction = magnitude - (field << spec.fraction_bits);
  const bool normal = field != 0;
  const std::uint32_t significand = fraction + (normal ? 1u << spec.fraction_bits : 0);
  const int shift = spec.denormals == Denormals::printed ? 0 : 1;
  const int exponent = (normal ? static_cast<int>(field) : shift) - spec.bias - spec.fraction_bits;
  const auto value = static_cast<float>(significand * power_of_two(exponent));
  return negative ? -value : value;
}

Rounded round(float value, const FormatSpec& spec, Rounding rounding) {
  Rounded result;
  const bool negative = std::signbit(value);
  if (std::fpclassify(value) == FP_SUBNORMAL) result.flags |= flag_denormal;
  if (std::isnan(value)) return {nan_code(negative, spec), flag_invalid};
  if (negative && spec.sign_bits == 0)
    return {0, static_cast<std::uint8_t>(value == 0 ? 0 : result.flags | flag_invalid)};

  const std::uint32_t sign = negative ? spec.sign_mask() : 0;
  if (std::isinf(value)) {
    const bool has_infinity = spec.top == TopExponent::ieee && spec.overflow == Overflow::infinity;
    return {beyond_largest(spec) | sign, static_cast<std::uint8_t>(has_infinity ? 0 : flag_overflow)};
  }
  const double magnitude = std::fabs(static_cast<double>(value));
  const Bracket at = bracket(magnitude, spec);
  const std::uint64_t code = at.below + (goes_up(at, rounding) ? 1 : 0);
  if (code > spec.largest()) {
    result.code = beyond_largest(spec) | sign;
    result.flags |= flag_overflow;
    return result;
  }
  if (at.position != 0 && is_tiny(magnitude, spec, rounding)) result.flags |= flag_underflow;
  result.code = static_cast<std::uint32_t>(code);
  if (code != 0 || spec.negative_zero == NegativeZero::kept) result.code |= sign;
  return result;
}

bool is_denormal(std::uint32_t code, const FormatSpec& spec) {
  const std::uint32_t magnitude = code & spec.magnitude_mask();
  return magnitude != 0 && magnitude >> spec.fraction_bits == 0;
}

float round_to(Format format, float value) {
  switch (format) {
    case Format::fp32:
      return value;
    case Format::bf16:
      return bf16_to_float(float_to_bf16(value));
    case Format::u8:
      return std::isnan(value) ? 0.0f : std::nearbyint(std::fmin(std::fmax(value, 0.0f), 255.0f));
    case Format::i32:
      return std::isnan(value) ? 0.0f : std::nearbyint(std::fmin(std::fmax(value, -0x1p31f), 0x1.fffffep30f));
    default:
      break;
  }
  const FormatSpec spec = spec_of(format);
  return widen(round(value, spec).code, spec);
}

}  // namespace dojo::numerics
