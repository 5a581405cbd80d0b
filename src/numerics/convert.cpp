#include "numerics/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/random.h"

namespace dojo::numerics {
namespace {

// round() to nearest even as straight integer code that the compiler turns into host SIMD. Holds for formats
// with gradual denormals and a smallest normal at or above 2^-103, so that the added constant is a normal
// float; all of ours but FP32-wide ones.
struct FastRounding {
  std::uint32_t shift, bias_bits, least_normal, largest, overflow, nan, nan_sign, sign_shift, sign, zero_sign;
  float to_denormal;
  bool is_unsigned;

  explicit FastRounding(const FormatSpec& spec)
      : shift(23u - spec.fraction_bits),
        bias_bits(static_cast<std::uint32_t>(127 - spec.bias) << spec.fraction_bits),
        least_normal(static_cast<std::uint32_t>(128 - spec.bias) << 23),
        largest(spec.largest()),
        overflow(round(HUGE_VALF, spec).code),
        nan(round(std::bit_cast<float>(0x7fc00000u), spec).code),
        nan_sign(nan ^ round(std::bit_cast<float>(0xffc00000u), spec).code),
        sign_shift(32u - spec.bits()),
        sign(spec.sign_mask()),
        zero_sign(spec.negative_zero == NegativeZero::kept ? sign : 0),
        to_denormal(std::ldexp(1.0f, 24 - spec.bias - spec.fraction_bits)),
        is_unsigned(spec.sign_bits == 0) {}

  static bool holds_for(const FormatSpec& spec) {
    return spec.denormals == Denormals::gradual && spec.fraction_bits < 23 && spec.bias <= 104 &&
           spec.bits() <= 16;
  }

  std::uint32_t operator()(float value) const {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    const std::uint32_t half = (1u << (shift - 1)) - 1;
    // A value just below the smallest normal may round up to it: both paths give that code, so the border
    // needs no care.
    const std::uint32_t normal = ((magnitude + half + ((magnitude >> shift) & 1u)) >> shift) - bias_bits;
    const std::uint32_t denormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + to_denormal) -
        std::bit_cast<std::uint32_t>(to_denormal);
    std::uint32_t code = magnitude < least_normal ? denormal : normal;
    code = code > largest ? overflow : code;
    const std::uint32_t sign_here = (bits >> sign_shift) & (code == 0 ? zero_sign : sign);
    code |= sign_here;
    const std::uint32_t nan_here = nan ^ ((bits >> 31) * nan_sign);
    code = is_unsigned && (bits >> 31) != 0 ? 0 : code;
    return magnitude > 0x7f800000u ? nan_here : code;
  }
};

template <typename Code>
void to_codes_of(std::span<const float> source, const FormatSpec& spec, std::span<Code> destination) {
  DOJO_ENSURE(source.size() == destination.size() && spec.bits() <= 8 * sizeof(Code));
  if (FastRounding::holds_for(spec)) {
    const FastRounding fast(spec);
    for (std::size_t i = 0; i < source.size(); ++i) destination[i] = static_cast<Code>(fast(source[i]));
  } else {
    for (std::size_t i = 0; i < source.size(); ++i)
      destination[i] = static_cast<Code>(round(source[i], spec).code);
  }
}

template <typename Code>
void to_codes_stochastic_of(std::span<const float> source, const FormatSpec& spec, std::uint64_t key,
                            std::uint64_t counter, std::span<Code> destination) {
  DOJO_ENSURE(source.size() == destination.size() && spec.bits() <= 8 * sizeof(Code));
  PhiloxBlock random{};
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (i % 4 == 0) random = philox(key, counter + i / 4);
    destination[i] = static_cast<Code>(round(source[i], spec, Rounding::with(random[i % 4])).code);
  }
}

}  // namespace

void to_bf16(std::span<const float> source, std::span<std::uint16_t> destination) {
  DOJO_ENSURE(source.size() == destination.size());
  for (std::size_t i = 0; i < source.size(); ++i) destination[i] = float_to_bf16(source[i]);
}

void from_bf16(std::span<const std::uint16_t> source, std::span<float> destination) {
  DOJO_ENSURE(source.size() == destination.size());
  for (std::size_t i = 0; i < source.size(); ++i) destination[i] = bf16_to_float(source[i]);
}

void to_codes(std::span<const float> source, const FormatSpec& spec, std::span<std::uint8_t> destination) {
  to_codes_of(source, spec, destination);
}

void to_codes(std::span<const float> source, const FormatSpec& spec, std::span<std::uint16_t> destination) {
  to_codes_of(source, spec, destination);
}

void from_codes(std::span<const std::uint8_t> source, const FormatSpec& spec, std::span<float> destination) {
  DOJO_ENSURE(source.size() == destination.size());
  std::array<float, 256> table;
  for (std::uint32_t code = 0; code < table.size(); ++code) table[code] = widen(code, spec);
  for (std::size_t i = 0; i < source.size(); ++i) destination[i] = table[source[i]];
}

void from_codes(std::span<const std::uint16_t> source, const FormatSpec& spec, std::span<float> destination) {
  DOJO_ENSURE(source.size() == destination.size());
  constexpr std::size_t worth_a_table = 1 << 17;
  if (source.size() < worth_a_table) {
    for (std::size_t i = 0; i < source.size(); ++i) destination[i] = widen(source[i], spec);
    return;
  }
  std::vector<float> table(1 << 16);
  for (std::uint32_t code = 0; code < table.size(); ++code) table[code] = widen(code, spec);
  for (std::size_t i = 0; i < source.size(); ++i) destination[i] = table[source[i]];
}

void to_codes_stochastic(std::span<const float> source, const FormatSpec& spec, std::uint64_t key,
                         std::uint64_t counter, std::span<std::uint8_t> destination) {
  to_codes_stochastic_of(source, spec, key, counter, destination);
}

void to_codes_stochastic(std::span<const float> source, const FormatSpec& spec, std::uint64_t key,
                         std::uint64_t counter, std::span<std::uint16_t> destination) {
  to_codes_stochastic_of(source, spec, key, counter, destination);
}

void round_to(Format format, std::span<float> values) {
  if (format == Format::fp32) return;
  if (format == Format::bf16) {
    for (float& value : values) value = bf16_to_float(float_to_bf16(value));
    return;
  }
  if (format == Format::u8 || format == Format::i32) {
    for (float& value : values) value = round_to(format, value);
    return;
  }
  const FormatSpec spec = spec_of(format);
  std::array<std::uint16_t, 1024> codes;
  while (!values.empty()) {
    const std::span<float> part = values.first(std::min(values.size(), codes.size()));
    const std::span<std::uint16_t> part_codes = std::span(codes).first(part.size());
    to_codes(part, spec, part_codes);
    from_codes(part_codes, spec, part);
    values = values.subspan(part.size());
  }
}

}  // namespace dojo::numerics
