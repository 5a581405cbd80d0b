// Zvfbfmin and Zvfbfwma, which qemu 7.2 does not know, against definitions written here.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "base/random.h"
#include "isa/float_host.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr std::uint32_t narrow_word = 0x4a0e9057 | 1 << 25 | 16 << 20 | 8 << 7;  // vfncvtbf16.f.f.w v8, v16
constexpr std::uint32_t widen_word = 0x4a069057 | 1 << 25 | 8 << 20 | 16 << 7;   // vfwcvtbf16.f.f.v v16, v8
constexpr std::uint32_t fused_word = 0xee001057 | 4 << 20 | 5 << 15 | 16 << 7;   // vfwmaccbf16.vv v16, v5, v4

void execute(Hart& hart, std::uint32_t word) {
  const Decoded d = decode(word, 0);
  ASSERT_EQ(d.row->extension.substr(0, 5), "Zvfbf");
  execute_alone(hart, d);
  ASSERT_EQ(hart.stop, Stop::none);
}

bool rounds_up(std::uint32_t kept, std::uint32_t rest, bool negative, unsigned mode) {
  if (mode == rne) return rest > 0x8000 || (rest == 0x8000 && (kept & 1) != 0);
  if (mode == rmm) return rest >= 0x8000;
  if (mode == rdn) return rest != 0 && negative;
  return mode == rup && rest != 0 && !negative;
}

struct Narrowed {
  std::uint16_t bits;
  unsigned flags;
};

// By the fields of the word. Tiny: below 2^-126 also if the exponent could go lower.
Narrowed narrowed(std::uint32_t bits, unsigned mode) {
  const std::uint32_t magnitude = bits & 0x7fffffff;
  const bool negative = (bits >> 31) != 0;
  if (magnitude > 0x7f800000) return {0x7fc0, (bits & 0x400000) != 0 ? 0u : 16u};
  const std::uint32_t kept = magnitude >> 16, rest = magnitude & 0xffff;
  const std::uint32_t result = kept + rounds_up(kept, rest, negative, mode);
  unsigned flags = rest != 0 ? 1u : 0u;
  if (result >= 0x7f80 && magnitude < 0x7f800000) flags |= 4 | 1;
  const std::uint32_t doubled = magnitude << 1;
  const bool tiny = magnitude < 0x00400000 ||
                    (magnitude < 0x00800000 &&
                     (doubled >> 16) + rounds_up(doubled >> 16, doubled & 0xffff, negative, mode) < 0x100);
  if (tiny && rest != 0) flags |= 2;
  return {static_cast<std::uint16_t>((bits >> 16 & 0x8000) | result), flags};
}

TEST(VectorBrain, NarrowingRoundsInEveryMode) {
  Random random(1);
  std::vector<std::uint32_t> sources;
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      sources.push_back(high << 16 | low);
  for (int i = 0; i < 20000; ++i) sources.push_back(random.bits() & 0x80ffffff);
  for (unsigned mode = 0; mode < 5; ++mode)
    for (std::size_t first = 0; first < sources.size(); first += 16) {
      const bool one = first % 64 == 0;  // alone, so that flags belong to one element
      auto hart = std::make_unique<Hart>();
      set_vtype(*hart, 8);
      hart->vl = one ? 1 : std::min<std::size_t>(16, sources.size() - first);
      hart->frm = static_cast<std::uint8_t>(mode);
      std::memcpy(hart->vreg(16), &sources[first], 4 * hart->vl);
      begin_floats(*hart);
      execute(*hart, narrow_word);
      end_floats(*hart);
      unsigned flags = 0;
      for (std::size_t i = 0; i < hart->vl; ++i) {
        const Narrowed expected = narrowed(sources[first + i], mode);
        std::uint16_t actual;
        std::memcpy(&actual, hart->vreg(8) + 2 * i, 2);
        ASSERT_EQ(actual, expected.bits) << std::hex << sources[first + i] << " mode " << mode;
        flags |= expected.flags;
      }
      ASSERT_EQ(hart->fflags, flags) << std::hex << sources[first] << " mode " << mode;
    }
}

TEST(VectorBrain, WideningIsExactForEveryCode) {
  for (std::uint32_t code = 0; code < 0x10000; ++code) {
    static auto hart = std::make_unique<Hart>();
    set_vtype(*hart, 8);
    hart->vl = 1;
    hart->fflags = 0;
    std::memcpy(hart->vreg(8), &code, 2);
    begin_floats(*hart);
    execute(*hart, widen_word);
    end_floats(*hart);
    std::uint32_t actual;
    std::memcpy(&actual, hart->vreg(16), 4);
    const bool nan = (code & 0x7fff) > 0x7f80;
    ASSERT_EQ(actual, nan ? 0x7fc00000 : code << 16);
    ASSERT_EQ(hart->fflags, nan && (code & 0x40) == 0 ? 16 : 0);
  }
}

TEST(VectorBrain, MultiplyAddRoundsOnce) {
  Random random(2);
  for (int trial = 0; trial < 20000; ++trial) {
    auto hart = std::make_unique<Hart>();
    set_vtype(*hart, 8);
    hart->vl = 1;
    const auto a = static_cast<std::uint16_t>(random.below(4) == 0 ? random.bits() | 0x7f80 : random.bits());
    const auto b = static_cast<std::uint16_t>(random.below(4) == 0 ? 0 : random.bits());
    const std::uint32_t c = random.below(4) == 0 ? 0x7fc00001 : random.bits();
    std::memcpy(hart->vreg(4), &a, 2);
    std::memcpy(hart->vreg(5), &b, 2);
    std::memcpy(hart->vreg(16), &c, 4);
    begin_floats(*hart);
    execute(*hart, fused_word);
    end_floats(*hart);
    const auto brain = [](std::uint16_t bits) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
    };
    float actual;
    std::memcpy(&actual, hart->vreg(16), 4);
    const float expected = std::fma(brain(a), brain(b), std::bit_cast<float>(c));
    if (std::isnan(expected)) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), 0x7fc00000u);
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(expected));
    }
    const auto is_signaling = [](float x) {
      return std::isnan(x) && (std::bit_cast<std::uint32_t>(x) & 0x400000) == 0;
    };
    const bool zero_times_infinity =
        (std::isinf(brain(a)) && brain(b) == 0) || (std::isinf(brain(b)) && brain(a) == 0);
    const bool opposite = std::isinf(std::bit_cast<float>(c)) && !std::isnan(brain(a)) &&
                          !std::isnan(brain(b)) && std::isnan(expected);
    const bool wanted = is_signaling(brain(a)) || is_signaling(brain(b)) ||
                        is_signaling(std::bit_cast<float>(c)) || zero_times_infinity || opposite;
    ASSERT_EQ((hart->fflags & 16) != 0, wanted) << std::hex << a << " " << b << " " << c;
  }
}

}  // namespace
}  // namespace dojo::isa
