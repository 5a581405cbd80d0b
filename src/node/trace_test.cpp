// Do traces leave a hart, its memory, its cycles and its counts as the semantics of the instructions do,
// block by block?
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "isa/vector_config.h"
#include "node/core.h"
#include "node/d1_for_tests.h"
#include "node/random_programs_for_tests.h"

namespace dojo::node {
namespace {

using namespace random_programs;
using translate::HostVectors;

struct TracedRun {
  World world;
  Slice slice;
  std::map<std::uint32_t, Counts> counts;
  std::size_t traced = 0;
};

TracedRun run(const World& start, std::uint32_t translate_after, HostVectors vectors, bool with_timing,
              std::uint64_t budget) {
  TracedRun outcome{.world = start, .slice = {}, .counts = {}};
  outcome.world.attach();
  CodeImage image(base, text_end, isa::max_block, translate_after, vectors);
  BlockTiming timing(d1());
  Core core(image, timing, with_timing);
  while (outcome.slice.stop == isa::Stop::none) {
    const Slice slice = core.run(outcome.world.hart, budget);
    outcome.slice.stop = slice.stop;
    outcome.slice.cycles += slice.cycles;
    outcome.slice.instructions += slice.instructions;
  }
  outcome.counts = core.counts();
  outcome.traced = image.trace_counts();
  return outcome;
}

void expect_same(const TracedRun& a, const TracedRun& b) {
  const Hart &x = a.world.hart, &y = b.world.hart;
  EXPECT_EQ(x.pc, y.pc);
  EXPECT_EQ(x.x, y.x);
  EXPECT_EQ(x.f, y.f);
  EXPECT_EQ(x.fflags, y.fflags);
  EXPECT_EQ(x.vl, y.vl);
  EXPECT_EQ(x.vtype, y.vtype);
  EXPECT_EQ(x.vill, y.vill);
  EXPECT_EQ(x.sew, y.sew);
  EXPECT_EQ(x.lmul_log2, y.lmul_log2);
  EXPECT_EQ(x.vstart, y.vstart);
  EXPECT_TRUE(x.v == y.v);
  EXPECT_TRUE(x.tiles == y.tiles);
  EXPECT_TRUE(a.world.memory == b.world.memory);
  EXPECT_EQ(x.trap_value, y.trap_value);
  EXPECT_EQ(a.slice.stop, b.slice.stop);
  EXPECT_EQ(a.slice.cycles, b.slice.cycles);
  EXPECT_EQ(a.slice.instructions, b.slice.instructions);
  EXPECT_EQ(a.counts, b.counts);
}

class Traces : public testing::TestWithParam<HostVectors> {
protected:
  void SetUp() override {
    if (translate::host_vectors() < GetParam()) GTEST_SKIP() << "this host does not have such vectors";
  }
};

INSTANTIATE_TEST_SUITE_P(On, Traces, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         [](const auto& one) { return one.param == HostVectors::avx2 ? "Avx2" : "Avx512"; });

TEST_P(Traces, OfRandomLoopsLeaveWhatTheMeaningsLeave) {
  Generator random(6);
  std::size_t traced = 0, ended = 0;
  for (int round = 0; round < 300; ++round) {
    World world;
    fill(world, random, true);
    const unsigned lmul = static_cast<unsigned>(random() % 4), vlen = 128u << random() % 4;
    const std::vector<std::uint32_t> words = random_loop(random, lmul);
    ASSERT_LE(4 * words.size(), text_end - base);
    world.attach();
    std::memcpy(world.memory.data() + 0x10, words.data(), 4 * words.size());
    Hart& hart = world.hart;
    hart.pc = base + 0x10;
    hart.vlen_bits = vlen;
    isa::set_vtype(hart, lmul | 2u << 3);
    hart.vl = random() % 2 == 0 ? isa::vector_length_limit(hart) : 1 + random() % 9;
    hart.x[pointer] = base + 4096 + random() % 64 * 8;
    hart.x[length] = random() % 2 == 0 ? random() % 40 : 1000;
    hart.x[loop_counter] = 40 + random() % 40;
    if (random() % 16 == 0) hart.frm = static_cast<std::uint8_t>(isa::rmm + random() % 4);
    SCOPED_TRACE(fmt::format("round {} lmul {} vlen {} vl {} frm {}", round, lmul, vlen, hart.vl, hart.frm));
    for (const bool with_timing : {true, false}) {
      const TracedRun expected = run(world, never_translate, HostVectors::none, with_timing, 1u << 30);
      for (const std::uint32_t after : {0u, 5u}) {
        const TracedRun fast = run(world, after, GetParam(), with_timing, 1u << 30);
        expect_same(expected, fast);
        traced += fast.traced != 0;
        if (HasFailure()) return;
      }
      const TracedRun cut = run(world, 0, GetParam(), with_timing, 1 + random() % 200);
      expect_same(expected, cut);
      if (HasFailure()) return;
      ended += expected.slice.stop == isa::Stop::system_call;
    }
  }
  EXPECT_GT(traced, 400u);
  EXPECT_GT(ended, 200u);
}

// Two harts, which find what the other has made, in turns of so many instructions.
std::array<TracedRun, 2> run_two(const std::array<World, 2>& starts, std::uint32_t translate_after,
                                 HostVectors vectors, bool with_timing, std::uint64_t budget) {
  std::array<TracedRun, 2> outcomes;
  CodeImage image(base, text_end, isa::max_block, translate_after, vectors);
  BlockTiming timing(d1());
  std::array<Core, 2> cores = {Core(image, timing, with_timing), Core(image, timing, with_timing)};
  for (std::size_t i = 0; i < 2; ++i) {
    outcomes[i].world = starts[i];
    outcomes[i].world.attach();
  }
  while (outcomes[0].slice.stop == isa::Stop::none || outcomes[1].slice.stop == isa::Stop::none)
    for (std::size_t i = 0; i < 2; ++i) {
      if (outcomes[i].slice.stop != isa::Stop::none) continue;
      const Slice slice = cores[i].run(outcomes[i].world.hart, budget);
      outcomes[i].slice.stop = slice.stop;
      outcomes[i].slice.cycles += slice.cycles;
      outcomes[i].slice.instructions += slice.instructions;
    }
  for (std::size_t i = 0; i < 2; ++i) {
    outcomes[i].counts = cores[i].counts();
    outcomes[i].traced = image.trace_counts();
  }
  return outcomes;
}

TEST_P(Traces, OfProgramsThatTwoHartsRunLeaveWhatTheMeaningsLeave) {
  Generator random(11);
  Program program(random);
  std::size_t traced = 0, ended = 0;
  for (int round = 0; round < 400; ++round) {
    const unsigned vlen = 128u << random() % 4;
    const std::vector<std::uint32_t> words = program.write(vlen);
    ASSERT_LE(4 * words.size(), text_end - base - 0x10);
    std::array<World, 2> worlds;
    for (World& world : worlds) {
      fill(world, random, true);
      if (random() % 3 != 0)  // no NaN
        for (std::size_t i = 0; i < world.hart.v.size(); i += 4) {
          const std::uint32_t bits = 0x3f800000 ^ static_cast<std::uint32_t>(random() & 0x80ffffff);
          std::memcpy(world.hart.v.data() + i, &bits, 4);
        }
      world.attach();
      std::memcpy(world.memory.data() + 0x10, words.data(), 4 * words.size());
      Hart& hart = world.hart;
      for (std::size_t i = 0; i < hart.tiles.size(); i += 4) {
        const std::uint32_t bits = single(random);
        std::memcpy(hart.tiles.data() + i, &bits, 4);
      }
      hart.pc = base + 0x10;
      hart.vlen_bits = vlen;
      isa::set_vtype(hart, random() % 4 | 2u << 3);
      hart.vl = random() % 2 == 0 ? isa::vector_length_limit(hart) : 1 + random() % 9;
      if (random() % 2 == 0) hart.frm = 0;
      if (random() % 32 == 0) hart.frm = static_cast<std::uint8_t>(isa::rmm + random() % 4);
      hart.x[pointer] = base + 4096 + random() % 64 * 8;
      for (unsigned i = 0; i < specifiers; ++i)
        hart.x[first_specifier + i] =
            random() % 4 << 29 | random() % 16 | (random() % 16 == 0 ? 1u << 24 : 0);
      hart.x[length] = random() % 2 == 0 ? random() % 40 : 1000;
      hart.x[loop_counter] = 30 + random() % 60;
    }
    SCOPED_TRACE(fmt::format("round {} vlen {}", round, vlen));
    for (const bool with_timing : {true, false}) {
      const std::array<TracedRun, 2> expected = {
          run(worlds[0], never_translate, HostVectors::none, with_timing, 1u << 30),
          run(worlds[1], never_translate, HostVectors::none, with_timing, 1u << 30)};
      for (const std::uint64_t budget : {std::uint64_t{1} << 30, 1 + random() % 1000}) {
        const auto fast =
            run_two(worlds, static_cast<std::uint32_t>(random() % 4), GetParam(), with_timing, budget);
        for (std::size_t i = 0; i < 2; ++i) {
          expect_same(expected[i], fast[i]);
          traced += fast[i].traced != 0;
          ended += expected[i].slice.stop == isa::Stop::system_call;
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(traced, 1200u);
  EXPECT_GT(ended, 1000u);
}

// A loop that does not come round before something ends the slice is still worth a trace of what was noted.
TEST_P(Traces, AreMadeOfPathsThatASliceCutsShort) {
  World world;
  world.attach();
  const std::vector<std::uint32_t> words = {
      addi(5, 5, 1),
      branch(0, 0, 0, 8),
      addi(6, 6, 1),
      addi(7, 7, 1),
      branch(0, 0, 0, 8),
      addi(6, 6, 1),
      addi(loop_counter, loop_counter, -1),
      ecall,
  };
  std::memcpy(world.memory.data() + 0x10, words.data(), 4 * words.size());
  CodeImage image(base, text_end, isa::max_block, 5, GetParam());
  BlockTiming timing(d1());
  Core core(image, timing, true);
  for (int times = 0; times < 100; ++times) {
    world.hart.pc = base + 0x10;
    EXPECT_EQ(core.run(world.hart, 1u << 30).stop, isa::Stop::system_call);
  }
  EXPECT_GT(image.trace_counts(), 0u);
  EXPECT_EQ(world.hart.x[5], 100u);
  EXPECT_EQ(world.hart.x[6], 0u);
}

}  // namespace
}  // namespace dojo::node
