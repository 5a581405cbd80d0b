// Are all conversions exact? Everything small enough is tried completely.
#include "numerics/format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "numerics/convert.h"

namespace dojo::numerics {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const float quiet_nan = std::numeric_limits<float>::quiet_NaN();

struct Named {
  std::string name;
  FormatSpec spec;
};

FormatSpec printed(FormatSpec spec) {
  spec.denormals = Denormals::printed;
  return spec;
}

// Every format of at most 16 bits, the 8-bit ones at every bias and under both denormal rules.
std::vector<Named> eight_bit_formats() {
  std::vector<Named> all{{"e4m3", e4m3}, {"e5m2", e5m2}};
  for (int bias = 0; bias < 64; ++bias) {
    const std::string suffix = " bias " + std::to_string(bias);
    all.push_back({"1_4_3" + suffix, cfloat8_143(bias)});
    all.push_back({"1_5_2" + suffix, cfloat8_152(bias)});
    all.push_back({"1_4_3 printed" + suffix, printed(cfloat8_143(bias))});
    all.push_back({"1_5_2 printed" + suffix, printed(cfloat8_152(bias))});
  }
  return all;
}

std::vector<Named> sixteen_bit_formats() {
  return {{"bf16", bf16},
          {"fp16", fp16},
          {"shp 0", cfloat16_shp(0)},
          {"shp 15", cfloat16_shp(15)},
          {"shp 63", cfloat16_shp(63)},
          {"shp 15 printed", printed(cfloat16_shp(15))},
          {"uhp", cfloat16_uhp()},
          {"uhp reserved", cfloat16_uhp(TopExponent::ieee)},
          {"uhp printed", printed(cfloat16_uhp())}};
}

std::vector<Named> all_formats() {
  std::vector<Named> all = eight_bit_formats();
  for (Named& format : sixteen_bit_formats()) all.push_back(std::move(format));
  return all;
}

TEST(Format, EveryCodeSurvivesWideningAndRounding) {
  for (const auto& [name, spec] : all_formats()) {
    for (std::uint32_t code = 0; code < 1u << spec.bits(); ++code) {
      const float value = widen(code, spec);
      if (std::isnan(value)) {
        EXPECT_GT(code & spec.magnitude_mask(), spec.largest()) << name;
        continue;
      }
      for (const Rounding rounding : {Rounding::nearest_even(), Rounding::with(0), Rounding::with(~0u)}) {
        if (std::isinf(value) && spec.overflow == Overflow::clamp) continue;
        const Rounded back = round(value, spec, rounding);
        ASSERT_EQ(back.code, code) << name;
        // bf16 and fp32 share their denormals; every other format's denormals are FP32 normals.
        ASSERT_EQ(back.flags, std::fpclassify(value) == FP_SUBNORMAL ? flag_denormal : 0) << name;
      }
    }
  }
}

TEST(Format, CodesAreOrderedAsTheirValues) {
  for (const auto& [name, spec] : all_formats())
    for (std::uint32_t code = 0; code < spec.largest(); ++code)
      ASSERT_LT(widen(code, spec), widen(code + 1, spec)) << name << " " << code;
}

// Midpoints and their FP32 neighbours are decided here from the values of the two codes, not from the
// encoding.
TEST(Format, TiesGoToTheEvenCodeAndNothingElseIsATie) {
  for (const auto& [name, spec] : all_formats()) {
    if (spec.bits() == 16 && spec.exponent_bits == 8)
      continue;  // bf16 has its own test over all floats below
    for (std::uint32_t code = 0; code < spec.largest(); ++code) {
      const float low = widen(code, spec), high = widen(code + 1, spec);
      const float middle = (low + high) / 2;  // exact: both have at most 11 bits
      const std::uint32_t even = code % 2 == 0 ? code : code + 1;
      ASSERT_EQ(round(middle, spec).code, even) << name;
      ASSERT_EQ(round(std::nextafter(middle, 0.0f), spec).code, code) << name;
      ASSERT_EQ(round(std::nextafter(middle, infinity), spec).code, code + 1) << name;
      if (spec.sign_bits == 0) continue;
      ASSERT_EQ(round(-middle, spec).code, even | spec.sign_mask()) << name;
    }
  }
}

TEST(Format, PublishedRangesHold) {
  struct Row {
    FormatSpec spec;
    double largest, least_normal, least_gradual, least_printed;
  };
  const auto two = [](int exponent) { return std::ldexp(1.0, exponent); };
  const Row rows[] = {
      {cfloat8_143(0), 61440, 2, 0.25, 0.125},
      {cfloat8_143(7), 480, two(-6), two(-9), two(-10)},
      {cfloat8_143(15), 1.875, two(-14), two(-17), two(-18)},
      {cfloat8_143(63), 1.875 * two(-48), two(-62), two(-65), two(-66)},
      {cfloat8_152(0), 1.75 * two(31), 2, 0.5, 0.25},
      {cfloat8_152(15), 114688, two(-14), two(-16), two(-17)},
      {cfloat8_152(63), 1.75 * two(-32), two(-62), two(-64), two(-65)},
      {cfloat16_shp(15), 131008, two(-14), two(-24), two(-25)},
      {cfloat16_uhp(), 8.585740288e9, two(-30), two(-40), two(-41)},
      {cfloat16_uhp(TopExponent::ieee), 4.292870144e9, two(-30), two(-40), two(-41)},
      {fp16, 65504, two(-14), two(-24), two(-25)},
      {e4m3, 448, two(-6), two(-9), two(-10)},
      {e5m2, 57344, two(-14), two(-16), two(-17)},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(widen(row.spec.largest(), row.spec), row.largest);
    EXPECT_EQ(widen(1u << row.spec.fraction_bits, row.spec), row.least_normal);
    EXPECT_EQ(widen(1, row.spec), row.least_gradual);
    EXPECT_EQ(widen(1, printed(row.spec)), row.least_printed);
  }
}

TEST(Format, GradualUnderflowHasNoHoleAndThePrintedRuleHasOne) {
  const FormatSpec gradual = cfloat8_143(7);
  EXPECT_EQ(widen(8, gradual) - widen(7, gradual), widen(1, gradual));
  EXPECT_EQ(widen(8, printed(gradual)) - widen(7, printed(gradual)), 9 * widen(1, printed(gradual)));
}

TEST(Format, Bfloat16RoundsEveryFloatLikeItsNeighboursSay) {
  const auto check = [](std::uint32_t bits) {
    const auto value = std::bit_cast<float>(bits);
    const Rounded rounded = round(value, bf16);
    ASSERT_EQ(rounded.code, float_to_bf16(value)) << std::hex << bits;
    if (std::isnan(value)) {
      ASSERT_EQ(rounded.code, 0x7fc0u);
      return;
    }
    const std::uint32_t down = bits >> 16, rest = bits & 0xffff;
    const bool up = rest > 0x8000 || (rest == 0x8000 && (down & 1) != 0);
    ASSERT_EQ(rounded.code, down + (up ? 1 : 0)) << std::hex << bits;
  };
  for (std::uint64_t high = 0; high < 1u << 16; ++high)
    for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      check(static_cast<std::uint32_t>(high << 16) | low);
}

#if defined(__FLT16_MANT_DIG__)
__extension__ typedef _Float16 CompilersHalf;
TEST(Format, HalfPrecisionIsTheCompilersOwn) {
  for (std::uint32_t code = 0; code < 1u << 16; ++code) {
    const auto half = std::bit_cast<CompilersHalf>(static_cast<std::uint16_t>(code));
    const auto value = static_cast<float>(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(widen(code, fp16)));
      continue;
    }
    ASSERT_EQ(std::bit_cast<std::uint32_t>(widen(code, fp16)), std::bit_cast<std::uint32_t>(value));
  }
  Random random(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto value = std::bit_cast<float>(random.bits());
    if (std::isnan(value)) continue;
    ASSERT_EQ(round(value, fp16).code, std::bit_cast<std::uint16_t>(static_cast<CompilersHalf>(value)))
        << value;
  }
}
#endif

TEST(Format, ClampsInfinityAndNanAsTheNoteSays) {
  const FormatSpec spec = cfloat8_143();
  EXPECT_EQ(round(infinity, spec).code, 0x7fu);
  EXPECT_EQ(round(-infinity, spec).code, 0xffu);
  EXPECT_EQ(round(-infinity, spec).flags, flag_overflow);
  EXPECT_EQ(round(quiet_nan, spec).code, 0x7fu);
  EXPECT_EQ(round(-quiet_nan, spec).code, 0x7fu);
  EXPECT_EQ(round(quiet_nan, spec).flags, flag_invalid);
  FormatSpec kept = spec;
  kept.nan_sign = NanSign::kept;
  EXPECT_EQ(round(-quiet_nan, kept).code, 0xffu);
  EXPECT_EQ(round(-0.0f, spec).code, 0x80u);
  FormatSpec positive = spec;
  positive.negative_zero = NegativeZero::positive;
  EXPECT_EQ(round(-0.0f, positive).code, 0u);
  EXPECT_EQ(round(-1e-30f, positive).code, 0u);
  EXPECT_EQ(round(-1.0f, cfloat16_uhp()).code, 0u);
  EXPECT_EQ(round(-1.0f, cfloat16_uhp()).flags, flag_invalid);
  EXPECT_EQ(round(-0.0f, cfloat16_uhp()).flags, 0);
  EXPECT_EQ(round(infinity, fp16).code, 0x7c00u);
  EXPECT_EQ(round(infinity, fp16).flags, 0);
  EXPECT_EQ(round(65520.0f, fp16).code, 0x7c00u);
  EXPECT_EQ(round(65520.0f, fp16).flags, flag_overflow);
  EXPECT_EQ(round(65519.0f, fp16).code, 0x7bffu);
}

// Overflow begins exactly half a step beyond the largest number: the tie belongs to the even code above it.
TEST(Format, OverflowBeginsHalfAStepBeyondTheLargest) {
  for (const auto& [name, spec] : eight_bit_formats()) {
    if (spec.top == TopExponent::last_nan) continue;  // there the code above exists and is NaN
    const float largest = widen(spec.largest(), spec), step = largest - widen(spec.largest() - 1, spec);
    const float border = largest + step / 2;
    EXPECT_EQ(round(border, spec).flags, flag_overflow) << name;
    EXPECT_EQ(round(std::nextafter(border, 0.0f), spec).flags, 0) << name;
    EXPECT_EQ(round(border, spec).code, spec.largest()) << name;
  }
}

TEST(Format, UnderflowIsInexactAndTiny) {
  FormatSpec spec = cfloat8_143();
  const float least = widen(8, spec);
  EXPECT_EQ(round(widen(3, spec), spec).flags, 0);  // exact: no underflow
  EXPECT_EQ(round(widen(3, spec) * 1.01f, spec).flags, flag_underflow);
  EXPECT_EQ(round(least * 1.01f, spec).flags, 0);
  // Rounds to the least normal in the format's grid and, with unbounded exponent, too: tiny only before
  // rounding.
  const float just_below = least * (1 - 1 / 64.0f);
  EXPECT_EQ(round(just_below, spec).code, 8u);
  EXPECT_EQ(round(just_below, spec).flags, 0);
  // Rounds to the least normal, but with unbounded exponent to the number below it: tiny either way.
  EXPECT_EQ(round(least * (1 - 3 / 64.0f), spec).code, 8u);
  EXPECT_EQ(round(least * (1 - 3 / 64.0f), spec).flags, flag_underflow);
  spec.tininess = Tininess::before_rounding;
  EXPECT_EQ(round(just_below, spec).flags, flag_underflow);
  EXPECT_EQ(round(0x1p-140f, spec).flags, flag_underflow | flag_denormal);
}

// The generator's 32 bits are compared with the residual: of all 2^32 draws exactly ratio x 2^32 go up.
// Equivalent to counting over all draws, since going up is monotone in the draw: the threshold is found on
// both sides.
TEST(Format, StochasticRoundingIsUnbiasedOverAllDraws) {
  for (const auto& [name, spec] : all_formats()) {
    for (std::uint32_t code = 0; code < spec.largest(); code += spec.bits() == 8 ? 1 : 97) {
      if (spec.exponent_bits == 8 && code < 1u << spec.fraction_bits) continue;  // FP32 denormals lie below
      const double low = widen(code, spec), high = widen(code + 1, spec);
      for (const double part : {1 / 256.0, 0.25, 0.5, 0.75, 255 / 256.0}) {
        const auto value = static_cast<float>(low + part * (high - low));
        const double exact = (static_cast<double>(value) - low) / (high - low);
        const double threshold = std::floor(exact * 0x1p32);
        ASSERT_TRUE(spec.denormals == Denormals::printed || threshold == exact * 0x1p32) << name;
        const auto draws_up = static_cast<std::uint32_t>(threshold);
        ASSERT_EQ(round(value, spec, Rounding::with(draws_up - 1)).code, code + 1) << name << " " << code;
        ASSERT_EQ(round(value, spec, Rounding::with(draws_up)).code, code) << name << " " << code;
      }
    }
  }
}

TEST(Format, StochasticRoundingIsMonotoneInTheDraw) {
  const FormatSpec spec = cfloat8_152();
  std::uint32_t ups = 0;
  bool fell = false;
  for (std::uint64_t draw = 0; draw < 0x1'0000'0000; draw += 1 << 16) {
    const bool up =
        round(1.1f, spec, Rounding::with(static_cast<std::uint32_t>(draw))).code != round(1.0f, spec).code;
    EXPECT_FALSE(up && fell);
    fell = fell || !up;
    ups += up;
  }
  EXPECT_NEAR(ups / 65536.0, (1.1f - 1.0) / 0.25, 1 / 65536.0);
}

TEST(Format, RoundToSaturatesIntegers) {
  EXPECT_EQ(round_to(Format::u8, 2.5f), 2);
  EXPECT_EQ(round_to(Format::u8, 3.5f), 4);
  EXPECT_EQ(round_to(Format::u8, -1), 0);
  EXPECT_EQ(round_to(Format::u8, 1e9f), 255);
  EXPECT_EQ(round_to(Format::u8, quiet_nan), 0);
  EXPECT_EQ(round_to(Format::i32, 1e20f), 2147483520.0f);
  EXPECT_EQ(round_to(Format::i32, -1e20f), -2147483648.0f);
  EXPECT_EQ(round_to(Format::cfloat8_143, 1000), 480);
  EXPECT_EQ(round_to(Format::bf16, 1.00390625f), 1.0f);
}

TEST(Format, EveryFormatHasANameAndASize) {
  EXPECT_EQ(name(Format::cfloat16_uhp), "cfloat16_uhp");
  EXPECT_EQ(name(Format::i32), "i32");
  for (const Format format :
       {Format::fp32, Format::bf16, Format::fp16, Format::cfloat8_143, Format::cfloat8_152,
        Format::cfloat16_shp, Format::cfloat16_uhp, Format::e4m3, Format::e5m2})
    EXPECT_EQ(storage_bytes(format) * 8, spec_of(format).bits());
}

}  // namespace
}  // namespace dojo::numerics
