// The matrix unit against definitions written here, from docs/matrix.md alone.
#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <memory>

#include "base/random.h"
#include "isa/block.h"
#include "isa/float_host.h"
#include "isa/matrix_step.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr unsigned register_bytes = 64;
constexpr std::uint64_t e8_w4 = 0x600, e16_w2 = 0x408, bf16_w2 = 0x508, e32_w1 = 0x210;

struct TileHart {
  std::unique_ptr<Hart> hart = std::make_unique<Hart>();
  TileHart() { begin_floats(*hart); }

  void configure(std::uint64_t vtype, unsigned tm, unsigned tn, unsigned tk) {
    set_vtype(*hart, vtype | std::uint64_t{tk} << 11 | std::uint64_t{tm} << 16);
    hart->vl = tn;
  }
  bool run(std::uint32_t word) {
    hart->stop = Stop::none;
    const Decoded d = decode(word, 0);
    execute_alone(*hart, d);
    hart->fflags |= flags_of_mxcsr(_mm_getcsr());
    return hart->stop == Stop::none;
  }
  float tile(unsigned mt, unsigned m, unsigned n) const {
    float value;
    std::memcpy(&value, hart->tiles.data() + mt * 256 + (m * 16 + n) * 4, 4);
    return value;
  }
  void set_tile(unsigned mt, unsigned m, unsigned n, float value) {
    std::memcpy(hart->tiles.data() + mt * 256 + (m * 16 + n) * 4, &value, 4);
  }
  template <typename T>
  T element(unsigned r, unsigned i) const {
    T value;
    std::memcpy(&value, hart->v.data() + r * register_bytes + i * sizeof(T), sizeof(T));
    return value;
  }
  template <typename T>
  void set_element(unsigned r, unsigned i, T value) {
    std::memcpy(hart->v.data() + r * register_bytes + i * sizeof(T), &value, sizeof(T));
  }
};

std::uint32_t multiply(std::uint32_t match, unsigned mt, unsigned a, unsigned b) {
  return match | mt << 8 | a << 20 | b << 15;
}

constexpr std::uint32_t mm_f_f = 0xf2001077;

double small_float(unsigned bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(bits) & ((1 << fraction_bits) - 1);
  const bool negative = (bits >> (exponent_bits + fraction_bits) & 1) != 0;
  double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                               : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
  if (exponent_bits == 5 && exponent == 31) value = fraction == 0 ? INFINITY : NAN;
  if (exponent_bits == 4 && exponent == 15 && fraction == 7) value = NAN;
  return negative ? -value : value;
}

void expect_bits(float actual, double expected, const char* what, unsigned a, unsigned b) {
  const float wanted =
      std::isnan(expected) ? std::bit_cast<float>(0x7fc00000u) : static_cast<float>(expected);
  ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(wanted))
      << what << " " << a << " * " << b;
}

// All pairs of 8-bit codes, all four pairs of formats: 256 x 256 products in 16 x 16 tiles.
TEST(Matrix, Fp8ProductsAreExactForAllCodes) {
  struct Case {
    std::uint32_t match;
    int a_exponent, b_exponent;
  };
  for (const Case c :
       {Case{0xfa001077, 5, 5}, Case{0xfa0010f7, 5, 4}, Case{0xfe001077, 4, 5}, Case{0xfe0010f7, 4, 4}}) {
    TileHart machine;
    for (unsigned block = 0; block < 256; ++block) {
      const unsigned a0 = block / 16 * 16, b0 = block % 16 * 16;
      for (unsigned i = 0; i < 16; ++i) {
        machine.set_element(8, i, static_cast<std::uint8_t>(a0 + i));
        machine.set_element(16, i, static_cast<std::uint8_t>(b0 + i));
      }
      machine.hart->tiles.fill(std::byte{0});
      machine.configure(e8_w4, 16, 16, 1);
      ASSERT_TRUE(machine.run(multiply(c.match, 4, 8, 16)));
      for (unsigned m = 0; m < 16; ++m)
        for (unsigned n = 0; n < 16; ++n) {
          const double product = small_float(a0 + m, c.a_exponent, 7 - c.a_exponent) *
                                 small_float(b0 + n, c.b_exponent, 7 - c.b_exponent);
          // 0 + -0 is +0.
          expect_bits(machine.tile(4, m, n), product == 0 ? 0.0 : product, "fp8", a0 + m, b0 + n);
        }
    }
  }
}

TEST(Matrix, IntegerProductsWrapForAllCodes) {
  for (const std::uint32_t match : {0xf2000077u, 0xf6000077u, 0xf20000f7u, 0xf60000f7u}) {
    const bool a_signed = (match >> 26 & 1) != 0, b_signed = (match >> 7 & 1) != 0;
    TileHart machine;
    for (unsigned block = 0; block < 256; ++block) {
      std::uint32_t start = 0x7ffffff0;
      float start_bits;
      std::memcpy(&start_bits, &start, 4);
      for (unsigned i = 0; i < 16; ++i) {
        machine.set_element(24, i, static_cast<std::uint8_t>(block / 16 * 16 + i));
        machine.set_element(0, i, static_cast<std::uint8_t>(block % 16 * 16 + i));
        for (unsigned j = 0; j < 16; ++j) machine.set_tile(12, i, j, start_bits);
      }
      machine.configure(e8_w4, 16, 16, 1);
      ASSERT_TRUE(machine.run(multiply(match, 12, 24, 0)));
      for (unsigned m = 0; m < 16; ++m)
        for (unsigned n = 0; n < 16; ++n) {
          const unsigned a = block / 16 * 16 + m, b = block % 16 * 16 + n;
          const std::int64_t av = a_signed ? static_cast<std::int8_t>(a) : static_cast<std::int64_t>(a);
          const std::int64_t bv = b_signed ? static_cast<std::int8_t>(b) : static_cast<std::int64_t>(b);
          ASSERT_EQ(std::bit_cast<std::uint32_t>(machine.tile(12, m, n)),
                    static_cast<std::uint32_t>(start + av * bv))
              << a << " " << b;
        }
    }
  }
}

float random_float(Random& random) {
  switch (random.below(12)) {
    case 0:
      return 0.0f;
    case 1:
      return -0.0f;
    case 2:
      return INFINITY;
    case 3:
      return std::bit_cast<float>(0x7fa00001u);  // signalling
    case 4:
      return NAN;
    case 5:
      return std::bit_cast<float>(random.bits() & 0x807fffff);
    case 6:
      return std::bit_cast<float>(random.bits());
    default:
      return std::ldexp(static_cast<float>(random.uniform(-1, 1)), static_cast<int>(random.below(8)));
  }
}

// Row k of A lies in register vs2 + k * 8 / KMAX, one element per row of the tile; B alike, one per column.
TEST(Matrix, FloatStepsFollowTheLayoutAndTheOrder) {
  Random random(1);
  const std::uint64_t configurations[] = {e16_w2, bf16_w2, e32_w1};
  for (int trial = 0; trial < 3000; ++trial) {
    TileHart machine;
    const bool wild = trial % 3 == 0;
    const unsigned kind = static_cast<unsigned>(random.below(3)), k_max = kind == 2 ? 1 : 2;
    const unsigned tm = static_cast<unsigned>(random.below(17)),
                   tn = random.below(2) != 0 ? 16 : static_cast<unsigned>(random.below(17));
    const unsigned tk = static_cast<unsigned>(random.below(k_max + 1)),
                   mt = 4 * static_cast<unsigned>(random.below(4));
    const unsigned a = 8 * static_cast<unsigned>(random.below(4)),
                   b = 8 * static_cast<unsigned>(random.below(4));
    const auto number = [&] {
      return wild && random.below(4) == 0 ? random_float(random) : static_cast<float>(random.uniform(-2, 2));
    };
    for (unsigned r = 0; r < 32; ++r)
      for (unsigned i = 0; i < 16; ++i) {
        const float x = number();
        if (kind == 0)
          machine.set_element(r, i, static_cast<std::uint16_t>(random.bits() & (wild ? 0xffff : 0xbfff)));
        if (kind == 1)
          machine.set_element(r, i, static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16));
        if (kind == 2) machine.set_element(r, i, x);
      }
    for (unsigned m = 0; m < 16; ++m)
      for (unsigned n = 0; n < 16; ++n) machine.set_tile(mt, m, n, number());
    TileHart before;
    *before.hart = *machine.hart;
    machine.configure(configurations[kind], tm, tn, tk);
    machine.hart->frm = static_cast<std::uint8_t>(random.below(5));
    begin_floats(*machine.hart);
    ASSERT_TRUE(machine.run(multiply(mm_f_f, mt, a, b)));

    const auto operand = [&](unsigned r, unsigned k, unsigned i) -> float {
      if (kind == 2) return before.element<float>(r, i);
      const auto half = before.element<std::uint16_t>(r + 4 * k, i);
      return kind == 1 ? std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16)
                       : static_cast<float>(small_float(half, 5, 10));
    };
    _mm_setcsr(0x1f80);
    for (unsigned m = 0; m < 16; ++m)
      for (unsigned n = 0; n < 16; ++n) {
        float sum = before.tile(mt, m, n);
        const bool inside = m < tm && n < tn;
        if (inside)
          for (unsigned k = 0; k < tk; ++k) sum = std::fma(operand(a, k, m), operand(b, k, n), sum);
        if (inside && tk > 0 && std::isnan(sum)) sum = std::bit_cast<float>(0x7fc00000u);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(machine.tile(mt, m, n)), std::bit_cast<std::uint32_t>(sum))
            << "kind " << kind << " m " << m << " n " << n;
      }
  }
}

// The fast step raises exactly the flags of the fused multiply-adds it stands for, no less and no more.
TEST(Matrix, FastStepsEqualTheDefinitionWithFlags) {
  Random random(2);
  for (int trial = 0; trial < 20000; ++trial) {
    MatrixOperands operands;
    operands.tm = static_cast<unsigned>(random.below(17));
    operands.tn = random.below(2) != 0 ? 16 : static_cast<unsigned>(random.below(17));
    operands.tk = static_cast<unsigned>(random.below(5));
    std::array<std::array<float, 256>, 3> tiles;
    const bool wild = random.below(2) != 0;
    const auto number = [&] {
      return wild && random.below(40) == 0 ? random_float(random) : static_cast<float>(random.below(64));
    };
    for (auto& row : operands.a)
      for (auto& x : row) x = number();
    for (auto& row : operands.b)
      for (auto& x : row) x = number();
    for (auto& x : tiles[0]) x = number();
    tiles[2] = tiles[1] = tiles[0];
    std::array<std::uint8_t, 3> flags{};
    _mm_setcsr(0x1f80);
    matrix_step(tiles[0].data(), operands, flags[0]);
    flags[0] |= flags_of_mxcsr(_mm_getcsr());
    _mm_setcsr(0x1f80);
    matrix_step_defined(tiles[1].data(), operands, flags[1]);
    flags[1] |= flags_of_mxcsr(_mm_getcsr());
    ASSERT_EQ(0, std::memcmp(tiles[0].data(), tiles[1].data(), sizeof tiles[0]));
    ASSERT_EQ(flags[0], flags[1]) << "tm " << operands.tm << " tn " << operands.tn;
    _mm_setcsr(0x1f80);
    matrix_step_portable(tiles[2].data(), operands, flags[2]);
    flags[2] |= flags_of_mxcsr(_mm_getcsr());
    ASSERT_EQ(0, std::memcmp(tiles[2].data(), tiles[1].data(), sizeof tiles[0]));
    ASSERT_EQ(flags[2], flags[1]) << "tm " << operands.tm << " tn " << operands.tn;
  }
}

TEST(Matrix, ConfigurationGrantsWhatATileHolds) {
  TileHart machine;
  Hart& hart = *machine.hart;
  hart.x[10] = 1000;
  const auto vsettnt = [](unsigned vtype) { return 0x00057057u | vtype << 20 | 5 << 7; };  // t0, a0
  ASSERT_TRUE(machine.run(vsettnt(bf16_w2)));
  EXPECT_EQ(hart.x[5], 16u);
  EXPECT_TRUE(hart.altfmt);
  EXPECT_EQ(hart.tile_m, 0);
  ASSERT_TRUE(machine.run(0x841572d7));  // sf.vsettm t0, a0
  EXPECT_EQ(hart.tile_m, 16);
  ASSERT_TRUE(machine.run(0x842572d7));  // sf.vsettk t0, a0
  EXPECT_EQ(hart.x[5], 2u);
  EXPECT_EQ(hart.vtype >> 16, 16u);
  hart.x[10] = 3;
  ASSERT_TRUE(machine.run(0x840572d7));  // sf.vsettn t0, a0
  EXPECT_EQ(hart.vl, 3u);
  ASSERT_TRUE(machine.run(vsettnt(0x010)));  // vsetvli t0, a0, e32, m1
  ASSERT_TRUE(machine.run(0x841572d7));
  EXPECT_TRUE(hart.vill) << "tm exists in a matrix configuration only";
}

// clang 22 leaves altfmt set when it goes on from a step on bf16 to other widths (LLVM's pull request
// 191960).
TEST(Matrix, AltfmtMayStandWhereNobodyNeedsIt) {
  TileHart machine;
  Hart& hart = *machine.hart;
  std::vector<std::byte> ram(4096);
  hart.memory = {.bytes = ram.data(), .base = 0, .size = ram.size()};
  constexpr std::uint64_t altfmt = 0x100;
  hart.x[11] = 64;
  for (const std::uint64_t sew : {0, 1, 2, 3}) {
    const auto slice = [&](std::uint32_t match) { return match + (static_cast<std::uint32_t>(sew) << 29); };
    machine.configure(altfmt | 1 << 9 | sew << 3, 4, 4, 1);
    EXPECT_TRUE(machine.run(slice(0x12a5f027))) << "sf.vste a0, (a1) of width " << (8 << sew);
    EXPECT_TRUE(machine.run(slice(0x12a5f007))) << "sf.vlte";
    EXPECT_TRUE(machine.run(0x43f56457)) << "sf.vtmv.v.t v8, a0";
    machine.configure(altfmt | sew << 3, 0, 4, 0);
    EXPECT_FALSE(hart.vill);
    constexpr std::uint32_t vle[] = {0x02058407, 0x0205d407, 0x0205e407, 0x0205f407};
    EXPECT_TRUE(machine.run(vle[sew])) << "vle v8, (a1)";
    EXPECT_TRUE(machine.run(0x02840457)) << "vadd.vv v8, v8, v8";
  }
  for (const std::uint64_t reserved : {e8_w4, e32_w1, std::uint64_t{0x218}}) {
    machine.configure(reserved, 4, 4, 1);
    const std::uint32_t step = multiply(reserved == e8_w4 ? 0xf2000077 : mm_f_f, 0, 8, 16);
    EXPECT_TRUE(machine.run(step));
    machine.configure(reserved | altfmt, 4, 4, 1);
    EXPECT_FALSE(machine.run(step)) << "a step in " << std::hex << reserved;
  }
}

TEST(Matrix, SlicesMoveByRowAndByColumn) {
  TileHart machine;
  Hart& hart = *machine.hart;
  std::vector<std::byte> ram(4096);
  hart.memory = {.bytes = ram.data(), .base = 0, .size = ram.size()};
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 16; ++n) machine.set_tile(8, m, n, static_cast<float>(100 * m + n));
  machine.configure(e32_w1, 16, 16, 1);
  hart.x[11] = 64;  // address
  for (unsigned i = 0; i < 16; ++i) {
    hart.x[10] = 8u << 27 | 1u << 24 | i;  // column i of mt8
    ASSERT_TRUE(machine.run(0x52a5f027));  // sf.vste32 a0, (a1)
    ASSERT_TRUE(machine.run(0x43f56457));  // sf.vtmv.v.t v8, a0
    hart.x[10] = i;                        // row i of mt0
    ASSERT_TRUE(machine.run(0x5e856057));  // sf.vtmv.t.v a0, v8
    float value;
    for (unsigned j = 0; j < 16; ++j) {
      std::memcpy(&value, ram.data() + 64 + 4 * j, 4);
      EXPECT_EQ(value, static_cast<float>(100 * j + i));
      EXPECT_EQ(machine.tile(0, i, j), static_cast<float>(100 * j + i));
    }
    hart.x[10] = 4u << 27 | 1u << 24 | i;  // column i of mt4
    ASSERT_TRUE(machine.run(0x52a5f007));  // sf.vlte32 a0, (a1)
    EXPECT_EQ(machine.tile(4, 5, i), static_cast<float>(500 + i));
  }
  hart.x[10] = 16;
  EXPECT_FALSE(machine.run(0x52a5f027)) << "a tile has 16 rows";
  hart.x[10] = 1u << 27;
  EXPECT_FALSE(machine.run(0x52a5f027)) << "mt1 holds no 32-bit tile";
  hart.x[10] = 0;
  hart.x[11] = 4090;
  EXPECT_FALSE(machine.run(0x52a5f027));
  EXPECT_EQ(hart.trap, TrapCause::store_fault);
}

TEST(Matrix, WhatDoesNotExistTraps) {
  TileHart machine;
  machine.configure(bf16_w2, 16, 16, 2);
  EXPECT_FALSE(machine.run(multiply(mm_f_f, 2, 8, 16))) << "mt2 is no tile of 32-bit elements";
  EXPECT_FALSE(machine.run(multiply(mm_f_f, 0, 12, 16))) << "row 1 of A would lie in the next group";
  EXPECT_FALSE(machine.run(multiply(0xf2000077, 0, 8, 16))) << "int8 needs SEW = 8";
  set_vtype(*machine.hart, 0x10);
  EXPECT_FALSE(machine.run(multiply(mm_f_f, 0, 8, 16))) << "no matrix configuration";
}

}  // namespace
}  // namespace dojo::isa
