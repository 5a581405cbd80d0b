// Do real programs get the cycles of the definition, through remembered blocks, whatever the order and number
// of host threads?
#include "node/core.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/parallel.h"
#include "base/random.h"
#include "isa/vector_config.h"
#include "node/core_runs_for_tests.h"
#include "node/pipeline.h"
#include "node/pipeline_reference.h"

namespace dojo::node {
namespace {

using namespace core_runs;

// The same program, run block by block and timed by the definition.
struct Definition {
  Counts causes;
  std::uint64_t instructions = 0, cycles = 0;
  std::array<std::uint64_t, 32> x{};
  std::vector<std::byte> memory;
};

Definition run_on_reference(Bench bench) {
  bench.hart.memory.bytes = bench.sram.data();
  ReferencePipeline pipeline(d1(), 1);
  Definition outcome;
  std::deque<TimedInstruction> instructions;
  bool stopped = false;
  while (!stopped) {
    const isa::Block block = isa::build_block(bench.hart.memory, bench.hart.pc);
    const Config config = config_of(bench.hart);
    const std::uint32_t completed = isa::run_block(bench.hart, block);
    if (bench.hart.stop == isa::Stop::trap) {
      ADD_FAILURE() << "trap at " << bench.hart.pc;
      return outcome;
    }
    stopped = bench.hart.stop != isa::Stop::none;
    const Exit exit = stopped                                   ? Exit::stopped
                      : bench.hart.pc == block.pc + block.bytes ? Exit::onward
                                                                : Exit::taken;
    for (const TimedInstruction& instruction : timed_instructions(block, completed, config, exit, d1()))
      pipeline.feed(0, instructions.emplace_back(instruction));
    outcome.instructions += completed;
  }
  while (!pipeline.stopped(0)) pipeline.tick();
  outcome.causes = pipeline.counts(0);
  outcome.cycles = static_cast<std::uint64_t>(pipeline.now());
  outcome.x = bench.hart.x;
  outcome.memory = bench.sram;
  return outcome;
}

// By the instructions' semantics alone, as host code from the first run on, and changing from one to the
// other.
void expect_the_definition(const std::string& program) {
  const Bench bench(program);
  const Definition slow = run_on_reference(bench);
  for (const std::uint32_t translate_after : {never_translate, 0u, 3u}) {
    SCOPED_TRACE(translate_after);
    CodeImage image(Bench::base, bench.text_end, isa::max_block, translate_after);
    BlockTiming timing(d1());
    const CoreRun fast = run_on_core(bench, image, timing, true, 100'000'000);
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
  const CoreRun timed = run_on_core(bench, image, timing, true, 1'000'000);
  const CoreRun untimed = run_on_core(bench, image, timing, false, 1'000'000);
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
  EXPECT_EQ(loop.of(machine::Counter::sram_read), elements * 4 + 37 * 5 * 8);
  EXPECT_EQ(loop.of(machine::Counter::sram_written), elements * 4);
  const Counts& matrix = timed.counts.at(2);
  EXPECT_EQ(matrix.of(machine::Counter::multiply_adds), 20u * 16 * 16 * 2);
  EXPECT_EQ(matrix.of(machine::Counter::sram_read), 20u * 4 * 32);
  for (const auto& [op, counts] : untimed.counts)
    for (std::size_t i = 0; i < Counts::first_cause; ++i)
      EXPECT_EQ(counts.value[i], timed.counts.at(op).value[i]);
}

TEST(Core, CutIntoSlicesItTakesTheSameCycles) {
  const Bench bench(mixed_program);
  CodeImage image(Bench::base, bench.text_end);
  BlockTiming timing(d1());
  const CoreRun whole = run_on_core(bench, image, timing, true, 100'000'000);
  const CoreRun cut = run_on_core(bench, image, timing, true, 1);
  EXPECT_EQ(cut.slice.cycles, whole.slice.cycles);
  EXPECT_EQ(total(cut.counts), total(whole.counts));
}

TEST(Core, HostThreadsShareWhatIsRememberedAndChangeNothing) {
  const Bench bench(mixed_program);
  CodeImage alone_image(Bench::base, bench.text_end);
  BlockTiming alone_timing(d1());
  const CoreRun alone = run_on_core(bench, alone_image, alone_timing, true, 100'000'000);
  for (const std::uint32_t translate_after : {translate_after_default, 0u}) {
    CodeImage image(Bench::base, bench.text_end, isa::max_block, translate_after);
    BlockTiming timing(d1());
    std::vector<CoreRun> outcomes(64);
    parallel_for(4, outcomes.size(),
                 [&](std::size_t i) { outcomes[i] = run_on_core(bench, image, timing, true, 1 + i * 7); });
    for (const CoreRun& outcome : outcomes) {
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

}  // namespace
}  // namespace dojo::node
