// Do real programs get the cycles of the definition, through remembered blocks, whatever the order and number
// of host threads?
#include "node/core.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/parallel.h"
#include "base/random.h"
#include "isa/vector_config.h"
#include "node/assembly_for_test.h"
#include "node/pipeline.h"
#include "node/pipeline_reference.h"

namespace dojo::node {
namespace {

const machine::Node& d1() {
  static const machine::Node node = machine::read_machine("d1").node;
  return node;
}

constexpr std::string_view exit_code = "li a7, 93\n ecall\n";

// Blocks with and without vectors, nested loops, changing vl, divides, matrix steps, markers.
const std::string mixed_program = R"(
  lui s0, 16
  li s1, 37
  dj_mark_1: .word 0x0010200b
outer:
  vsetvli t0, s1, e32, m2, ta, ma
  vle32.v v8, (s0)
  vfadd.vv v10, v8, v8
  vfmacc.vv v12, v10, v8
  vfredusum.vs v14, v12, v8
  vfmv.f.s fa0, v14
  fadd.s fa1, fa1, fa0
  li s2, 5
inner:
  mul t1, s2, s1
  add t2, t2, t1
  ld t3, 8(s0)
  add t2, t2, t3
  addi s2, s2, -1
  bnez s2, inner
  vse32.v v12, (s0)
  divu t4, t2, s1
  addi s1, s1, -1
  bnez s1, outer
  .word 0x0020200b
  sf.vsettnt x0, s3, e16alt, w2
  li s3, 16
  sf.vsettnt x0, s3, e16alt, w2
  sf.vsettm x0, s3
  li s4, 2
  sf.vsettk x0, s4
  sf.vtzero.t mt0
  li s5, 20
matrix:
  vle16.v v0, (s0)
  vle16.v v4, (s0)
  vle16.v v8, (s0)
  vle16.v v12, (s0)
  sf.mm.f.f mt0, v0, v8
  addi s0, s0, 32
  addi s5, s5, -1
  bnez s5, matrix
)" + std::string(exit_code);

struct Outcome {
  Slice slice;
  std::map<std::uint32_t, Counts> counts;
  std::array<std::uint64_t, 32> x;
  std::vector<std::byte> memory;
};

Outcome run_on_core(const Bench& original, CodeImage& image, BlockTiming& timing, bool with_timing,
                    std::uint64_t budget) {
  Bench bench = original;
  bench.hart.memory.bytes = bench.sram.data();
  Core core(image, timing, with_timing);
  Outcome outcome;
  while (outcome.slice.stop == isa::Stop::none) {
    const Slice slice = core.run(bench.hart, budget);
    outcome.slice.stop = slice.stop;
    outcome.slice.cycles += slice.cycles;
    outcome.slice.instructions += slice.instructions;
  }
  outcome.counts = core.counts();
  outcome.x = bench.hart.x;
  outcome.memory = bench.sram;
  return outcome;
}

// The same program, traced block by block and timed by the definition.
struct Traced {
  Counts causes;
  std::uint64_t instructions = 0, cycles = 0;
  std::array<std::uint64_t, 32> x{};
  std::vector<std::byte> memory;
};

Traced run_on_reference(Bench bench) {
  bench.hart.memory.bytes = bench.sram.data();
  ReferencePipeline pipeline(d1(), 1);
  Traced traced;
  std::deque<Step> steps;
  bool stopped = false;
  while (!stopped) {
    const isa::Block block = isa::build_block(bench.hart.memory, bench.hart.pc);
    const Config config = config_of(bench.hart);
    const std::uint32_t completed = isa::run_block(bench.hart, block);
    if (bench.hart.stop == isa::Stop::trap) {
      ADD_FAILURE() << "trap at " << bench.hart.pc;
      return traced;
    }
    stopped = bench.hart.stop != isa::Stop::none;
    const Exit exit = stopped                                   ? Exit::stopped
                      : bench.hart.pc == block.pc + block.bytes ? Exit::onward
                                                                : Exit::taken;
    for (const Step& step : steps_of(block, completed, config, exit, d1()))
      pipeline.feed(0, steps.emplace_back(step));
    traced.instructions += completed;
  }
  while (!pipeline.stopped(0)) pipeline.tick();
  traced.causes = pipeline.counts(0);
  traced.cycles = static_cast<std::uint64_t>(pipeline.now());
  traced.x = bench.hart.x;
  traced.memory = bench.sram;
  return traced;
}

Counts total(const std::map<std::uint32_t, Counts>& counts) {
  Counts sum;
  for (const auto& [op, part] : counts) sum += part;
  return sum;
}

// By the instructions' meanings alone, as host code from the first run on, and changing from one to the
// other.
void expect_the_definition(const std::string& program) {
  const Bench bench(program);
  const Traced slow = run_on_reference(bench);
  for (const std::uint32_t translate_after : {never_translate, 0u, 3u}) {
    SCOPED_TRACE(translate_after);
    CodeImage image(Bench::base, bench.text_end, isa::max_block, translate_after);
    BlockTiming timing(d1());
    const Outcome fast = run_on_core(bench, image, timing, true, 100'000'000);
    EXPECT_EQ(fast.slice.stop, isa::Stop::system_call);
    EXPECT_EQ(fast.slice.cycles, slow.cycles);
    EXPECT_EQ(fast.slice.instructions, slow.instructions);
    EXPECT_EQ(fast.x, slow.x);
    EXPECT_EQ(fast.memory, slow.memory);
    const Counts sum = total(fast.counts);
    for (const Cause cause : {Cause::issue, Cause::dependency, Cause::unit, Cause::sram})
      EXPECT_EQ(sum.of(cause), slow.causes.of(cause)) << "cause " << static_cast<int>(cause);
    EXPECT_EQ(sum.cycles(), slow.cycles) << "every cycle has one cause";
  }
}

TEST(Core, AProgramTakesTheCyclesOfTheDefinition) { expect_the_definition(mixed_program); }

// Random straight-line bodies in a loop, left by conditional branches that depend on data.
TEST(Core, RandomProgramsTakeTheCyclesOfTheDefinition) {
  constexpr std::string_view bodies[] = {"add a0, a1, a2\n",
                                         "mul a2, a0, a1\n",
                                         "ld a3, 0(s0)\n",
                                         "sd a2, 8(s0)\n",
                                         "div a1, a2, s1\n",
                                         "fadd.d fa0, fa1, fa2\n",
                                         "fdiv.d fa2, fa0, fa1\n",
                                         "vle32.v v8, (s0)\n",
                                         "vfadd.vv v16, v8, v16\n",
                                         "vfmul.vf v24, v16, fa0\n",
                                         "vse32.v v24, (s0)\n",
                                         "vadd.vx v8, v8, a0\n",
                                         "vmv.x.s a1, v16\n",
                                         "vlse32.v v0, (s0), s3\n",
                                         "vsetvli t0, a4, e32, m4, ta, ma\n",
                                         "vsetvli t0, a4, e16, m2, ta, ma\n",
                                         "vmseq.vv v0, v8, v16\n",
                                         "vfredosum.vs v4, v8, v16\n",
                                         "vfdiv.vv v20, v8, v24\n",
                                         "fence\n",
                                         "andi t1, a5, 1\n beqz t1, 1f\n mul a0, a0, a0\n1:\n",
                                         "addi a4, a4, 3\n"};
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    Random random(4, seed);
    std::string program =
        "lui s0, 16\n li s1, 7\n li s3, 64\n li a4, 9\n li a5, 12\n vsetvli t0, a4, e32, m4, ta, ma\nloop:\n";
    for (std::uint64_t i = 4 + random.below(20); i != 0; --i)
      program += bodies[random.below(std::size(bodies))];
    program += "addi a5, a5, -1\n bnez a5, loop\n" + std::string(exit_code);
    SCOPED_TRACE(program);
    expect_the_definition(program);
    ASSERT_FALSE(HasFailure());
  }
}

// Moves of whole registers run without a configuration, too: the same block, vl and SEW, but for vill.
TEST(Core, ABlockIsTheSameWithAndWithoutAConfiguration) {
  expect_the_definition(
      "lui s0, 16\n li s1, 2\n vsetivli t0, 0, e8, m1, ta, ma\nloop:\n vl1re8.v v8, (s0)\n vs1r.v v8, (s0)\n"
      " addi s1, s1, -1\n li t1, -1\n vsetvl t0, x0, t1\n bnez s1, loop\n" +
      std::string(exit_code));
}

TEST(Core, CountsStandByOpAndUnit) {
  const Bench bench(mixed_program);
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  const Outcome timed = run_on_core(bench, image, timing, true, 1'000'000);
  const Outcome untimed = run_on_core(bench, image, timing, false, 1'000'000);
  EXPECT_EQ(untimed.slice.cycles, 0u);
  EXPECT_EQ(untimed.slice.instructions, timed.slice.instructions);
  EXPECT_EQ(untimed.x, timed.x);
  ASSERT_EQ(timed.counts.size(), 3u) << "start-up and two ops";
  const Counts& loop = timed.counts.at(1);
  EXPECT_EQ(loop.of(isa::Unit::multiply), 37u * 5);
  EXPECT_EQ(loop.of(isa::Unit::vector_load), 37u);
  EXPECT_EQ(loop.of(isa::Unit::divide), 37u);
  std::uint64_t elements = 0;  // vl: at most two registers of 16
  for (unsigned left = 37; left != 0; --left) elements += std::min(left, 32u);
  EXPECT_EQ(loop.value[Counts::read_bytes], elements * 4 + 37 * 5 * 8);
  EXPECT_EQ(loop.value[Counts::write_bytes], elements * 4);
  const Counts& matrix = timed.counts.at(2);
  EXPECT_EQ(matrix.value[Counts::macs], 20u * 16 * 16 * 2);
  EXPECT_EQ(matrix.value[Counts::read_bytes], 20u * 4 * 32);
  for (const auto& [op, counts] : untimed.counts)
    for (std::size_t i = 0; i < Counts::first_cause; ++i)
      EXPECT_EQ(counts.value[i], timed.counts.at(op).value[i]);
}

TEST(Core, CutIntoSlicesItTakesTheSameCycles) {
  const Bench bench(mixed_program);
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  const Outcome whole = run_on_core(bench, image, timing, true, 100'000'000);
  const Outcome cut = run_on_core(bench, image, timing, true, 1);
  EXPECT_EQ(cut.slice.cycles, whole.slice.cycles);
  EXPECT_EQ(total(cut.counts), total(whole.counts));
}

TEST(Core, HostThreadsShareWhatIsRememberedAndChangeNothing) {
  const Bench bench(mixed_program);
  CodeImage alone_image(Bench::base, bench.text_end);
  BlockTiming alone_timing(d1());
  const Outcome alone = run_on_core(bench, alone_image, alone_timing, true, 100'000'000);
  for (const std::uint32_t translate_after : {translate_after_default, 0u}) {
    CodeImage image(Bench::base, bench.text_end, isa::max_block, translate_after);
    BlockTiming timing(d1());
    std::vector<Outcome> outcomes(64);
    parallel_for(4, outcomes.size(),
                 [&](std::size_t i) { outcomes[i] = run_on_core(bench, image, timing, true, 1 + i * 7); });
    for (const Outcome& outcome : outcomes) {
      EXPECT_EQ(outcome.slice.cycles, alone.slice.cycles);
      EXPECT_EQ(outcome.counts, alone.counts);
    }
    EXPECT_EQ(timing.transitions(), alone_timing.transitions());
    EXPECT_EQ(timing.states(), alone_timing.states());
  }
}

TEST(Core, ALongLoopIsRememberedOnce) {
  const Bench bench("li a0, 0x20000\nloop:\n ld a1, 0(sp)\n addi a0, a0, -1\n bnez a0, loop\n" +
                    std::string(exit_code));
  Bench movable = bench;
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  movable.hart.memory.bytes = movable.sram.data();
  movable.hart.x[2] = 0x8000;
  Core core(image, timing, true);
  const Slice slice = core.run(movable.hart, ~std::uint64_t{0});
  EXPECT_EQ(slice.stop, isa::Stop::system_call);
  EXPECT_EQ(slice.instructions, 3u * 0x20000 + 3);
  EXPECT_LT(timing.transitions(), 12u);
}

TEST(Core, ATrapReportsItsPlaceAndCountsWhatCameBefore) {
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
TEST(Core, ATrapWaitsForAllBeforeItAndTakesACycle) {
  const auto cycles = [](std::string_view before) {
    const Bench bench(std::string(before) + ".half 0\n");
    CodeImage image(Bench::base, bench.text_end);
    BlockTiming timing(d1());
    const Outcome outcome = run_on_core(bench, image, timing, true, 1000);
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

TEST(Core, CodeOutsideTheTextTakesTheCyclesOfTheSameCodeInIt) {
  const Bench bench(mixed_program);
  const auto run = [&](std::uint64_t end, unsigned limit) {
    CodeImage image(Bench::base, end, limit);
    BlockTiming timing(d1());
    return run_on_core(bench, image, timing, true, 1'000'000);
  };
  const Outcome inside = run(bench.text_end, isa::max_block);
  for (const unsigned limit : {1u, 2u, isa::max_block})
    for (const std::uint64_t end : {Bench::base, Bench::base + 40, bench.text_end - 30}) {
      const Outcome outside = run(end, limit);
      EXPECT_EQ(outside.slice.cycles, inside.slice.cycles);
      EXPECT_EQ(outside.counts, inside.counts);
      EXPECT_EQ(outside.x, inside.x);
    }
}

TEST(Core, CodeOutsideTheTextIsNotRemembered) {
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

// The flags of one block reach a counter read blocks later, rounding follows frm at once, and counters read
// inside a slice hold all that came before.
TEST(Core, FlagsRoundingAndCountersAreCurrentWhereverTheyAreRead) {
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

TEST(Core, AConfigurationReadsTheSameFromVtype) {
  isa::Hart hart;
  const auto agrees = [&] { return config_word_of(hart).decode() == config_of(hart); };
  EXPECT_TRUE(agrees());
  for (std::uint64_t vtype = 0; vtype < 1u << 14; ++vtype)
    for (const std::uint64_t tile_m : {0u, 1u, 7u, 16u, 17u}) {
      isa::set_vtype(hart, vtype | tile_m << 16);
      hart.vl = isa::vector_length_limit(hart);
      ASSERT_TRUE(agrees()) << vtype << " " << tile_m;
    }
}

TEST(Core, ATransferIsHandedOverAfterEverythingBeforeItAndItsOwnCost) {
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

// A loop begins in text and goes on into words behind it, of which it rewrites the first.
TEST(Core, CodeThatRunsOnFromTextIntoWhatMayChangeIsSeenAnewEachTime) {
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
