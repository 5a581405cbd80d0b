// Whole arrays between FP32 and the narrow formats, fast. The same bits as round and widen of format.h,
// without the flags.
//
// Source and destination have the same number of elements (checked) and do not overlap.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "numerics/format.h"

namespace dojo::numerics {

constexpr std::uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return (bits & 0x7fffffffu) > 0x7f800000u ? std::uint16_t{0x7fc0}
                                            : static_cast<std::uint16_t>(rounded >> 16);
}

constexpr float bf16_to_float(std::uint16_t code) {
  const std::uint32_t bits = std::uint32_t{code} << 16;
  return std::bit_cast<float>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits);
}

void to_bf16(std::span<const float> source, std::span<std::uint16_t> destination);
void from_bf16(std::span<const std::uint16_t> source, std::span<float> destination);

// Any format of at most 8 or 16 bits (fp16, CFloat8, CFloat16, OFP8).
void to_codes(std::span<const float> source, const FormatSpec& spec, std::span<std::uint8_t> destination);
void to_codes(std::span<const float> source, const FormatSpec& spec, std::span<std::uint16_t> destination);
void from_codes(std::span<const std::uint8_t> source, const FormatSpec& spec, std::span<float> destination);
void from_codes(std::span<const std::uint16_t> source, const FormatSpec& spec, std::span<float> destination);

// Stochastic rounding. Element i draws word i % 4 of philox(key, counter + i / 4): the result depends on key,
// counter and position alone.
void to_codes_stochastic(std::span<const float> source, const FormatSpec& spec, std::uint64_t key,
                         std::uint64_t counter, std::span<std::uint8_t> destination);
void to_codes_stochastic(std::span<const float> source, const FormatSpec& spec, std::uint64_t key,
                         std::uint64_t counter, std::span<std::uint16_t> destination);

// round_to over an array, in place.
void round_to(Format format, std::span<float> values);

}  // namespace dojo::numerics
