// Are the control and status registers what the privileged architecture says?
#include "isa/csr.h"

#include <gtest/gtest.h>

#include <memory>

#include "isa/block.h"
#include "isa/machine_mode.h"
#include "isa/one_instruction_test.h"

namespace dojo::isa {
namespace {

enum Kind : std::uint32_t { csrrw = 1, csrrs = 2, csrrc = 3 };
constexpr unsigned a0 = 10, a1 = 11;

// One CSR instruction on a0 and a1; false if it traps.
bool access(Hart& hart, Kind kind, std::uint32_t number, unsigned rd = a0, unsigned rs1 = 0) {
  hart.stop = Stop::none;
  execute_alone(hart, decode(number << 20 | rs1 << 15 | kind << 12 | rd << 7 | 0x73, 0));
  return hart.stop != Stop::trap;
}

TEST(Csr, WhatMachineModeMustHaveIsThereAndReadsAsZeroWhereNothingIsBehindIt) {
  const auto hart = std::make_unique<Hart>();
  hart->x[a1] = ~std::uint64_t{0};
  const auto expect_zero = [&](std::uint32_t number, bool writable) {
    EXPECT_TRUE(access(*hart, csrrs, number)) << std::hex << number;
    EXPECT_EQ(hart->x[a0], 0u) << std::hex << number;
    EXPECT_EQ(access(*hart, csrrw, number, a0, a1), writable) << std::hex << number;
    EXPECT_TRUE(access(*hart, csrrs, number));
    EXPECT_EQ(hart->x[a0], 0u) << std::hex << number;
  };
  for (std::uint32_t i = 3; i < 32; ++i) {
    expect_zero(0xb00 + i, true);   // mhpmcounter
    expect_zero(0x320 + i, true);   // mhpmevent
    expect_zero(0xc00 + i, false);  // hpmcounter
  }
  expect_zero(0x320, true);   // mcountinhibit
  expect_zero(0xf15, false);  // mconfigptr
  EXPECT_FALSE(access(*hart, csrrs, 0xb01));
  EXPECT_FALSE(access(*hart, csrrs, 0x321));
  EXPECT_FALSE(access(*hart, csrrs, 0xb20));
}

TEST(Csr, EveryRowIsFoundByItsNumberOnly) {
  for (const Csr& csr : csrs()) EXPECT_EQ(find_csr(csr.number), &csr);
  unsigned found = 0;
  for (unsigned number = 0; number < 5000; ++number) found += find_csr(number) != nullptr;
  EXPECT_EQ(found, csrs().size());
}

TEST(Csr, UserModeReadsTheCountersThatMcounterenNames) {
  const auto hart = std::make_unique<Hart>();
  for (std::uint32_t i = 0; i < 32; ++i) {
    hart->machine.user = false;
    hart->x[a1] = std::uint64_t{1} << i;
    ASSERT_TRUE(access(*hart, csrrw, 0x306, 0, a1));
    hart->machine.user = true;
    for (std::uint32_t other = 0; other < 32; ++other)
      EXPECT_EQ(access(*hart, csrrs, 0xc00 + other), other == i) << other;
    EXPECT_FALSE(access(*hart, csrrs, 0xb03));
  }
  EXPECT_TRUE(access(*hart, csrrs, 0xc20)) << "vl is no counter";
}

// "If an instruction writes minstret, the write takes precedence over the increment."
TEST(Csr, MinstretIsSetBehindTheInstructionThatSetsIt) {
  const auto hart = std::make_unique<Hart>();
  const auto counted = [&](Kind kind, std::uint32_t number, unsigned rd, unsigned rs1) {
    EXPECT_TRUE(access(*hart, kind, number, rd, rs1));
    hart->instructions += 1;
  };
  hart->instructions = 1000;
  hart->x[a1] = 7;
  counted(csrrw, 0xb02, a0, a1);
  EXPECT_EQ(hart->x[a0], 1000u);
  counted(csrrs, 0xc02, a0, 0);
  EXPECT_EQ(hart->x[a0], 7u);
  counted(csrrs, 0xb02, a0, a1);  // 8 | 7
  EXPECT_EQ(hart->x[a0], 8u);
  counted(csrrs, 0xb02, a0, 0);
  EXPECT_EQ(hart->x[a0], 15u);
  EXPECT_EQ(hart->instructions, 1004u) << "the launch's own count is not the program's to set";
}

// Whoever owns the clock repeats the access with what it really was.
TEST(Csr, McycleIsSetFromTheClockThatIsToldAfterwards) {
  const auto hart = std::make_unique<Hart>();
  hart->cycle = 100;
  hart->x[a1] = 5000;
  EXPECT_TRUE(access(*hart, csrrw, 0xb00, a1, a1));
  EXPECT_EQ(hart->x[a1], 100u);
  hart->cycle = 130;
  settle_clock(*hart);
  EXPECT_EQ(hart->x[a1], 130u);
  hart->cycle = 140;
  EXPECT_TRUE(access(*hart, csrrs, 0xc00));
  EXPECT_EQ(hart->x[a0], 5010u);
  EXPECT_TRUE(access(*hart, csrrs, 0xc01));
  EXPECT_EQ(hart->x[a0], 140u) << "time cannot be set";

  hart->x[a1] = 1;
  EXPECT_TRUE(access(*hart, csrrs, 0xb00, a0, a1));
  hart->cycle = 141;
  settle_clock(*hart);
  EXPECT_EQ(hart->x[a0], 5011u);
  EXPECT_TRUE(access(*hart, csrrc, 0xb00, a0, a1));
  hart->cycle = 142;
  settle_clock(*hart);
  EXPECT_EQ(hart->x[a0], 5012u);
  EXPECT_TRUE(access(*hart, csrrs, 0xb00));
  EXPECT_EQ(hart->x[a0], 5012u);
}

TEST(Csr, FsAndVsAreOffOrDirtyAndSdSumsThemUp) {
  constexpr std::uint64_t fs = 3 << 13, vs = 3 << 9, sd = std::uint64_t{1} << 63;
  const auto hart = std::make_unique<Hart>();
  EXPECT_EQ(mstatus(*hart) & (fs | vs | sd), fs | vs | sd);
  for (unsigned f = 0; f < 4; ++f)
    for (unsigned v = 0; v < 4; ++v) {
      write_mstatus(*hart, std::uint64_t{f} << 13 | std::uint64_t{v} << 9);
      EXPECT_EQ(mstatus(*hart) & (fs | vs | sd), (f ? fs : 0) | (v ? vs : 0) | (f || v ? sd : 0));
      for (const std::uint32_t number : {1, 2, 3}) EXPECT_EQ(access(*hart, csrrs, number), f != 0);
      for (const std::uint32_t number : {8, 9, 10, 15, 0xc20, 0xc21, 0xc22})
        EXPECT_EQ(access(*hart, csrrs, number), v != 0);
    }
}

TEST(Csr, EveryRowOfFloatsAndVectorsNeedsItsRegistersOn) {
  const auto needed = [](std::string_view mnemonic) {
    for (const Row* row : all_rows())
      if (row->mnemonic == mnemonic) return int{state_needed(*row)};
    return -1;
  };
  const auto both = float_state | vector_state;
  for (const char* name : {"fld", "fsw", "fadd.d", "fmv.x.w", "fmv.d.x", "fclass.s", "fcvt.s.bf16"})
    EXPECT_EQ(needed(name), float_state) << name;
  for (const char* name : {"vadd.vv", "vle8.v", "vs8r.v", "vsetvli", "vmv.x.s", "vid.v", "sf.vlte32",
                           "sf.vtdiscard", "sf.vtzero.t", "sf.vsettnt", "sf.mm.u.u", "vcompress.vm"})
    EXPECT_EQ(needed(name), vector_state) << name;
  for (const char* name : {"vfadd.vv", "vfmv.v.f", "vfmv.f.s", "vfclass.v", "vfwcvtbf16.f.f.v", "vfmerge.vfm",
                           "vfslide1up.vf", "sf.mm.f.f"})
    EXPECT_EQ(needed(name), both) << name;
  for (const char* name : {"add", "ld", "sd", "amoadd.w", "csrrw", "fence", "ecall", "dj.put", "dj.mark"})
    EXPECT_EQ(needed(name), 0) << name;
  for (const Row* row : all_rows()) {
    const std::string_view extension = row->extension;
    const bool floats = extension == "F" || extension == "D" || extension == "Zfh" || extension == "Zfbfmin";
    const bool vectors = extension.starts_with("V") || extension.starts_with("Zv") || extension == "XSfmm";
    EXPECT_TRUE(!floats || (state_needed(*row) & float_state)) << row->mnemonic;
    EXPECT_TRUE(!vectors || (state_needed(*row) & vector_state)) << row->mnemonic;
  }
}

}  // namespace
}  // namespace dojo::isa
