// Do traces leave a hart, its memory, its cycles and its counts as the meanings of the instructions do, block
// by block?
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "isa/float_host.h"
#include "isa/vector_config.h"
#include "node/core.h"
#include "translate/emitters.h"
#include "translate/random_code_for_tests.h"

namespace dojo::node {
namespace {

using namespace translate::random_code;
using translate::HostVectors;

const machine::Node& d1() {
  static const machine::Node node = machine::read_machine("d1").node;
  return node;
}

constexpr unsigned loop_counter = 31, parity = 30, granted = 28, length = 27, pointer = 2;
constexpr std::uint32_t ecall = 0x00000073;

constexpr std::uint32_t addi(unsigned rd, unsigned rs1, int immediate) {
  return 0x13 | rd << 7 | rs1 << 15 | static_cast<std::uint32_t>(immediate) << 20;
}
constexpr std::uint32_t andi(unsigned rd, unsigned rs1, int immediate) {
  return addi(rd, rs1, immediate) | 7u << 12;
}
constexpr std::uint32_t branch(unsigned funct, unsigned rs1, unsigned rs2, int distance) {
  const auto d = static_cast<std::uint32_t>(distance);
  return 0x63 | funct << 12 | rs1 << 15 | rs2 << 20 | (d >> 12 & 1) << 31 | (d >> 5 & 63) << 25 |
         (d >> 1 & 15) << 8 | (d >> 11 & 1) << 7;
}
constexpr std::uint32_t vsetvli(unsigned rd, unsigned rs1, unsigned vtype) {
  return 0x7057 | rd << 7 | rs1 << 15 | vtype << 20;
}

// Straight lines of instructions that have emitters, and now and then any other.
class Body {
public:
  explicit Body(Random& random) : random_(random) {
    for (const auto table :
         {translate::integer_emitters(), translate::memory_emitters(), translate::float_emitters(),
          translate::vector_memory_emitters(), translate::vector_float_emitters(),
          translate::vector_integer_emitters(), translate::vector_mask_emitters()})
      for (const translate::Emitter& emitter : table) rows_.push_back(row_named(emitter.mnemonic));
  }

  void add_to(std::vector<std::uint32_t>& words, unsigned count, unsigned lmul) {
    while (count != 0) {
      const std::span<const isa::Row* const> all = isa::all_rows();
      const isa::Row& row =
          random_() % 24 == 0 ? *all[random_() % all.size()] : *rows_[random_() % rows_.size()];
      if ((row.properties & (isa::ends_block | isa::starts_block)) != 0) continue;
      constexpr std::uint32_t each_register = 1u << 7 | 1u << 15 | 1u << 20;
      const std::uint32_t unmasked = random_() % 4 == 0 ? 0 : 1u << 25;
      std::uint32_t word = encoding(row, random_, 1u << lmul);
      word = row.match | (((word | unmasked) & ~(((1u << lmul) - 1) * each_register)) & ~row.mask);
      const bool accesses = (row.properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (accesses) word = (word & ~(31u << 15)) | pointer << 15;
      if (row.rd == isa::Operand::x_write) word = (word & ~(31u << 7)) | (4 + random_() % 16) << 7;
      words.push_back(word);
      --count;
    }
  }

private:
  Random& random_;
  std::vector<const isa::Row*> rows_;
};

// A loop with a way around some of its instructions, in a configuration that may change from run to run.
std::vector<std::uint32_t> random_loop(Random& random, unsigned lmul) {
  Body body(random);
  std::vector<std::uint32_t> words;
  const unsigned sew = random() % 4 == 0 ? static_cast<unsigned>(random() % 4) : 2, vtype = lmul | sew << 3;
  const bool sets_length = random() % 2 == 0, changes_length = random() % 4 == 0;
  if (changes_length) {
    words.push_back(andi(length, loop_counter, 1 << random() % 4));
    words.push_back(addi(length, length, 24));
  }
  if (sets_length) words.push_back(vsetvli(granted, length, vtype));
  body.add_to(words, 1 + random() % 10, lmul);
  std::vector<std::uint32_t> around;
  body.add_to(around, 1 + random() % 8, lmul);
  words.push_back(andi(parity, loop_counter, random() % 2 == 0 ? 3 : 16));
  words.push_back(branch(random() % 2, parity, 0, static_cast<int>(4 * (around.size() + 1))));
  words.insert(words.end(), around.begin(), around.end());
  body.add_to(words, 1 + random() % 10, lmul);
  words.push_back(addi(loop_counter, loop_counter, -1));
  words.push_back(branch(1, loop_counter, 0, -static_cast<int>(4 * words.size())));
  words.push_back(ecall);
  return words;
}

struct Outcome {
  World world;
  Slice slice;
  std::map<std::uint32_t, Counts> counts;
  std::size_t traced = 0;
};

Outcome run(const World& start, std::uint32_t translate_after, HostVectors vectors, bool with_timing,
            std::uint64_t budget) {
  Outcome outcome{.world = start, .slice = {}, .counts = {}};
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

void expect_same(const Outcome& a, const Outcome& b) {
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
  Random random(6);
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
    SCOPED_TRACE(fmt::format("round {} lmul {} vlen {} vl {}", round, lmul, vlen, hart.vl));
    for (const bool with_timing : {true, false}) {
      const Outcome meant = run(world, never_translate, HostVectors::none, with_timing, 1u << 30);
      for (const std::uint32_t after : {0u, 5u}) {
        const Outcome fast = run(world, after, GetParam(), with_timing, 1u << 30);
        expect_same(meant, fast);
        traced += fast.traced != 0;
        if (HasFailure()) return;
      }
      const Outcome cut = run(world, 0, GetParam(), with_timing, 1 + random() % 200);
      expect_same(meant, cut);
      if (HasFailure()) return;
      ended += meant.slice.stop == isa::Stop::system_call;
    }
  }
  EXPECT_GT(traced, 400u);
  EXPECT_GT(ended, 200u);
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
