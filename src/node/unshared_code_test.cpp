// Is code outside the shared text, which may change, timed and run as it stands each time?
#include <gtest/gtest.h>

#include <utility>

#include "node/core_runs_for_tests.h"

namespace dojo::node {
namespace {

using namespace core_runs;

TEST(UnsharedCode, CodeOutsideTheTextTakesTheCyclesOfTheSameCodeInIt) {
  const Bench bench(mixed_program);
  const auto run = [&](std::uint64_t end, unsigned limit) {
    CodeImage image(Bench::base, end, limit);
    BlockTiming timing(d1());
    return run_on_core(bench, image, timing, true, 1'000'000);
  };
  const CoreRun inside = run(bench.text_end, isa::max_block);
  for (const unsigned limit : {1u, 2u, isa::max_block})
    for (const std::uint64_t end : {Bench::base, Bench::base + 40, bench.text_end - 30}) {
      const CoreRun outside = run(end, limit);
      EXPECT_EQ(outside.slice.cycles, inside.slice.cycles);
      EXPECT_EQ(outside.counts, inside.counts);
      EXPECT_EQ(outside.x, inside.x);
    }
}

TEST(UnsharedCode, CodeOutsideTheTextIsNotRemembered) {
  // Patches its own code: the second visit must see the new instruction.
  const Bench bench(
      ".option norvc\nli s2, 2\nagain:\n lw t1, 0(t0)\nplace: addi a0, a0, 1\n addi s2, s2, -1\n li t2, "
      "0x00a50513\n lla "
      "t0, place\n sw t2, 0(t0)\n "
      "fence.i\n bnez s2, again\n" +
      std::string(exit_code));
  Bench movable = bench;
  movable.hart.memory.bytes = movable.sram.data();
  movable.hart.memory.text_begin = movable.hart.memory.text_end = 0;
  movable.hart.x[5] = 0x8000;
  CodeImage image(0, 0);
  BlockTiming timing(d1());
  Core core(image, timing, true);
  EXPECT_EQ(core.run(movable.hart, 1000).stop, isa::Stop::system_call);
  EXPECT_EQ(movable.hart.x[10], 11u);
  EXPECT_EQ(timing.transitions(), 0u);
}

// A loop begins in text and goes on into words behind it, of which it rewrites the first.
TEST(UnsharedCode, CodeThatRunsOnFromTextIntoWhatMayChangeIsSeenAnewEachTime) {
  constexpr std::uint64_t head = Bench::base + 0x22, patch = head + 4;
  constexpr std::uint64_t rounds = 1000;
  const Bench bench(R"(
      li a2, 0x1026
      li s1, 1000
      j head
      .balign 0x20
      c.nop
      .option norvc
    head:
      addi s1, s1, -1
    patch:
      li a0, 1
      add a1, a1, a0
      li t0, 0x00200513  # li a0, 2
      sw t0, (a2)
      fence.i
      bnez s1, head
  )" + std::string(exit_code));
  const auto run = [&](std::uint64_t text_end, unsigned limit) {
    Bench movable = bench;
    movable.hart.memory.bytes = movable.sram.data();
    movable.hart.memory.text_end = text_end;
    CodeImage image(Bench::base, text_end, limit, 10);
    BlockTiming timing(d1());
    Core core(image, timing, true);
    const Slice slice = core.run(movable.hart, 100 * rounds);
    return std::pair(slice.stop, movable.hart.x[11]);
  };
  // The last instruction that begins in text may end behind it; a byte of text is not writable.
  for (const unsigned limit : {1u, isa::max_block}) {
    for (const std::uint64_t text_end : {head - 1, head, head + 1, head + 2, head + 3, patch})
      EXPECT_EQ(run(text_end, limit), std::pair(isa::Stop::system_call, 1 + (rounds - 1) * 2))
          << text_end << " in blocks of " << limit;
    EXPECT_EQ(run(patch + 1, limit), std::pair(isa::Stop::trap, std::uint64_t{1}));
  }
}

}  // namespace
}  // namespace dojo::node
