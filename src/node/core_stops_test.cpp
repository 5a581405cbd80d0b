// What does a core leave at a trap, a transfer and a read of flags and counters, and what do they cost?
#include <gtest/gtest.h>

#include "node/core_runs_for_tests.h"

namespace dojo::node {
namespace {

using namespace core_runs;

TEST(CoreStops, ATrapReportsItsPlaceAndCountsWhatCameBefore) {
  const Bench bench("li a0, 1\n li a1, 2\n lui a2, 0x7ff\n ld a3, 0(a2)\n li a4, 4\n" +
                    std::string(exit_code));
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  Bench movable = bench;
  movable.hart.memory.bytes = movable.sram.data();
  Core core(image, timing, true);
  const Slice slice = core.run(movable.hart, 1000);
  EXPECT_EQ(slice.stop, isa::Stop::trap);
  EXPECT_EQ(slice.instructions, 3u);
  EXPECT_EQ(movable.hart.trap, isa::TrapCause::load_fault);
  const isa::Block block = bench.block();
  EXPECT_EQ(movable.hart.pc,
            Bench::base + block.code[0].length + block.code[1].length + block.code[2].length);
}

// As a system instruction in its place would, wherever its block begins and whatever is on its way.
TEST(CoreStops, ATrapWaitsForAllBeforeItAndTakesACycle) {
  const auto cycles = [](std::string_view before) {
    const Bench bench(std::string(before) + ".half 0\n");
    CodeImage image(Bench::base, bench.text_end);
    BlockTiming timing(d1());
    const CoreRun outcome = run_on_core(bench, image, timing, true, 1000);
    EXPECT_EQ(outcome.slice.stop, isa::Stop::trap);
    EXPECT_EQ(total(outcome.counts).cycles(), outcome.slice.cycles);
    return outcome.slice.cycles;
  };
  const std::uint64_t own = d1().alu_cycles;
  EXPECT_EQ(cycles(""), own);
  EXPECT_EQ(cycles("add a0, a1, a2\n"), 1 + own);
  EXPECT_EQ(cycles("div a0, a1, a2\n"), d1().divide_cycles + own);
  EXPECT_EQ(cycles("div a0, a1, a2\n li a3, 0\n csrr a4, fflags\n"), d1().divide_cycles + 1 + own);
  EXPECT_EQ(cycles("j 1f\n .balign 8\n1:\n"), 1 + d1().branch_taken_cycles + own);
  EXPECT_EQ(cycles("div a0, a1, a2\n j 1f\n .balign 8\n1:\n"), d1().divide_cycles + own);
}

// The flags of one block reach a counter read blocks later, rounding follows frm at once, and counters read
// inside a slice hold all that came before.
TEST(CoreStops, FlagsRoundingAndCountersAreCurrentWhereverTheyAreRead) {
  Bench bench(R"(
    li a0, 1
    li a1, 3
    fcvt.s.w fa0, a0
    fcvt.s.w fa1, a1
    li s2, 3
  again:
    fdiv.s fa2, fa0, fa1
    addi s2, s2, -1
    bnez s2, again
    csrr s3, fflags
    csrr s4, instret
    csrr s5, cycle
    li t0, 0x40
    csrw fcsr, t0
    j onward
  onward:
    fdiv.s fa3, fa0, fa1
    csrr s6, fflags
    csrw fcsr, x0
    fdiv.s fa4, fa0, fa1
    fdiv.s fa5, fa0, fa0
)" + std::string(exit_code));
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  Core core(image, timing, true);
  const Slice first = core.run(bench.hart, 1000);
  EXPECT_EQ(first.stop, isa::Stop::none);
  EXPECT_EQ(first.clock_register, 21);
  EXPECT_EQ(bench.hart.cycle, first.cycles) << "of the clock's read and all before";
  Slice slice = core.run(bench.hart, 1000);
  EXPECT_EQ(slice.clock_register, -1);
  slice.instructions += first.instructions;
  slice.cycles += first.cycles;
  const auto& x = bench.hart.x;
  EXPECT_EQ(slice.stop, isa::Stop::system_call);
  EXPECT_EQ(x[19], 1u);
  EXPECT_EQ(x[20], 5u + 3 * 3 + 1);
  EXPECT_GE(x[21], 3 * d1().scalar_float_divide_cycles);
  EXPECT_LT(x[21], slice.cycles);
  EXPECT_EQ(x[22], 1u);
  EXPECT_EQ(bench.hart.f[13], 0xffffffff3eaaaaaa);  // a third, downwards
  EXPECT_EQ(bench.hart.f[14], 0xffffffff3eaaaaab);  // to nearest
  EXPECT_EQ(bench.hart.fflags, 1);
  EXPECT_EQ(bench.hart.instructions, slice.instructions);
  EXPECT_EQ(bench.hart.cycle, slice.cycles);
}

TEST(CoreStops, ATransferIsHandedOverAfterEverythingBeforeItAndItsOwnCost) {
  const std::string put = ".word 0x0000000b\n";  // dj.put x0, x0, x0, x0
  const Bench bench("div a0, a1, a2\n" + put);
  Bench movable = bench;
  movable.hart.memory.bytes = movable.sram.data();
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  Core core(image, timing, true);
  const Slice slice = core.run(movable.hart, 1000);
  EXPECT_EQ(slice.stop, isa::Stop::transfer);
  EXPECT_EQ(slice.cycles, d1().divide_cycles + d1().transfer_issue_cycles);
  EXPECT_EQ(movable.hart.cycle, slice.cycles);
}

}  // namespace
}  // namespace dojo::node
