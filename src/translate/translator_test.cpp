// Does a translated block do to a hart what the meanings of its instructions do? Every emitter, random and
// awkward operands, every configuration of vectors: the whole hart and its memory are compared.
#include "translate/translator.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "isa/float_host.h"
#include "isa/vector_config.h"
#include "translate/emitters.h"
#include "translate/random_code_for_tests.h"

namespace dojo::translate {
namespace {

using namespace random_code;

void expect_equal(const World& a, const World& b, const std::string& what) {
  EXPECT_EQ(a.hart.pc, b.hart.pc) << what;
  EXPECT_EQ(a.hart.x, b.hart.x) << what;
  EXPECT_EQ(a.hart.f, b.hart.f) << what;
  EXPECT_EQ(a.hart.fflags, b.hart.fflags) << what;
  EXPECT_EQ(a.hart.vstart, b.hart.vstart) << what;
  EXPECT_EQ(a.hart.vl, b.hart.vl) << what;
  EXPECT_EQ(a.hart.vtype, b.hart.vtype) << what;
  EXPECT_EQ(a.hart.vill, b.hart.vill) << what;
  EXPECT_EQ(a.hart.sew, b.hart.sew) << what;
  EXPECT_EQ(a.hart.lmul_log2, b.hart.lmul_log2) << what;
  EXPECT_EQ(a.hart.altfmt, b.hart.altfmt) << what;
  EXPECT_EQ(a.hart.tile_widen, b.hart.tile_widen) << what;
  EXPECT_EQ(a.hart.tile_m, b.hart.tile_m) << what;
  EXPECT_EQ(a.hart.tile_k, b.hart.tile_k) << what;
  EXPECT_EQ(a.hart.stop, b.hart.stop) << what;
  EXPECT_TRUE(a.hart.v == b.hart.v) << what;
  EXPECT_TRUE(a.hart.tiles == b.hart.tiles) << what;
  EXPECT_EQ(b.hart.tile_first, 0) << what;
  EXPECT_TRUE(a.memory == b.memory) << what;
  if (a.hart.stop == isa::Stop::trap) {
    EXPECT_EQ(a.hart.trap, b.hart.trap) << what;
    EXPECT_EQ(a.hart.trap_value, b.hart.trap_value) << what;
  }
}

// Runs the block both ways from one state; whether it came to its end.
bool compare(Translator& translator, const World& start, const isa::Block& block, const std::string& what) {
  World meant = start, translated = start;
  meant.attach();
  translated.attach();
  const auto completed = isa::run_block(meant.hart, block);
  int owner = 0;
  static Head head;  // where no trace begins
  const Vectors vectors{
      .any = true, .vl = start.hart.vl, .vtype = start.hart.vtype, .vlen_bits = start.hart.vlen_bits};
  const void* entry =
      translator.translate({.block = &block, .vectors = vectors, .key = {.owner = &owner}}, head);
  EXPECT_NE(entry, nullptr);
  translated.hart.stop = isa::Stop::none;
  isa::begin_floats(translated.hart);
  const auto account = std::make_unique<Account>();
  const Step start_of_chain;  // nothing is known to follow: the block is run and left unaccounted
  Chain chain{.last = &start_of_chain, .budget = 1000, .account = account.get()};
  translator.run(translated.hart, chain, entry);
  isa::end_floats(translated.hart);
  EXPECT_EQ(chain.unaccounted, &owner) << what;
  if (translated.hart.stop == isa::Stop::trap) {
    EXPECT_EQ(isa::settle_trap(translated.hart, block), completed) << what;
  }
  expect_equal(meant, translated, what);
  return meant.hart.stop == isa::Stop::none;
}

isa::Block block_of(const std::vector<std::uint32_t>& words) {
  std::vector<std::byte> text(memory_bytes);
  std::memcpy(text.data(), words.data(), 4 * words.size());
  const isa::Memory memory{.bytes = text.data(), .base = base, .size = memory_bytes};
  return isa::build_block(memory, base, static_cast<unsigned>(words.size()));
}

void set_vectors(Hart& hart, Random& random, unsigned vlen, unsigned sew_log2, unsigned lmul) {
  hart.vlen_bits = vlen;
  isa::set_vtype(hart, lmul | sew_log2 << 3);
  const std::uint64_t most = isa::vector_length_limit(hart);
  hart.vl = random() % 3 != 0 ? most : random() % (most + 1);
  hart.vstart = 0;
}

class TranslatorTest : public testing::TestWithParam<HostVectors> {
protected:
  void SetUp() override {
    if (host_vectors() < GetParam()) GTEST_SKIP() << "this host does not have such vectors";
  }
};

INSTANTIATE_TEST_SUITE_P(On, TranslatorTest, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         [](const auto& one) { return one.param == HostVectors::avx2 ? "Avx2" : "Avx512"; });

TEST_P(TranslatorTest, KnowsTheRowOfEveryEmitter) {
  std::set<std::string_view> seen;
  for (const auto table : all_emitters())
    for (const Emitter& emitter : table) {
      EXPECT_NE(row_named(emitter.mnemonic), nullptr) << emitter.mnemonic;
      EXPECT_TRUE(seen.insert(emitter.mnemonic).second) << emitter.mnemonic << " stands twice";
    }
}

// Scalar rows, alone in their block and with a neighbour that finds the same registers held.
TEST_P(TranslatorTest, DoesWhatScalarInstructionsMean) {
  Random random(1);
  Translator translator(GetParam());
  for (const auto table : {integer_emitters(), memory_emitters(), control_emitters(), float_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (int round = 0; round < 60; ++round) {
        World world;
        fill(world, random, true);
        const std::uint32_t word = encoding(row, random, {});
        const std::uint32_t before = 0x00000033 | (word & 0x000f8f80) | (word >> 5 & 0x01f00000);  // add
        compare(translator, world, block_of({before, word, before}), std::string(emitter.mnemonic));
        if (HasFailure()) return;
      }
    }
}

TEST_P(TranslatorTest, DoesWhatVectorInstructionsMeanInEveryConfiguration) {
  Random random(2);
  Translator translator(GetParam());
  for (const auto table : {vector_config_emitters(), vector_memory_emitters(), vector_float_emitters(),
                           vector_integer_emitters(), vector_mask_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (const unsigned vlen : {128u, 256u, 512u, 1024u})
        for (unsigned sew = 0; sew < 4; ++sew)
          for (const unsigned lmul : {0u, 1u, 2u, 3u, 6u, 7u}) {
            World world;
            fill(world, random, true);
            set_vectors(world.hart, random, vlen, sew, lmul);
            const auto type = isa::ElementType::of(world.hart.vtype);
            for (int round = 0; round < 3; ++round) {
              const isa::Block block = block_of({encoding(row, random, type)});
              compare(translator, world, block,
                      fmt::format("{} vlen {} sew {} lmul {} vl {}: {}", emitter.mnemonic, vlen, 8 << sew,
                                  lmul, world.hart.vl, isa::disassemble(block.code[0], base)));
              if (HasFailure()) return;
            }
          }
    }
}

// Zeros of both signs, infinities, subnormals, and in every other round NaN.
TEST_P(TranslatorTest, DoesWhatFloatsMeanAtTheirCorners) {
  constexpr std::uint64_t doubles[] = {0,
                                       0x8000000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       1,
                                       0x800fffffffffffff,
                                       0x3ff0000000000000,
                                       0xc000000000000000,
                                       0x7fefffffffffffff,
                                       0x0010000000000000,
                                       0x7ff8000000000000,
                                       0x7ff0000000000001,
                                       0xffffffffffffffff};
  constexpr std::uint32_t singles[] = {0,          0x80000000, 0x7f800000, 0xff800000, 1,
                                       0x807fffff, 0x3f800000, 0xc0000000, 0x7f7fffff, 0x00800000,
                                       0x7fc00000, 0x7f800001, 0xffffffff};
  constexpr std::size_t numbers = 10;
  Random random(8);
  Translator translator(GetParam());
  for (const auto table : {vector_float_emitters(), vector_mask_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (int round = 0; round < 60; ++round) {
        World world;
        fill(world, random, true);
        Hart& h = world.hart;
        const bool is_double = round % 3 == 0;
        const std::size_t choice = round % 2 == 0 ? numbers : std::size(singles);
        for (std::size_t at = 0; at < h.v.size(); at += is_double ? 8 : 4)
          is_double ? std::memcpy(h.v.data() + at, &doubles[random() % choice], 8)
                    : std::memcpy(h.v.data() + at, &singles[random() % choice], 4);
        for (auto& f : h.f)
          f = is_double ? doubles[random() % choice] : 0xffffffff00000000 | singles[random() % choice];
        const unsigned lmul = round % 5 == 0 ? 7 : static_cast<unsigned>(random() % 4);
        set_vectors(h, random, round % 3 == 1 ? 512 : 128u << random() % 4, is_double ? 3 : 2, lmul);
        const std::uint32_t word = encoding(row, random, isa::ElementType::of(h.vtype));
        const isa::Block block = block_of({word});
        compare(
            translator, world, block,
            fmt::format("{} round {}: {}", emitter.mnemonic, round, isa::disassemble(block.code[0], base)));
        if (HasFailure()) return;
      }
    }
}

// Elements of every width: words whose parts are ordinary numbers too, now and then none at all.
void fill_codes(Hart& hart, Random& random) {
  const bool ordinary = random() % 2 == 0;
  for (std::byte& code : hart.v) {
    code = static_cast<std::byte>(random());
    if (ordinary) code &= static_cast<std::byte>(0xbf);  // small exponents
  }
}

TEST_P(TranslatorTest, DoesWhatMatrixStepsMeanInEveryShape) {
  Random random(4);
  Translator translator(GetParam());
  for (const Emitter& emitter : matrix_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    const bool of_bytes = emitter.mnemonic != "sf.mm.f.f";
    for (int round = 0; round < 400; ++round) {
      World world;
      fill(world, random, true);
      Hart& h = world.hart;
      for (std::size_t i = 0; i < h.tiles.size(); i += 4) {
        const std::uint32_t bits = single(random);
        std::memcpy(h.tiles.data() + i, &bits, 4);
      }
      if (round % 2 == 0) fill_codes(h, random);
      h.frm = random() % 4 == 0 ? static_cast<std::uint8_t>(random() % isa::rmm) : 0;
      h.vlen_bits = 128u << random() % 4;
      const std::uint64_t depth = of_bytes ? 4 : 2, sew = of_bytes ? 0 : 1, alternate = of_bytes ? 0 : 1;
      const std::uint64_t tk = random() % 3 == 0 ? random() % (depth + 1) : depth,
                          tm = random() % 2 == 0 ? 16 : random() % 17;
      isa::set_vtype(h, sew << 3 | alternate << 8 | (of_bytes ? 3u : 2u) << 9 | tk << 11 | tm << 16);
      ASSERT_FALSE(h.vill);
      h.vl = random() % 4 == 0 ? random() % 17 : 16;
      // Steps one after the other, often on the same operands.
      std::vector<std::uint32_t> words;
      for (std::uint64_t steps = 1 + random() % 4; steps != 0; --steps) {
        std::uint32_t word = encoding(row, random, isa::ElementType::of(h.vtype)) & ~(3u << 8);
        if (!words.empty() && random() % 2 == 0) word = (word & ~(31u << 20)) | (words.back() & 31u << 20);
        words.push_back(word);
      }
      const isa::Block block = block_of(words);
      compare(translator, world, block,
              fmt::format("{} tm {} tn {} tk {} vlen {}: {}", emitter.mnemonic, tm, h.vl, tk, h.vlen_bits,
                          isa::disassemble(block.code[0], base)));
      if (HasFailure()) return;
    }
  }
}

TEST_P(TranslatorTest, DoesWhatMatrixMovesMeanInEveryShape) {
  Random random(7);
  Translator translator(GetParam());
  for (const Emitter& emitter : matrix_move_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    for (int round = 0; round < 300; ++round) {
      World world;
      fill(world, random, true);
      Hart& h = world.hart;
      for (std::byte& byte : h.tiles) byte = static_cast<std::byte>(random());
      h.vlen_bits = 128u << random() % 4;
      const std::uint64_t sew = random() % 3, widen = 3 - sew, tk = random() % 3, tm = random() % 17;
      isa::set_vtype(h, round % 8 == 0 ? 0xd0 : sew << 3 | widen << 9 | std::min(tk, widen) << 11 | tm << 16);
      h.vl = random() % 3 == 0 ? random() % 17 : 16;
      // Addresses and specifiers, mostly of rows that exist.
      for (unsigned r = 1; r < 32; ++r)
        h.x[r] =
            r % 2 == 0 ? base + random() % (memory_bytes + 64) - 32 : (random() % 4) << 29 | random() % 17;
      if (random() % 4 == 0) h.x[1 + 2 * (random() % 15)] = random();
      std::uint32_t word = encoding(row, random, {});
      if (random() % 8 != 0) word = (word & ~(1u << 15)) | (~row.mask & 1u << 20);
      word = row.match | (word & ~row.mask);
      compare(translator, world, block_of({word}),
              fmt::format("{} vtype {:#x} vl {} word {:#x}", emitter.mnemonic, h.vtype, h.vl, word));
      if (HasFailure()) return;
    }
  }
}

// What one instruction leaves in host registers, the next ones find there.
TEST_P(TranslatorTest, DoesWhatManyInstructionsMeanOneAfterTheOther) {
  Random random(5);
  Translator translator(GetParam());
  std::vector<const isa::Row*> rows;
  for (const auto table : {integer_emitters(), memory_emitters(), float_emitters(), vector_memory_emitters(),
                           vector_float_emitters(), vector_integer_emitters(), vector_mask_emitters()})
    for (const Emitter& emitter : table) rows.push_back(row_named(emitter.mnemonic));
  const std::span<const isa::Row* const> all = isa::all_rows();
  int ended = 0;
  for (int round = 0; round < 1500; ++round) {
    World world;
    fill(world, random, true);
    const unsigned lmul = static_cast<unsigned>(random() % 4);
    const unsigned sew = random() % 3 == 0 ? static_cast<unsigned>(random() % 4) : 2;
    set_vectors(world.hart, random, 128u << random() % 4, sew, lmul);
    std::vector<std::uint32_t> words;
    while (words.size() < 24) {
      const isa::Row& row = random() % 16 == 0 ? *all[random() % all.size()] : *rows[random() % rows.size()];
      if ((row.properties & (isa::ends_block | isa::starts_block)) != 0) continue;
      const auto type = isa::ElementType::of(world.hart.vtype);
      words.push_back(random() % 64 != 0 ? legal_encoding(row, random, type) : encoding(row, random, type));
      // Addresses lie in the memory, with few exceptions, and stay there.
      const bool accesses = (row.properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (accesses && random() % 64 != 0) words.back() = (words.back() & ~(31u << 15)) | 2u << 15;
      if (row.rd == isa::Operand::x_write) words.back() |= 4u << 7;
    }
    world.hart.x[2] = base + 4096 + random() % 128 * 8;
    const isa::Block block = block_of(words);
    ended += compare(translator, world, block, fmt::format("round {} lmul {} sew {}", round, lmul, 8 << sew));
    if (HasFailure()) return;
  }
  EXPECT_GT(ended, 200);  // without a trap
}

// Every row of the machine may stand in a translated block, by its meaning where there is no emitter.
TEST_P(TranslatorTest, DoesWhatAnyInstructionMeansBetweenOthers) {
  Random random(3);
  Translator translator(GetParam());
  for (const isa::Row* row : isa::all_rows())
    for (int round = 0; round < 4; ++round) {
      World world;
      fill(world, random, true);
      set_vectors(world.hart, random, 512, static_cast<unsigned>(random() % 4),
                  static_cast<unsigned>(random() % 4));
      const auto type = isa::ElementType::of(world.hart.vtype);
      const std::uint32_t add = 0x00000033 | (static_cast<std::uint32_t>(random()) & 0x01ff8f80);
      compare(translator, world, block_of({add, encoding(*row, random, type), add}),
              std::string(row->mnemonic));
      if (HasFailure()) return;
    }
}

// While one host thread runs a block, another gives its head trace after trace. Whoever enters one was in its
// state.
TEST_P(TranslatorTest, NeverEntersATraceInAnotherState) {
  Translator translator(GetParam());
  const isa::Block block = block_of({0x00108093, 0x0000006f});  // addi x1, x1, 1; jal x0, 0
  const std::array<char, 3> states{};
  int owner = 0;
  Head head;
  head.patience = std::numeric_limits<std::int64_t>::max();
  const Leg leg{.block = &block, .vectors = {}, .key = {.owner = &owner}};
  const void* entry = translator.translate(leg, head);
  ASSERT_NE(entry, nullptr);
  std::array<Step, 2> steps;
  for (std::size_t i = 0; i < 2; ++i) {
    steps[i].cycles = i == 0 ? 1 : 1000;
    steps[i].after = &states[2];
  }
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < 20001; ++i) {
      Leg traced = leg;
      traced.way = 1;
      traced.target = block.pc + 4;
      traced.step = &steps[i % 2];
      EXPECT_TRUE(translator.trace({&traced, 1}, false, &states[i % 2], i % 2, head));
    }
    done = true;
  });
  World world;
  world.attach();
  const auto account = std::make_unique<Account>();
  std::uint64_t wrong = 0;
  Step before;
  before.after = &states[0];
  for (bool last = false; !last;) {
    last = done;
    Chain chain{.last = &before, .budget = 1000, .account = account.get()};
    translator.run(world.hart, chain, entry);
    wrong += chain.cycles > 1;
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(account->times[0], 0u);
  EXPECT_EQ(account->times[1], 0u);
}

// Frequent blocks without room ask again and again: that must not cost their translation every time.
TEST_P(TranslatorTest, RefusesEverythingOnceItIsFull) {
  Random random(9);
  Translator translator(GetParam());
  World world;
  fill(world, random, true);
  set_vectors(world.hart, random, 512, 2, 0);
  const isa::Block large = block_of(std::vector<std::uint32_t>(64, 0x02005207)),  // vle32.v v4, (x0)
      small = block_of({0x00108093});                                             // addi x1, x1, 1
  const Vectors vectors{.any = true, .vl = 16, .vtype = world.hart.vtype};
  const int owner = 0;
  Head head;
  EXPECT_TRUE(compare(translator, world, small, "before"));
  std::size_t made = 0;
  while (translator.translate({.block = &large, .vectors = vectors, .key = {.owner = &owner}}, head)) ++made;
  EXPECT_GT(made, 1000u);
  EXPECT_EQ(translator.translate({.block = &small, .vectors = {}, .key = {.owner = &owner}}, head), nullptr);
}

}  // namespace
}  // namespace dojo::translate
