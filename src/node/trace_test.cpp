// Do traces leave a hart, its memory, its cycles and its counts as the meanings of the instructions do, block
// by block?
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
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

// --- Programs that change their configuration on the way, with loops inside, calls and matrix steps

constexpr unsigned inner_counter = 29, link_register = 26, target_register = 25, type_register = 24,
                   first_specifier = 20, specifiers = 4;

class Program {
public:
  explicit Program(Random& random) : random_(random) {
    for (const auto table :
         {translate::integer_emitters(), translate::memory_emitters(), translate::float_emitters()})
      add(scalar_, table);
    for (const auto table : {translate::vector_memory_emitters(), translate::vector_float_emitters(),
                             translate::vector_integer_emitters(), translate::vector_mask_emitters()})
      add(vector_, table);
    for (const auto table : {translate::matrix_emitters(), translate::matrix_move_emitters(),
                             translate::vector_memory_emitters()})
      add(matrix_, table);
  }

  std::vector<std::uint32_t> write() {
    words_.clear();
    configure();
    for (auto segments = 1 + random_() % 3; segments != 0; --segments) segment();
    words_.push_back(addi(loop_counter, loop_counter, -1));
    words_.push_back(branch(1, loop_counter, 0, -static_cast<int>(4 * words_.size())));
    words_.push_back(ecall);
    return words_;
  }

private:
  using Rows = std::vector<const isa::Row*>;
  static void add(Rows& rows, std::span<const translate::Emitter> table) {
    for (const translate::Emitter& emitter : table) rows.push_back(row_named(emitter.mnemonic));
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  // One of the ways to set vl and vtype; what it asks for is remembered for the instructions behind it.
  void configure() {
    matrix_mode_ = below(3) == 0;
    const unsigned rd = below(2) * granted, rs1 = below(3) != 0 ? length : 0;
    if (matrix_mode_) {
      constexpr unsigned shapes[] = {0x600, 0x508, 0x408, 0x600, 0x508, 0x210, 0x400, 0x200, 0x608, 0x218};
      lmul_ = 0;
      words_.push_back(vsetvli(granted, below(4) == 0 ? length : 0, shapes[below(std::size(shapes))]));
      constexpr std::uint32_t rows = 0x84107057, depth = 0x84207057;
      words_.push_back(rows | rd << 7 | (below(3) == 0 ? length : loop_counter) << 15);
      words_.push_back(depth | rd << 7 | (below(3) == 0 ? length : loop_counter) << 15);
      return;
    }
    constexpr unsigned fractions[] = {5, 6, 7};
    const unsigned sew = below(2) == 0 ? 2 : below(4);
    lmul_ = below(4);
    const unsigned lmul = below(5) == 0 ? fractions[below(3)] : lmul_;
    if (lmul > 3) lmul_ = 0;
    const unsigned vtype = lmul | sew << 3 | below(4) << 6;
    switch (below(4)) {
      case 0:
        return words_.push_back(0xc0007057 | rd << 7 | below(32) << 15 | vtype << 20);
      case 1:
        words_.push_back(addi(type_register, 0, static_cast<int>(vtype)));
        return words_.push_back(0x80007057 | rd << 7 | rs1 << 15 | type_register << 20);
      default:
        return words_.push_back(vsetvli(rd, rs1, vtype));
    }
  }

  void body(unsigned count) {
    const std::span<const isa::Row* const> all = isa::all_rows();
    while (count != 0) {
      const Rows& some = below(3) == 0 ? scalar_ : matrix_mode_ ? matrix_ : vector_;
      const isa::Row& row = below(50) == 0 ? *all[random_() % all.size()] : *some[random_() % some.size()];
      if ((row.properties & (isa::ends_block | isa::starts_block)) != 0) continue;
      if (row.unit == isa::Unit::system || row.unit == isa::Unit::transfer) continue;
      constexpr std::uint32_t each_register = 1u << 7 | 1u << 15 | 1u << 20;
      const std::uint32_t unmasked = below(3) == 0 ? 0 : 1u << 25;
      std::uint32_t word = encoding(row, random_, 1u << lmul_);
      std::uint32_t low = ((1u << lmul_) - 1) * each_register;
      if (row.unit == isa::Unit::matrix) low = 7u << 15 | 7u << 20 | 3u << 8;
      word = row.match | (((word | unmasked) & ~low) & ~row.mask);
      // Masked ones write elsewhere than to v0.
      if ((word >> 25 & 1) == 0 && (word >> 7 & 31) == 0) word |= 8u << 7 & ~row.mask;
      const bool accesses = (row.properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (accesses) word = (word & ~(31u << 15)) | pointer << 15;
      if (row.extension == "XSfmm" && accesses)
        word = (word & ~(31u << 20)) | (first_specifier + below(specifiers)) << 20;
      if (row.rd == isa::Operand::x_write) word = (word & ~(31u << 7)) | (4 + below(16)) << 7;
      words_.push_back(word);
      --count;
    }
  }

  void segment() {
    switch (below(6)) {
      case 0:
        configure();
        break;
      case 1: {  // around some, now and then
        words_.push_back(andi(parity, loop_counter, 1 << below(5)));
        const std::size_t at = words_.size();
        words_.push_back(0);
        if (below(3) == 0) configure();
        body(1 + below(6));
        words_[at] = branch(below(2), parity, 0, static_cast<int>(4 * (words_.size() - at)));
        break;
      }
      case 2: {  // a loop inside
        words_.push_back(addi(inner_counter, 0, 1 + static_cast<int>(below(6))));
        const std::size_t begin = words_.size();
        if (below(4) == 0) configure();
        body(1 + below(5));
        words_.push_back(addi(inner_counter, inner_counter, -1));
        words_.push_back(branch(1, inner_counter, 0, -static_cast<int>(4 * (words_.size() - begin))));
        break;
      }
      case 3: {  // a jump by address, to one of two places
        words_.push_back(andi(parity, loop_counter, below(2) != 0 ? 4 : 0));
        words_.push_back(0x17 | target_register << 7);  // auipc
        words_.push_back(0x33 | target_register << 7 | target_register << 15 | parity << 20);
        words_.push_back(0x67 | link_register << 7 | target_register << 15 | 12u << 20);
        body(2);
        break;
      }
      case 4:
        words_.push_back(addi(length, length, 1 - static_cast<int>(below(3))));
        break;
      default:
        break;
    }
    body(1 + below(8));
  }

  Random& random_;
  Rows scalar_, vector_, matrix_;
  std::vector<std::uint32_t> words_;
  unsigned lmul_ = 0;
  bool matrix_mode_ = false;
};

// Two harts, which find what the other has made, in turns of so many instructions.
std::array<Outcome, 2> run_two(const std::array<World, 2>& starts, std::uint32_t translate_after,
                               HostVectors vectors, bool with_timing, std::uint64_t budget) {
  std::array<Outcome, 2> outcomes;
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
  Random random(11);
  Program program(random);
  std::size_t traced = 0, ended = 0;
  for (int round = 0; round < 400; ++round) {
    const std::vector<std::uint32_t> words = program.write();
    ASSERT_LE(4 * words.size(), text_end - base - 0x10);
    const unsigned vlen = 128u << random() % 4;
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
      hart.x[pointer] = base + 4096 + random() % 64 * 8;
      for (unsigned i = 0; i < specifiers; ++i)
        hart.x[first_specifier + i] =
            random() % 4 << 29 | random() % 16 | (random() % 16 == 0 ? 1u << 24 : 0);
      hart.x[length] = random() % 2 == 0 ? random() % 40 : 1000;
      hart.x[loop_counter] = 30 + random() % 60;
    }
    SCOPED_TRACE(fmt::format("round {} vlen {}", round, vlen));
    for (const bool with_timing : {true, false}) {
      const std::array<Outcome, 2> meant = {
          run(worlds[0], never_translate, HostVectors::none, with_timing, 1u << 30),
          run(worlds[1], never_translate, HostVectors::none, with_timing, 1u << 30)};
      for (const std::uint64_t budget : {std::uint64_t{1} << 30, 1 + random() % 1000}) {
        const auto fast =
            run_two(worlds, static_cast<std::uint32_t>(random() % 4), GetParam(), with_timing, budget);
        for (std::size_t i = 0; i < 2; ++i) {
          expect_same(meant[i], fast[i]);
          traced += fast[i].traced != 0;
          ended += meant[i].slice.stop == isa::Stop::system_call;
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
