// Does a step on FP64 tiles do what fmadd.d (checked against qemu) does to every element of it?
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "isa/corners_for_tests.h"
#include "isa/float_host.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr std::uint64_t e64_w1 = 0x218;
constexpr unsigned edge = 8;

std::uint32_t multiply(unsigned mt, unsigned a, unsigned b) {
  return 0xf2001077 | mt << 8 | a << 20 | b << 15;
}

struct Machine {
  std::unique_ptr<Hart> hart = std::make_unique<Hart>();

  bool run(std::uint32_t word) {
    hart->stop = Stop::none;
    begin_floats(*hart);
    execute_alone(*hart, decode(word, 0));
    end_floats(*hart);
    return hart->stop == Stop::none;
  }
  void configure(unsigned tm, unsigned tn, unsigned tk) {
    set_vtype(*hart, e64_w1 | tk << 11 | tm << 16);
    hart->vl = tn;
  }
  std::uint64_t& of_tile(unsigned mt, unsigned m, unsigned n) {
    return reinterpret_cast<std::uint64_t*>(hart->tiles.data())[mt * 32 + m * edge + n];
  }
  std::uint64_t& of_register(unsigned r, unsigned i) {
    return reinterpret_cast<std::uint64_t*>(hart->vreg(r))[i];
  }
};

// fmadd.d f3, f0, f1, f2, rne
std::uint64_t fused(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint8_t& flags) {
  Machine scalar;
  scalar.hart->f[0] = a;
  scalar.hart->f[1] = b;
  scalar.hart->f[2] = c;
  EXPECT_TRUE(scalar.run(0x121001c3));
  flags |= scalar.hart->fflags;
  return scalar.hart->f[3];
}

TEST(MatrixDouble, StepsAreFmaddOnEveryElementInside) {
  Random random(1);
  for (int trial = 0; trial < 400; ++trial) {
    Machine machine;
    Hart& hart = *machine.hart;
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random.below(n)); };
    const unsigned mt = 2 * below(8), a = below(32), b = below(32), tk = below(4) == 0 ? 0 : 1;
    const unsigned tm = below(2) == 0 ? edge : below(edge + 1), tn = below(2) == 0 ? edge : below(edge + 1);
    hart.vlen_bits = below(4) == 0 ? 1024 : 512;
    for (unsigned r = 0; r < 32; ++r)
      for (unsigned i = 0; i < hart.vlen_bits / 64; ++i) machine.of_register(r, i) = corner_float(random, 64);
    for (unsigned i = 0; i < 512; ++i) machine.of_tile(0, 0, i) = corner_float(random, 64);
    hart.frm = static_cast<std::uint8_t>(below(5));
    machine.configure(tm, tn, tk);
    ASSERT_FALSE(hart.vill);
    Machine before;
    *before.hart = hart;
    ASSERT_TRUE(machine.run(multiply(mt, a, b)));

    std::uint8_t flags = 0;
    for (unsigned m = 0; m < tm; ++m)
      for (unsigned n = 0; n < tn && tk == 1; ++n)
        before.of_tile(mt, m, n) =
            fused(before.of_register(a, m), before.of_register(b, n), before.of_tile(mt, m, n), flags);
    EXPECT_EQ(hart.tiles, before.hart->tiles) << "mt" << mt << " tm " << tm << " tn " << tn;
    EXPECT_EQ(hart.fflags, flags);
  }
}

// LMUL of the configuration: two registers for a row at VLEN 256, four at 128.
TEST(MatrixDouble, WhatDoesNotExistTraps) {
  Machine machine;
  machine.configure(8, 8, 1);
  EXPECT_TRUE(machine.run(multiply(2, 3, 5)));
  EXPECT_FALSE(machine.run(multiply(0, 8, 16) | 1u << 8)) << "mt1 holds no 64-bit tile";
  machine.hart->vlen_bits = 256;
  set_vtype(*machine.hart, 0);
  machine.configure(8, 8, 1);
  EXPECT_TRUE(machine.run(multiply(14, 2, 4)));
  EXPECT_FALSE(machine.run(multiply(0, 3, 4)));
  set_vtype(*machine.hart, 0x018);
  EXPECT_FALSE(machine.run(multiply(0, 8, 16))) << "no matrix configuration";
  set_vtype(*machine.hart, 0x418);
  EXPECT_TRUE(machine.hart->vill) << "64-bit elements do not widen";
}

}  // namespace
}  // namespace dojo::isa
