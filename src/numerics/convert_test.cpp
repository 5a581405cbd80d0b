// Do the fast conversions give the definition's bits, for every code, near every border, and for random
// floats?
#include "numerics/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace dojo::numerics {
namespace {

// All floats that decide something: every value of every 16-bit prefix, and its closest neighbours.
std::vector<float> probes() {
  std::vector<float> values;
  for (std::uint32_t high = 0; high < 1u << 16; ++high)
    for (const std::uint32_t low : {0u, 1u, 0x1000u, 0x7fffu, 0x8000u, 0xffffu})
      values.push_back(std::bit_cast<float>(high << 16 | low));
  Random random(7);
  for (int i = 0; i < 200'000; ++i) values.push_back(std::bit_cast<float>(random.bits()));
  return values;
}

std::vector<FormatSpec> formats() {
  std::vector<FormatSpec> all{bf16,
                              fp16,
                              e4m3,
                              e5m2,
                              cfloat16_shp(0),
                              cfloat16_shp(15),
                              cfloat16_shp(63),
                              cfloat16_uhp(),
                              cfloat16_uhp(TopExponent::ieee)};
  for (const int bias : {0, 1, 7, 15, 40, 63}) {
    all.push_back(cfloat8_143(bias));
    all.push_back(cfloat8_152(bias));
  }
  FormatSpec changed = cfloat8_143();
  changed.denormals = Denormals::printed;
  all.push_back(changed);
  changed = cfloat8_143();
  changed.negative_zero = NegativeZero::positive;
  changed.nan_sign = NanSign::kept;
  all.push_back(changed);
  changed = e4m3;
  changed.overflow = Overflow::infinity;
  all.push_back(changed);
  return all;
}

TEST(Convert, NarrowingArraysEqualsRound) {
  const std::vector<float> values = probes();
  for (const FormatSpec& spec : formats()) {
    std::vector<std::uint16_t> codes(values.size());
    to_codes(values, spec, codes);
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(codes[i], round(values[i], spec).code)
          << values[i] << " bits " << spec.bits() << " bias " << spec.bias;
    if (spec.bits() > 8) continue;
    std::vector<std::uint8_t> bytes(values.size());
    to_codes(values, spec, bytes);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(bytes[i], codes[i]);
  }
}

TEST(Convert, WideningArraysEqualsWiden) {
  std::vector<std::uint16_t> codes(1 << 18);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint16_t>(i);
  std::vector<float> values(codes.size());
  for (const FormatSpec& spec : formats()) {
    from_codes(codes, spec, values);
    for (std::size_t i = 0; i < codes.size(); ++i)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(widen(codes[i], spec)));
    std::vector<float> few(100);
    from_codes(std::span(codes).subspan(31000, 100), spec, few);
    for (std::size_t i = 0; i < few.size(); ++i)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(few[i]), std::bit_cast<std::uint32_t>(values[31000 + i]));
  }
  from_bf16(codes, values);
  for (std::size_t i = 0; i < codes.size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(widen(codes[i], bf16)));
}

TEST(Convert, Bfloat16ArraysEqualRound) {
  const std::vector<float> values = probes();
  std::vector<std::uint16_t> codes(values.size());
  to_bf16(values, codes);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(codes[i], round(values[i], bf16).code);
}

TEST(Convert, StochasticArraysDependOnKeyCounterAndPlaceOnly) {
  std::vector<float> values(4096, 1.1f);
  std::vector<std::uint8_t> first(values.size()), second(values.size()), parts(values.size()),
      other(values.size());
  const FormatSpec spec = cfloat8_152();
  to_codes_stochastic(values, spec, 42, 1000, first);
  to_codes_stochastic(values, spec, 42, 1000, second);
  to_codes_stochastic(values, spec, 43, 1000, other);
  to_codes_stochastic(std::span(values).first(64), spec, 42, 1000, std::span(parts).first(64));
  to_codes_stochastic(std::span(values).subspan(64), spec, 42, 1000 + 16, std::span(parts).subspan(64));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, parts);
  EXPECT_NE(first, other);
  double sum = 0;
  for (const std::uint8_t code : first) sum += widen(code, spec);
  EXPECT_NEAR(sum / 4096, 1.1, 4 * 0.125 / 64);  // four deviations of the mean of 4096 draws
}

TEST(Convert, RoundingInPlaceEqualsTheScalar) {
  const std::vector<float> values = probes();
  for (const Format format :
       {Format::fp32, Format::bf16, Format::fp16, Format::cfloat8_143, Format::cfloat8_152,
        Format::cfloat16_shp, Format::cfloat16_uhp, Format::e4m3, Format::e5m2, Format::u8, Format::i32}) {
    std::vector<float> rounded = values;
    round_to(format, rounded);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(rounded[i]) && std::isnan(round_to(format, values[i]))) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(rounded[i]),
                std::bit_cast<std::uint32_t>(round_to(format, values[i])));
    }
  }
}

}  // namespace
}  // namespace dojo::numerics
