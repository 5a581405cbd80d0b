// Scalar bfloat16 converts, which qemu 7.2 does not know, against their definition.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "isa/block.h"
#include "isa/float_host.h"

namespace dojo::isa {
namespace {

constexpr std::uint64_t box_16 = 0xffffffffffff0000, box_32 = 0xffffffff00000000;

// fa0 and fflags after one instruction on fa0.
struct Outcome {
  std::uint64_t value;
  unsigned flags;
  bool operator==(const Outcome&) const = default;
};
Outcome execute(std::uint32_t word, std::uint64_t operand) {
  static Hart hart;
  const std::vector<Decoded> code = {decode(word, 0), decode(0x00000073, 4)};
  hart.fflags = 0;
  hart.f[10] = operand;
  begin_floats(hart);
  decode(word, 0).execute(hart, code.data());
  end_floats(hart);
  return {hart.f[10], hart.fflags};
}

constexpr std::uint32_t fcvt_s_bf16 = 0x40650553, fcvt_bf16_s = 0x44850553;  // fa0, fa0

TEST(Bfloat16, WidensEveryCodeExactly) {
  for (std::uint32_t code = 0; code < 0x10000; ++code) {
    const bool nan = (code & 0x7fff) > 0x7f80, signaling = nan && (code & 0x40) == 0;
    const Outcome expected = {box_32 | (nan ? 0x7fc00000 : code << 16), signaling ? 16u : 0u};
    ASSERT_EQ(execute(fcvt_s_bf16, box_16 | code), expected) << code;
  }
}

// Among the two neighbours that truncation gives, each mode's choice by exact comparison in double. `beyond`
// continues the largest exponent, so that overflow is a choice like any other.
Outcome narrowed(std::uint32_t bits, unsigned mode) {
  const double value = std::bit_cast<float>(bits), magnitude = std::fabs(value);
  const bool negative = (bits >> 31) != 0;
  const std::uint32_t low = (bits >> 16) & 0x7fff;
  const auto number = [](std::uint32_t code) {
    return code == 0x7f80 ? 0x1p128 : double{std::bit_cast<float>(code << 16)};
  };
  const double below = magnitude - number(low), above = number(low + 1) - magnitude;
  const bool exact = below == 0;
  const bool up = !exact && (mode == rne   ? below > above || (below == above && (low & 1))
                             : mode == rmm ? below >= above
                             : mode == rdn ? negative
                             : mode == rup ? !negative
                                           : false);
  const std::uint32_t result = low + up;
  unsigned flags = exact ? 0u : unsigned{inexact};
  if (result == 0x7f80) flags |= overflow;
  // Tiny: with an exponent of any size the 8-bit result would still lie below the smallest normal number.
  const double step = std::ldexp(1.0, std::ilogb(magnitude == 0 ? 1.0 : magnitude) - 7);
  const double cut = std::floor(magnitude / step) * step, rest = magnitude - cut;
  const bool odd = std::fmod(cut / step, 2) != 0;
  const bool unbounded_up = rest != 0 && (mode == rne   ? rest > step / 2 || (rest == step / 2 && odd)
                                          : mode == rmm ? rest >= step / 2
                                          : mode == rdn ? negative
                                          : mode == rup ? !negative
                                                        : false);
  if (!exact && cut + (unbounded_up ? step : 0) < 0x1p-126) flags |= underflow;
  return {box_16 | (negative ? 0x8000u : 0u) | result, flags};
}

TEST(Bfloat16, NarrowsAsEachRoundingModeSays) {
  Random random(16);
  std::vector<std::uint32_t> operands;
  for (std::uint32_t high = 0; high < 0x10000; high += 1 + static_cast<std::uint32_t>(random.below(5)))
    for (const std::uint32_t tail : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      operands.push_back(high << 16 | tail);
  for (std::uint32_t edge = 0x007f0000; edge < 0x00810000; edge += 0x100)
    operands.push_back(edge);  // smallest normal
  for (const std::uint32_t bits : operands)
    for (const unsigned mode : {rne, rtz, rdn, rup, rmm}) {
      if ((bits & 0x7fffffff) >= 0x7f800000) continue;
      ASSERT_EQ(execute(fcvt_bf16_s | mode << 12, box_32 | bits), narrowed(bits, mode))
          << std::hex << bits << " mode " << mode;
    }
}

TEST(Bfloat16, NarrowsInfinityAndNan) {
  EXPECT_EQ(execute(fcvt_bf16_s, box_32 | 0x7f800000), (Outcome{box_16 | 0x7f80, 0}));
  EXPECT_EQ(execute(fcvt_bf16_s, box_32 | 0xff800000), (Outcome{box_16 | 0xff80, 0}));
  EXPECT_EQ(execute(fcvt_bf16_s, box_32 | 0xffc12345), (Outcome{box_16 | 0x7fc0, 0}));
  EXPECT_EQ(execute(fcvt_bf16_s, box_32 | 0x7f812345), (Outcome{box_16 | 0x7fc0, invalid}));
  EXPECT_EQ(execute(fcvt_bf16_s, 0x3f800000), (Outcome{box_16 | 0x7fc0, 0}));  // not boxed
}

}  // namespace
}  // namespace dojo::isa
