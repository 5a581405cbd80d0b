// Does a translated block do to a hart what the semantics of its instructions do? Every emitter, random and
// awkward operands: the whole hart and its memory are compared.
#include "translate/translator.h"

#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "translate/emitters.h"
#include "translate/translator_for_tests.h"

namespace dojo::translate {
namespace {

using namespace random_code;

INSTANTIATE_TEST_SUITE_P(On, TranslatorTest, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         on_vectors);

TEST_P(TranslatorTest, KnowsTheRowOfEveryEmitter) {
  std::set<std::string_view> seen;
  for (const auto table : all_emitters())
    for (const Emitter& emitter : table) {
      EXPECT_NE(row_named(emitter.mnemonic), nullptr) << emitter.mnemonic;
      EXPECT_TRUE(seen.insert(emitter.mnemonic).second) << emitter.mnemonic << " stands twice";
    }
}

// Scalar rows, alone in their block and with a neighbour that finds the same registers held.
TEST_P(TranslatorTest, DoesWhatScalarSemanticsSay) {
  Generator random(1);
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

// What one instruction leaves in host registers, the next ones find there.
TEST_P(TranslatorTest, DoesWhatSemanticsSayOneAfterTheOther) {
  Generator random(5);
  Translator translator(GetParam());
  std::vector<const isa::Row*> rows;
  for (const auto table : {integer_emitters(), memory_emitters(), float_emitters(), vector_memory_emitters(),
                           vector_strided_emitters(), vector_float_emitters(), vector_integer_emitters(),
                           vector_mask_emitters(), vector_convert_emitters()})
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

// Every row of the machine may stand in a translated block, by its semantics where there is no emitter.
TEST_P(TranslatorTest, DoesWhatSemanticsSayOfAnyInstructionBetweenOthers) {
  Generator random(3);
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
  TraceHead head;
  head.countdown = std::numeric_limits<std::int64_t>::max();
  const TraceBlock untraced{.block = &block, .vectors = {}, .key = {.owner = &owner}};
  const void* entry = translator.translate(untraced, head);
  ASSERT_NE(entry, nullptr);
  std::array<BlockTransition, 2> transitions;
  for (std::size_t i = 0; i < 2; ++i) {
    transitions[i].cycles = i == 0 ? 1 : 1000;
    transitions[i].after = &states[2];
  }
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < 20001; ++i) {
      TraceBlock traced = untraced;
      traced.way = 1;
      traced.target = block.pc + 4;
      traced.transition = &transitions[i % 2];
      EXPECT_TRUE(translator.trace({&traced, 1}, false, &states[i % 2], i % 2, head));
    }
    done = true;
  });
  World world;
  world.attach();
  const auto account = std::make_unique<Account>();
  std::uint64_t wrong = 0;
  BlockTransition before;
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
  Generator random(9);
  Translator translator(GetParam());
  World world;
  fill(world, random, true);
  set_vectors(world.hart, random, 512, 2, 0);
  const isa::Block large = block_of(std::vector<std::uint32_t>(64, 0x02005207)),  // vle32.v v4, (x0)
      small = block_of({0x00108093});                                             // addi x1, x1, 1
  const Vectors vectors{.any = true, .vl = 16, .vtype = world.hart.vtype};
  const int owner = 0;
  TraceHead head;
  EXPECT_TRUE(compare(translator, world, small, "before"));
  std::size_t made = 0;
  while (translator.translate({.block = &large, .vectors = vectors, .key = {.owner = &owner}}, head)) ++made;
  EXPECT_GT(made, 1000u);
  EXPECT_EQ(translator.translate({.block = &small, .vectors = {}, .key = {.owner = &owner}}, head), nullptr);
}

}  // namespace
}  // namespace dojo::translate
