// Does code that has become hot under one rounding mode still ask for one when frm changes: does it round
// ties away from zero where a host cannot, and trap where frm holds no mode?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "isa/vector_config.h"
#include "node/core.h"
#include "node/random_programs_for_tests.h"

namespace dojo::node {
namespace {

using namespace random_programs;

constexpr unsigned next_mode = 30, rounds = 29;
constexpr std::uint64_t start = base + 0x10;

// The instruction in a loop of 40 rounds, then as often under the mode that x30 holds.
std::vector<std::uint32_t> hot_loop(std::uint32_t word) {
  constexpr std::uint32_t write_frm = 0x00201073 | next_mode << 15;
  return {word,
          addi(loop_counter, loop_counter, -1),
          branch(1, loop_counter, 0, -8),
          write_frm,
          addi(loop_counter, 0, 40),
          addi(rounds, rounds, -1),
          branch(1, rounds, 0, -24),
          ecall};
}

// Numbers that lie halfway between two integers, and such whose sums lie halfway between two FP32 numbers.
World world_of_ties(Generator& random, std::uint32_t word) {
  constexpr std::array<float, 8> ties = {0.5f, 1.5f, 2.5f, -0.5f, -2.5f, 1.0f, 16777216.0f, -16777218.0f};
  World world;
  const auto tie = [&] { return std::bit_cast<std::uint32_t>(ties[random() % ties.size()]); };
  for (auto& f : world.hart.f) f = 0xffffffff00000000 | tie();
  for (std::size_t at = 0; at < world.hart.v.size(); at += 4) {
    const std::uint32_t bits = tie();
    std::memcpy(world.hart.v.data() + at, &bits, 4);
  }
  const std::vector<std::uint32_t> words = hot_loop(word);
  std::memcpy(world.memory.data() + start - base, words.data(), 4 * words.size());
  world.hart.pc = start;
  world.hart.vlen_bits = 512;
  isa::set_vtype(world.hart, 2 << 3);
  world.hart.vl = 16;
  world.hart.x[loop_counter] = 40;
  world.hart.x[rounds] = 2;
  return world;
}

struct Ended {
  World world;
  Slice slice;
  std::size_t traces = 0;
};

Ended run(const World& world, unsigned mode, std::uint32_t translate_after) {
  static const machine::Node d1 = machine::read_machine("d1").node;
  Ended ended{.world = world, .slice = {}};
  ended.world.hart.x[next_mode] = mode;
  ended.world.attach();
  CodeImage image(base, text_end, isa::max_block, translate_after);
  BlockTiming timing(d1);
  Core core(image, timing, true);
  ended.slice = core.run(ended.world.hart, 1u << 30);
  ended.traces = image.trace_counts();
  return ended;
}

// Everything that translates to the host's floats: scalars with a dynamic mode, and all of OP-V's formats FVV
// and FVF, whether or not they round (V 1.0, chapter 13).
bool asks_for_a_mode(const isa::Row& row) {
  const unsigned format = row.match >> 12 & 7;
  const bool is_vector = (row.match & 0x7f) == 0x57;
  return is_vector ? format == 1 || format == 5 : (row.properties & isa::rounds) != 0;
}

TEST(RoundingMode, IsAskedForByCodeThatHasBecomeHotUnderAnother) {
  const bool translates = host_vectors() != HostVectors::none;
  Generator random(3);
  std::set<std::string_view> tried, away;
  std::size_t traces = 0;
  for (const auto table :
       {translate::float_emitters(), translate::vector_float_emitters(), translate::vector_mask_emitters()})
    for (const translate::Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      if (!asks_for_a_mode(row)) continue;
      const std::uint32_t word =
          legal_encoding(row, random, isa::ElementType::of(2 << 3)) | (1u << 25 & ~row.mask);
      const World world = world_of_ties(random, word);
      if (run(world, isa::rne, never_translate).slice.stop == isa::Stop::trap) continue;  // not at this SEW
      tried.insert(row.mnemonic);
      const isa::Hart nearest = run(world, isa::rne, never_translate).world.hart;
      for (unsigned mode = 0; mode < 8; ++mode) {
        SCOPED_TRACE(fmt::format("{} under {}", row.mnemonic, mode));
        const Ended expected = run(world, mode, never_translate), fast = run(world, mode, 3);
        const isa::Hart &x = expected.world.hart, &y = fast.world.hart;
        EXPECT_EQ(fast.slice.stop, mode <= isa::rmm ? isa::Stop::system_call : isa::Stop::trap);
        if (mode > isa::rmm) {
          EXPECT_EQ(y.trap, isa::TrapCause::illegal_instruction);
          EXPECT_EQ(y.pc, start);
          EXPECT_EQ(fast.slice.instructions, 40u * 3 + 4);
        }
        if (mode == isa::rmm && (x.v != nearest.v || x.f != nearest.f || x.x != nearest.x))
          away.insert(row.mnemonic);
        EXPECT_EQ(fast.slice.cycles, expected.slice.cycles);
        EXPECT_EQ(x.x, y.x);
        EXPECT_EQ(x.f, y.f);
        EXPECT_TRUE(x.v == y.v);
        EXPECT_EQ(x.fflags, y.fflags);
        traces += fast.traces;
        if (HasFailure()) return;
      }
    }
  EXPECT_GT(tried.size(), 60u);
  for (const std::string_view name : {"fadd.s", "vfadd.vv", "vfmv.v.f", "vfmerge.vfm"})
    EXPECT_TRUE(tried.contains(name)) << name;
  EXPECT_GT(away.size(), 5u);
  EXPECT_EQ(traces != 0, translates);
}

// The same of one block at a time, as threads that share a node run it.
TEST(RoundingMode, IsAskedForByBlocksInTurns) {
  constexpr std::uint32_t vfmv_v_f = 0x5e005457;  // v8 = fa0 for every element
  Generator random(4);
  World world = world_of_ties(random, vfmv_v_f);
  world.attach();
  static const machine::Node d1 = machine::read_machine("d1").node;
  CodeImage image(base, text_end, isa::max_block, 3);
  BlockTiming timing(d1);
  Core core(image, timing, true);
  isa::Hart& hart = world.hart;
  EXPECT_EQ(core.run(hart, 30).stop, isa::Stop::none);
  ASSERT_EQ(hart.pc, start);
  isa::FloatTurns floats;
  Slice slice;
  for (unsigned mode = 0; mode < 8; ++mode) {
    hart.frm = static_cast<std::uint8_t>(mode);
    hart.pc = start;
    const Transition* transition = core.run_translated(hart, floats, slice);
    EXPECT_EQ(transition != nullptr, mode < isa::rmm && host_vectors() != HostVectors::none) << mode;
    EXPECT_EQ(hart.stop, isa::Stop::none);
  }
  floats.end();
}

}  // namespace
}  // namespace dojo::node
