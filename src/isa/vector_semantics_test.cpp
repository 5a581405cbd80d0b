// Does every vector row do what qemu does, for every SEW, LMUL, mask and length?
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "isa/legal_words_for_tests.h"
#include "isa/one_instruction_test.h"
#include "isa/qemu_harness_test.h"
#include "isa/vector_config.h"
#include "isa/vector_operands.h"

namespace dojo::isa {
namespace {

constexpr unsigned base_register = 9, stride_register = 10;

std::uint32_t with_field(std::uint32_t word, unsigned low, unsigned bits, std::uint64_t value) {
  const std::uint32_t mask = ((1u << bits) - 1) << low;
  return (word & ~mask) | (static_cast<std::uint32_t>(value << low) & mask);
}

bool is_float(const Row& row) { return row.mnemonic.starts_with("vf") || row.mnemonic.starts_with("vmf"); }

// The width that vs2's or vs1's elements have as floats, or 0.
void fill_registers(TrialState& state, Random& random, unsigned width, bool floats) {
  for (std::size_t at = 0; at < state.v.size(); at += width / 8) {
    const std::uint64_t bits =
        floats && random.below(8) != 0 ? corner_float(random, width) : corner_integer(random);
    std::memcpy(state.v.data() + at, &bits, width / 8);
  }
}

// A configuration that exists: vtype and a length (none, one, all, or any).
void configure(TrialState& state, Random& random, unsigned vlen_bits, bool floats) {
  auto hart = std::make_unique<Hart>();
  hart->vlen_bits = vlen_bits;
  do {
    const std::uint64_t sew = floats ? 1 + random.below(3) : random.below(4);
    set_vtype(*hart, sew << 3 | random.below(8));
  } while (hart->vill);
  const std::uint64_t limit = vector_length_limit(*hart), kind = random.below(6);
  state.vtype = hart->vtype;
  state.vl = kind == 0 ? 0 : kind == 1 ? 1 : kind < 4 ? limit : random.below(limit + 1);
  state.vstart = 0;
  state.vcsr = random.below(8);
}

bool is_legal(const Trial& trial, unsigned vlen_bits) {
  auto hart = std::make_unique<Hart>();
  hart->vlen_bits = vlen_bits;
  set_vtype(*hart, trial.before.vtype);
  hart->vl = trial.before.vl;
  hart->vstart = trial.before.vstart;
  hart->frm = trial.before.fcsr >> 5 & 7;
  execute_alone(*hart, decode(trial.words[0], 0));
  return hart->stop != Stop::trap || hart->trap != TrapCause::illegal_instruction;
}

// Vector registers lie where they may; scalars are any that the harness leaves alone. Nothing if the row is
// no instruction at this vtype.
std::optional<std::uint32_t> random_word(const Row& row, Random& random, std::uint64_t vtype) {
  std::uint32_t word = row.match | (random.bits() & ~row.mask);
  const std::pair<unsigned, Operand> fields[] = {{7, row.rd}, {15, row.rs1}, {20, row.rs2}};
  for (const auto& [low, operand] : fields)
    if (operand == Operand::x_read || operand == Operand::x_write)
      word = with_field(word, low, 5, random.below(30));
  return legal_words::with_legal_registers(row, word, ElementType::of(vtype),
                                           [&](std::size_t bound) { return random.below(bound); });
}

// The specification resets vstart after every instruction; qemu 7.2 leaves it where it moves one element or
// whole registers, where vslideup has nothing to do, and if it is not below vl.
bool takes_vstart(const Row& row) {
  return row.vector.vd.extent != Extent::registers && row.mnemonic.find("mv.") == std::string_view::npos &&
         !row.mnemonic.starts_with("vslideup");
}

// Memory operands that stay inside the trial's own bytes.
void aim(Trial& trial, const Row& row, std::size_t index, Random& random) {
  std::uint32_t& word = trial.words[0];
  word = with_field(word, 15, 5, base_register);
  trial.before.x[base_register] =
      memory_of_trial(index) + 2048 + (random.below(2) != 0 ? 0 : random.below(64));
  if (row.rs2 == Operand::x_read) {
    word = with_field(word, 20, 5, stride_register);
    const std::uint64_t reach = 1500 / (trial.before.vl + 1);
    trial.before.x[stride_register] = random.below(2 * reach + 1) - reach;
  }
  if (row.rs2 != Operand::v_read) return;
  const unsigned bytes = 1u << row.vector.vs2.log2;
  for (std::size_t at = 0; at < trial.before.v.size(); at += bytes) {
    const std::uint64_t offset = random.below(bytes == 1 ? 256 : 1900);
    std::memcpy(trial.before.v.data() + at, &offset, bytes);
  }
}

struct Wanted {
  unsigned trials_per_row;
  unsigned vlen_bits = 512;
};

void try_rows(std::span<const Row> rows, Wanted wanted, std::uint64_t seed) {
  Random random(seed);
  std::vector<Trial> trials;
  for (const Row& row : rows) {
    if (row.extension != "V" || row.mnemonic.find(".rtz.") != std::string_view::npos) continue;
    unsigned found = 0;
    for (unsigned attempt = 0; attempt < 40 * wanted.trials_per_row && found < wanted.trials_per_row;
         ++attempt) {
      Trial trial;
      const bool floats = is_float(row);
      trial.before = random_state(random, 64);
      configure(trial.before, random, wanted.vlen_bits, floats);
      const unsigned sew = 8u << (trial.before.vtype >> 3 & 7);
      for (auto& f : trial.before.f) f = corner_f_register(random, std::max(sew, 16u));
      const unsigned width =
          row.vector.vs2 == scaled(1) && random.below(3) != 0 ? std::min(2 * sew, 64u) : sew;
      fill_registers(trial.before, random, width, floats && width >= 16);
      const auto word = random_word(row, random, trial.before.vtype);
      if (!word) continue;
      trial.words = {*word};
      if ((row.properties & (reads_memory | writes_memory)) != 0) aim(trial, row, trials.size(), random);
      if (takes_vstart(row) && trial.before.vl != 0 && random.below(8) == 0)
        trial.before.vstart = random.below(trial.before.vl);
      if (!is_legal(trial, wanted.vlen_bits)) continue;
      trials.push_back(trial);
      ++found;
    }
    EXPECT_GT(found, wanted.trials_per_row / 2) << row.mnemonic << " is hardly ever legal";
  }
  expect_same_as_qemu(trials, {.vectors = true, .vlen_bits = wanted.vlen_bits});
}

TEST(VectorSemantics, Memory) { try_rows(vector::memory_rows(), {8}, 1); }
TEST(VectorSemantics, Integers) { try_rows(vector::integer_rows(), {40}, 2); }
TEST(VectorSemantics, WideIntegers) { try_rows(vector::wide_rows(), {40}, 3); }
TEST(VectorSemantics, FixedPoint) { try_rows(vector::fixed_rows(), {40}, 4); }
TEST(VectorSemantics, Floats) { try_rows(vector::float_rows(), {40}, 5); }
TEST(VectorSemantics, Conversions) { try_rows(vector::convert_rows(), {60}, 6); }
TEST(VectorSemantics, Reductions) { try_rows(vector::reduction_rows(), {60}, 7); }
TEST(VectorSemantics, Masks) { try_rows(vector::mask_rows(), {40}, 8); }
TEST(VectorSemantics, Permutations) { try_rows(vector::permute_rows(), {60}, 9); }

// Every row at the other lengths: groups of fewer and more elements than a trial at 512 has.
class VectorLengths : public testing::TestWithParam<unsigned> {};

TEST_P(VectorLengths, Memory) { try_rows(vector::memory_rows(), {4, GetParam()}, 21); }
TEST_P(VectorLengths, Integers) { try_rows(vector::integer_rows(), {8, GetParam()}, 22); }
TEST_P(VectorLengths, WideIntegers) { try_rows(vector::wide_rows(), {8, GetParam()}, 23); }
TEST_P(VectorLengths, FixedPoint) { try_rows(vector::fixed_rows(), {10, GetParam()}, 24); }
TEST_P(VectorLengths, Floats) { try_rows(vector::float_rows(), {8, GetParam()}, 25); }
TEST_P(VectorLengths, Conversions) { try_rows(vector::convert_rows(), {10, GetParam()}, 26); }
TEST_P(VectorLengths, Reductions) { try_rows(vector::reduction_rows(), {12, GetParam()}, 27); }
TEST_P(VectorLengths, Masks) { try_rows(vector::mask_rows(), {12, GetParam()}, 28); }
TEST_P(VectorLengths, Permutations) { try_rows(vector::permute_rows(), {16, GetParam()}, 29); }

// Every vtype without matrices and their altfmt, asked for in every way, with every kind of length.
TEST_P(VectorLengths, Configurations) {
  constexpr std::uint32_t vsetvli = 0x00007057, vsetivli = 0xc0007057, vsetvl = 0x80007057;
  Random random(30);
  std::vector<Trial> trials;
  for (unsigned vtype = 0; vtype < 0x100; ++vtype)
    for (const std::uint32_t match : {vsetvli, vsetivli, vsetvl}) {
      Trial trial;
      trial.before = random_state(random, 64);
      configure(trial.before, random, GetParam(), false);
      std::uint32_t word = with_field(match, 7, 5, random.below(4) == 0 ? 0 : random.below(30));
      word = with_field(word, 15, 5, random.below(4) == 0 ? 0 : random.below(match == vsetivli ? 32 : 30));
      if (random.below(2) != 0) trial.before.x[11] = random.below(3 * GetParam());
      if (random.below(2) != 0 && match != vsetivli) word = with_field(word, 15, 5, 11);
      if (match == vsetvl)
        word = with_field(word, 20, 5, 12);
      else
        word |= vtype << 20;
      trial.before.x[12] = random.below(8) == 0 ? std::uint64_t{1} << (11 + random.below(53)) : vtype;
      trial.words = {word};
      trials.push_back(trial);
    }
  expect_same_as_qemu(trials, {.vectors = true, .vlen_bits = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Bits, VectorLengths, testing::Values(128, 256, 1024),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

// vwadd.wx reads and writes groups of twice LMUL: aligned to that, and none for LMUL 8.
TEST(VectorSemantics, WideSourcesNeedGroupsOfTwiceLmul) {
  const auto traps = [](std::uint64_t vlmul, unsigned vd, unsigned vs2) {
    auto hart = std::make_unique<Hart>();
    set_vtype(*hart, 1u << 3 | vlmul);
    std::array<Decoded, 2> code{decode(0xd600e057u | vs2 << 20 | vd << 7, 0), Decoded{}};
    code[1].execute = [](Hart&, const Decoded*) -> const Decoded* { return nullptr; };
    code[0].execute(*hart, code.data());
    return hart->stop == Stop::trap;
  };
  EXPECT_TRUE(traps(3, 0, 16));
  EXPECT_TRUE(traps(2, 4, 8));
  EXPECT_FALSE(traps(2, 16, 8));
  EXPECT_FALSE(traps(1, 4, 8));
}

// qemu 7.2 crashes on the rtz conversions, so they answer to the ones it has checked, with frm = rtz.
TEST(VectorSemantics, TruncatingConversionsAreTheDynamicOnesTowardsZero) {
  Random random(14);
  const auto row_named = [](std::string name) -> const Row* {
    for (const Row& row : vector::convert_rows())
      if (row.mnemonic == name) return &row;
    return nullptr;
  };
  unsigned compared = 0;
  for (const Row& row : vector::convert_rows()) {
    const std::size_t at = row.mnemonic.find("rtz.");
    if (at == std::string_view::npos) continue;
    const Row* other = row_named(std::string(row.mnemonic).erase(at, 4));
    ASSERT_NE(other, nullptr) << row.mnemonic;
    for (int i = 0; i < 100; ++i) {
      TrialState state;
      configure(state, random, 512, true);
      fill_registers(state, random, 16u << random.below(3), true);
      std::array<std::unique_ptr<Hart>, 2> harts = {std::make_unique<Hart>(), std::make_unique<Hart>()};
      const std::uint32_t fields = (random.below(2) << 25 | 8 << 20 | 16 << 7);
      for (const bool dynamic : {false, true}) {
        Hart& hart = *harts[dynamic];
        set_vtype(hart, state.vtype);
        hart.vl = state.vl;
        hart.frm = dynamic ? 1 : static_cast<std::uint8_t>(i % 5);
        std::memcpy(hart.v.data(), state.v.data(), state.v.size());
        const Decoded d = decode((dynamic ? *other : row).match | fields, 0);
        execute_alone(hart, d);
      }
      ASSERT_EQ(harts[0]->stop, harts[1]->stop) << row.mnemonic;
      compared += harts[0]->stop == Stop::none;
      EXPECT_EQ(harts[0]->v, harts[1]->v) << row.mnemonic;
      EXPECT_EQ(harts[0]->fflags, harts[1]->fflags) << row.mnemonic;
    }
  }
  EXPECT_GT(compared, 200u);
}

}  // namespace
}  // namespace dojo::isa
