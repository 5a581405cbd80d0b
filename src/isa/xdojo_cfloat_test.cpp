// Xdojo's CFloat instructions against the formats' definitions.
#include "isa/xdojo_cfloat.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "base/random.h"
#include "isa/float_host.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"
#include "numerics/format.h"

namespace dojo::isa {
namespace {

constexpr std::uint32_t cfloat_narrow = 0x0200602b | 16 << 20 | 10 << 15 | 8 << 7;  // v8, v16, a0
constexpr std::uint32_t cfloat_widen = 0x0600602b | 8 << 20 | 10 << 15 | 16 << 7;   // v16, v8, a0

struct Format {
  std::uint64_t descriptor;
  numerics::FormatSpec spec;
};

std::vector<Format> formats() {
  std::vector<Format> all = {{2u << 8 | 15, numerics::cfloat16_shp(15)},
                             {2u << 8 | 40, numerics::cfloat16_shp(40)},
                             {3u << 8, numerics::cfloat16_uhp()},
                             {4u << 8, numerics::bf16}};
  for (const int bias : {0, 7, 15, 63}) {
    all.push_back({static_cast<std::uint64_t>(bias), numerics::cfloat8_143(bias)});
    all.push_back({static_cast<std::uint64_t>(1u << 8 | bias), numerics::cfloat8_152(bias)});
    numerics::FormatSpec printed = numerics::cfloat8_143(bias);
    printed.denormals = numerics::Denormals::printed;
    all.push_back({static_cast<std::uint64_t>(1u << 17 | bias), printed});
  }
  return all;
}

bool run_word(Hart& hart, std::uint32_t word) {
  hart.stop = Stop::none;
  const Decoded d = decode(word, 0);
  execute_alone(hart, d);
  return hart.stop == Stop::none;
}

void configure(Hart& hart, unsigned sew) {
  set_vtype(hart, sew == 8 ? 0 : 8);
  hart.vl = vector_length_limit(hart);
}

std::uint32_t code_at(Hart& hart, unsigned sew, std::size_t i) {
  std::uint32_t code = 0;
  std::memcpy(&code, hart.vreg(8) + i * sew / 8, sew / 8);
  return code;
}

TEST(XdojoCfloat, WideningIsExactForEveryCode) {
  for (const Format& format : formats()) {
    auto hart = std::make_unique<Hart>();
    const unsigned sew = format.spec.bits();
    configure(*hart, sew);
    hart->x[10] = format.descriptor;
    for (std::uint32_t first = 0; first < 1u << sew; first += hart->vl) {
      for (std::uint32_t i = 0; i < hart->vl; ++i) {
        const std::uint32_t code = first + i;
        std::memcpy(hart->vreg(8) + i * sew / 8, &code, sew / 8);
      }
      ASSERT_TRUE(run_word(*hart, cfloat_widen));
      for (std::uint32_t i = 0; i < hart->vl; ++i) {
        float value;
        std::memcpy(&value, hart->vreg(16) + 4 * i, 4);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(value),
                  std::bit_cast<std::uint32_t>(numerics::widen(first + i, format.spec)));
      }
    }
  }
}

TEST(XdojoCfloat, NarrowingRoundsAsTheFormatSaysWhateverFrmHolds) {
  Random random(3);
  for (const Format& format : formats())
    for (const bool stochastic : {false, true})
      for (int trial = 0; trial < 40; ++trial) {
        auto hart = std::make_unique<Hart>();
        const unsigned sew = format.spec.bits();
        configure(*hart, sew);
        hart->x[10] = format.descriptor | (stochastic ? 1u << 16 : 0u);
        hart->stochastic_key = 77;
        hart->stochastic_counter = 1000;
        hart->frm = static_cast<std::uint8_t>(trial % 5);
        std::vector<float> source(hart->vl);
        for (float& x : source)
          x = random.below(8) == 0 ? std::bit_cast<float>(random.bits())
                                   : std::ldexp(static_cast<float>(random.uniform(-2, 2)),
                                                static_cast<int>(random.below(40)) - 20);
        std::memcpy(hart->vreg(16), source.data(), 4 * source.size());
        begin_floats(*hart);
        ASSERT_TRUE(run_word(*hart, cfloat_narrow));
        EXPECT_EQ(flags_of_mxcsr(_mm_getcsr()), 0) << "the formats' arithmetic leaves the hart's flags alone";
        _mm_setcsr(0x1f80);
        unsigned flags = 0;
        for (std::size_t i = 0; i < source.size(); ++i) {
          const auto draw = philox(77, 1000 + i / 4)[i % 4];
          const auto rounded = numerics::round(
              source[i], format.spec,
              stochastic ? numerics::Rounding::with(draw) : numerics::Rounding::nearest_even());
          ASSERT_EQ(code_at(*hart, sew, i), rounded.code) << source[i];
          flags |= rounded.flags;
        }
        EXPECT_EQ((hart->fflags & invalid) != 0, (flags & numerics::flag_invalid) != 0);
        EXPECT_EQ((hart->fflags & overflow) != 0, (flags & numerics::flag_overflow) != 0);
        EXPECT_EQ((hart->fflags & underflow) != 0, (flags & numerics::flag_underflow) != 0);
        EXPECT_EQ(hart->stochastic_counter, 1000 + (stochastic ? (source.size() + 3) / 4 : 0));
      }
}

TEST(XdojoCfloat, ADescriptorThatFitsNoFormatTraps) {
  auto hart = std::make_unique<Hart>();
  configure(*hart, 8);
  for (const std::uint64_t bits :
       {std::uint64_t{5} << 8, std::uint64_t{2} << 8, std::uint64_t{1} << 18, std::uint64_t{1} << 6}) {
    hart->x[10] = bits;
    EXPECT_FALSE(run_word(*hart, cfloat_narrow)) << bits;
  }
}

// All pairs of codes; the product of two CFloat8 is exact in FP32 unless it is subnormal there.
TEST(XdojoCfloat, MatrixStepMultipliesAllPairs) {
  struct Side {
    std::uint64_t control;
    numerics::FormatSpec spec;
  };
  const Side sides[] = {{7, numerics::cfloat8_143(7)},
                        {0x40 | 15, numerics::cfloat8_152(15)},
                        {0x40 | 63, numerics::cfloat8_152(63)},
                        {0, numerics::cfloat8_143(0)}};
  for (const Side& a : sides)
    for (const Side& b : sides) {
      auto hart = std::make_unique<Hart>();
      begin_floats(*hart);
      hart->cfloat_control = a.control | b.control << 8;
      for (unsigned block = 0; block < 256; ++block) {
        set_vtype(*hart, 0x600 | 1 << 11 | 16 << 16);
        hart->vl = 16;
        hart->tiles.fill(std::byte{0});
        for (unsigned i = 0; i < 16; ++i) {
          hart->vreg(8)[i] = static_cast<std::byte>(block / 16 * 16 + i);
          hart->vreg(16)[i] = static_cast<std::byte>(block % 16 * 16 + i);
        }
        ASSERT_TRUE(run_word(*hart, 0x0200102b | 8 << 20 | 16 << 15 | 12 << 8));
        for (unsigned m = 0; m < 16; ++m)
          for (unsigned n = 0; n < 16; ++n) {
            float value;
            std::memcpy(&value, hart->tiles.data() + 12 * 256 + (m * 16 + n) * 4, 4);
            const float expected = std::fma(numerics::widen(block / 16 * 16 + m, a.spec),
                                            numerics::widen(block % 16 * 16 + n, b.spec), 0.0f);
            ASSERT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected));
          }
      }
    }
}

}  // namespace
}  // namespace dojo::isa
