// Is what rows say about their vector registers the whole truth? Of every row, at every SEW and LMUL, masked
// or not: the handler takes all encodings that are legal by the row's operand groups, or, at a SEW that the
// row does not have, none; and none besides.
#include <gtest/gtest.h>

#include <memory>

#include "base/random.h"
#include "isa/legal_words_for_tests.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr std::uint64_t memory_base = 0x10000;

class Handler {
public:
  explicit Handler(std::uint64_t vtype) {
    hart_->memory = {memory_.data(), memory_base, memory_.size(), 0, 0, 0};
    set_vtype(*hart_, vtype);
  }

  ElementType type() const { return vector::element_type(*hart_); }

  // With vl = 0 nothing is touched. Descriptors that Xdojo's rows take stand in every register.
  bool takes(std::uint32_t word) {
    hart_->stop = Stop::none;
    hart_->vl = 0;
    hart_->x.fill(hart_->sew == 8 ? 0 : 2 << 8);
    execute_alone(*hart_, decode(word, 0));
    return hart_->stop != Stop::trap || hart_->trap != TrapCause::illegal_instruction;
  }

private:
  std::array<std::byte, 64> memory_{};
  std::unique_ptr<Hart> hart_ = std::make_unique<Hart>();
};

struct Counts {
  unsigned taken = 0, refused = 0, besides = 0;  // besides: taken but not legal by the row
};

Counts count(const Row& row, std::uint64_t vtype, bool masked, Random& random) {
  Handler handler(vtype);
  Counts counts;
  const auto below = [&](std::size_t bound) { return random.below(bound); };
  for (int i = 0; i < 24; ++i) {
    std::uint32_t word = (random.bits() & ~(1u << 25)) | (masked ? 0u : 1u << 25);
    word = row.match | (word & ~row.mask);
    if (const auto legal = legal_words::with_legal_registers(row, word, handler.type(), below))
      ++(handler.takes(*legal) ? counts.taken : counts.refused);
    counts.besides += handler.takes(word) && !legal_words::is_legal(row, word, handler.type());
  }
  return counts;
}

void check(const Row& row, Random& random) {
  unsigned legal_types = 0;
  for (const std::uint64_t vtype : legal_words::plain_vtypes())
    for (const bool masked : {false, true}) {
      if (masked && (row.properties & maskable) == 0) continue;
      const Counts counts = count(row, vtype, masked, random);
      const auto where = testing::Message()
                         << row.mnemonic << " vtype " << vtype << (masked ? " masked" : "");
      EXPECT_TRUE(counts.taken == 0 || counts.refused == 0)
          << where << ": " << counts.taken << " taken, " << counts.refused << " refused";
      EXPECT_EQ(counts.besides, 0u) << where;
      legal_types += counts.taken != 0;
    }
  EXPECT_NE(legal_types, 0u) << row.mnemonic << " was never an instruction";
}

TEST(LegalWords, AreWhatHandlersTake) {
  Random random(1);
  for (const auto rows : {vector_rows(), dojo_rows()})
    for (const Row& row : rows)
      if (row.unit == Unit::simd || row.unit == Unit::simd_divide || row.unit == Unit::vector_load ||
          row.unit == Unit::vector_store)
        check(row, random);
}

TEST(LegalWords, AreFoundWhereThereAreAny) {
  Random random(2);
  const auto below = [&](std::size_t bound) { return random.below(bound); };
  for (const Row& row : vector_rows())
    for (const std::uint64_t vtype : legal_words::plain_vtypes())
      for (int i = 0; i < 40; ++i) {
        const std::uint32_t word = row.match | (random.bits() & ~row.mask);
        const auto type = ElementType::of(vtype);
        if (row.unit == Unit::vector_config || !legal_words::is_legal(row, word, type)) continue;
        EXPECT_TRUE(legal_words::with_legal_registers(row, word, type, below)) << row.mnemonic;
      }
}

TEST(LegalWords, ListEveryConfigurationThatExists) {
  const auto hart = std::make_unique<Hart>();
  std::vector<std::uint64_t> exist;
  for (std::uint64_t vtype = 0; vtype < 64; ++vtype) {
    set_vtype(*hart, vtype);
    if (!hart->vill) exist.push_back(vtype);
  }
  auto listed = legal_words::plain_vtypes();
  std::ranges::sort(listed);
  EXPECT_EQ(listed, exist);
}

}  // namespace
}  // namespace dojo::isa
