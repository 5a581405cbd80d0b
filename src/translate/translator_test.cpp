// Does a translated block do to a hart what the meanings of its instructions do? Every emitter, random and
// awkward operands, every configuration of vectors: the whole hart and its memory are compared.
#include "translate/translator.h"

#include <bit>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "isa/float_host.h"
#include "isa/vector_config.h"
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Hart;

constexpr std::uint64_t base = 0x1000, text_end = 0x1100, memory_bytes = 8192;

struct World {
  Hart hart;
  std::vector<std::byte> memory = std::vector<std::byte>(memory_bytes);

  void attach() {
    hart.memory = {.bytes = memory.data(),
                   .base = base,
                   .size = memory_bytes,
                   .unmapped_below = 0x1010,
                   .text_begin = base,
                   .text_end = text_end};
    hart.reach = isa::Reach(hart.memory);
  }
};

using Random = std::mt19937_64;

std::uint64_t awkward(Random& random) {
  constexpr std::uint64_t corners[] = {
      0,          1,          ~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1,
      0x80000000, 0x7fffffff, 0xffffffff};
  return random() % 3 == 0 ? corners[random() % std::size(corners)] : random();
}

// Mostly ordinary numbers, so that not every vector holds a NaN.
std::uint32_t single(Random& random) {
  constexpr std::uint32_t corners[] = {0x7fc00000, 0x7f800001, 0xffc00001, 0x7f800000, 0xff800000,
                                       0,          0x80000000, 1,          0x7f7fffff, 0x00800000};
  if (random() % 64 == 0) return corners[random() % std::size(corners)];
  const auto exponent = static_cast<std::uint32_t>(100 + random() % 56);
  return (static_cast<std::uint32_t>(random()) & 0x807fffff) | exponent << 23;
}

void fill(World& world, Random& random, bool ordinary_floats) {
  Hart& h = world.hart;
  const auto word = [&] { return ordinary_floats ? single(random) : static_cast<std::uint32_t>(random()); };
  for (unsigned r = 1; r < 32; ++r) {
    h.x[r] = awkward(random);
    // Half of the registers point somewhere near or into the memory.
    if (random() % 2 == 0) h.x[r] = base - 64 + random() % (memory_bytes + 128);
  }
  for (auto& f : h.f) {
    f = random() % 16 == 0 ? random() : 0xffffffff00000000 | single(random);
    if (random() % 4 == 0) {
      const double number = std::bit_cast<float>(single(random)) * 1.25;
      f = std::bit_cast<std::uint64_t>(number);
    }
  }
  for (std::size_t i = 0; i < h.v.size(); i += 4) {
    const std::uint32_t bits = word();
    std::memcpy(h.v.data() + i, &bits, 4);
  }
  for (std::size_t i = 0; i < memory_bytes; i += 4) {
    const std::uint32_t bits = word();
    std::memcpy(world.memory.data() + i, &bits, 4);
  }
  h.frm = static_cast<std::uint8_t>(random() % 4);
}

// An encoding of the row with random operand fields. Vector groups are often aligned, masks often off.
std::uint32_t encoding(const isa::Row& row, Random& random, unsigned alignment) {
  auto bits = static_cast<std::uint32_t>(random());
  if (random() % 4 != 0) {
    bits |= 1u << 25;
    const std::uint32_t low = alignment - 1;
    bits &= ~(low << 7 | low << 20);
    if (random() % 2 == 0) bits &= ~(low << 15);
  }
  if (row.properties & isa::rounds) bits |= 7u << 12;  // dynamic, where it is a field
  return row.match | (bits & ~row.mask);
}

void expect_equal(const World& a, const World& b, const std::string& what) {
  EXPECT_EQ(a.hart.pc, b.hart.pc) << what;
  EXPECT_EQ(a.hart.x, b.hart.x) << what;
  EXPECT_EQ(a.hart.f, b.hart.f) << what;
  EXPECT_EQ(a.hart.fflags, b.hart.fflags) << what;
  EXPECT_EQ(a.hart.vstart, b.hart.vstart) << what;
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

// Runs the block both ways from one state.
void compare(Translator& translator, const World& start, const isa::Block& block, const std::string& what) {
  World meant = start, translated = start;
  meant.attach();
  translated.attach();
  const auto completed = isa::run_block(meant.hart, block);
  int owner = 0;
  const void* entry = translator.translate(
      block, {.any = true, .vl = start.hart.vl, .vtype = start.hart.vtype, .vlen_bits = start.hart.vlen_bits},
      {.owner = &owner});
  ASSERT_NE(entry, nullptr);
  translated.hart.stop = isa::Stop::none;
  isa::begin_floats(translated.hart);
  std::vector<Tally> tally(tallies);
  const Step start_of_chain;  // nothing is known to follow: the block is run and left unaccounted
  Chain chain{.last = &start_of_chain, .budget = 1000, .tally = tally.data()};
  translator.run(translated.hart, chain, entry);
  isa::end_floats(translated.hart);
  EXPECT_EQ(chain.unaccounted, &owner) << what;
  if (translated.hart.stop == isa::Stop::trap) {
    EXPECT_EQ(isa::settle_trap(translated.hart, block), completed) << what;
  }
  expect_equal(meant, translated, what);
}

isa::Block block_of(std::initializer_list<std::uint32_t> words) {
  std::vector<std::byte> text(memory_bytes);
  std::memcpy(text.data(), std::data(words), 4 * words.size());
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

const isa::Row* row_named(std::string_view mnemonic) {
  for (const isa::Row* row : isa::all_rows())
    if (row->mnemonic == mnemonic) return row;
  return nullptr;
}

class TranslatorTest : public testing::Test {
protected:
  void SetUp() override {
    if (!Translator::host_is_known()) GTEST_SKIP() << "this host runs no translated code";
  }
};

TEST_F(TranslatorTest, KnowsTheRowOfEveryEmitter) {
  std::set<std::string_view> seen;
  for (const auto table : {integer_emitters(), memory_emitters(), control_emitters(), float_emitters(),
                           vector_emitters(), matrix_emitters()})
    for (const Emitter& emitter : table) {
      EXPECT_NE(row_named(emitter.mnemonic), nullptr) << emitter.mnemonic;
      EXPECT_TRUE(seen.insert(emitter.mnemonic).second) << emitter.mnemonic << " stands twice";
    }
}

// Scalar rows, alone in their block and with a neighbour that finds the same registers held.
TEST_F(TranslatorTest, DoesWhatScalarInstructionsMean) {
  Random random(1);
  Translator translator;
  for (const auto table : {integer_emitters(), memory_emitters(), control_emitters(), float_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (int round = 0; round < 60; ++round) {
        World world;
        fill(world, random, true);
        const std::uint32_t word = encoding(row, random, 1);
        const std::uint32_t before = 0x00000033 | (word & 0x000f8f80) | (word >> 5 & 0x01f00000);  // add
        compare(translator, world, block_of({before, word, before}), std::string(emitter.mnemonic));
        if (HasFailure()) return;
      }
    }
}

TEST_F(TranslatorTest, DoesWhatVectorInstructionsMeanInEveryConfiguration) {
  Random random(2);
  Translator translator;
  for (const Emitter& emitter : vector_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    for (const unsigned vlen : {128u, 256u, 512u, 1024u})
      for (unsigned sew = 0; sew < 4; ++sew)
        for (const unsigned lmul : {0u, 1u, 2u, 3u, 6u, 7u}) {
          World world;
          fill(world, random, true);
          set_vectors(world.hart, random, vlen, sew, lmul);
          const unsigned alignment = lmul < 4 ? 1u << lmul : 1;
          for (int round = 0; round < 2; ++round) {
            const isa::Block block = block_of({encoding(row, random, alignment)});
            compare(translator, world, block,
                    fmt::format("{} vlen {} sew {} lmul {} vl {}: {}", emitter.mnemonic, vlen, 8 << sew, lmul,
                                world.hart.vl, isa::disassemble(block.code[0], base)));
            if (HasFailure()) return;
          }
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

TEST_F(TranslatorTest, DoesWhatMatrixStepsMeanInEveryShape) {
  Random random(4);
  Translator translator;
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
      h.frm = random() % 4 == 0 ? static_cast<std::uint8_t>(random() % 4) : 0;
      h.vlen_bits = 128u << random() % 4;
      const std::uint64_t depth = of_bytes ? 4 : 2, sew = of_bytes ? 0 : 1, alternate = of_bytes ? 0 : 1;
      const std::uint64_t tk = random() % 3 == 0 ? random() % (depth + 1) : depth,
                          tm = random() % 2 == 0 ? 16 : random() % 17;
      isa::set_vtype(h, sew << 3 | alternate << 8 | (of_bytes ? 3u : 2u) << 9 | tk << 11 | tm << 16);
      ASSERT_FALSE(h.vill);
      h.vl = random() % 4 == 0 ? random() % 17 : 16;
      std::uint32_t word = encoding(row, random, 1);
      word &= ~(3u << 8);
      if (random() % 8 != 0) word &= ~(7u << 15 | 7u << 20);  // where operands may begin
      const isa::Block block = block_of({word});
      compare(translator, world, block,
              fmt::format("{} tm {} tn {} tk {} vlen {}: {}", emitter.mnemonic, tm, h.vl, tk, h.vlen_bits,
                          isa::disassemble(block.code[0], base)));
      if (HasFailure()) return;
    }
  }
}

// Every row of the machine may stand in a translated block, by its meaning where there is no emitter.
TEST_F(TranslatorTest, DoesWhatAnyInstructionMeansBetweenOthers) {
  Random random(3);
  Translator translator;
  for (const isa::Row* row : isa::all_rows())
    for (int round = 0; round < 4; ++round) {
      World world;
      fill(world, random, true);
      set_vectors(world.hart, random, 512, static_cast<unsigned>(random() % 4),
                  static_cast<unsigned>(random() % 4));
      const std::uint32_t add = 0x00000033 | (static_cast<std::uint32_t>(random()) & 0x01ff8f80);
      compare(translator, world, block_of({add, encoding(*row, random, 8), add}), std::string(row->mnemonic));
      if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace dojo::translate
