// Does every scalar row do what qemu does?
#include <gtest/gtest.h>

#include <algorithm>

#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/extensions.h"
#include "isa/qemu_harness_test.h"

namespace dojo::isa {
namespace {

constexpr unsigned base_register = 9;  // where memory operands point

unsigned float_width(std::string_view mnemonic) {
  if (mnemonic.ends_with(".h") || mnemonic.ends_with(".h.x") || mnemonic == "flh" || mnemonic == "fsh")
    return 16;
  if (mnemonic.ends_with(".d") || mnemonic.ends_with(".d.x") || mnemonic == "fld" || mnemonic == "fsd")
    return 64;
  return 32;
}

bool holds_word(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A register that the harness leaves to us.
std::uint32_t any_register(Random& random) { return static_cast<std::uint32_t>(random.below(30)); }

std::uint32_t with_field(std::uint32_t word, unsigned low, unsigned bits, std::uint64_t value) {
  const std::uint32_t mask = ((1u << bits) - 1) << low;
  return (word & ~mask) | (static_cast<std::uint32_t>(value << low) & mask);
}

// Random operands for the row, as its operand classes allow.
std::uint32_t random_word(const Row& row, Random& random) {
  std::uint32_t word = row.match | (random.bits() & ~row.mask);
  const auto is_x = [](Operand operand) { return operand == Operand::x_read || operand == Operand::x_write; };
  if (is_x(row.rd)) word = with_field(word, 7, 5, any_register(random));
  if (is_x(row.rs1)) word = with_field(word, 15, 5, any_register(random));
  if (is_x(row.rs2)) word = with_field(word, 20, 5, any_register(random));
  if (row.syntax.ends_with("rm") || row.syntax.ends_with("rm_exact")) {
    constexpr std::uint32_t modes[] = {0, 1, 2, 3, 4, 7, 7, 7};
    word = with_field(word, 12, 3, modes[random.below(8)]);
  }
  if (row.extension == "Zicsr") {
    constexpr std::uint32_t numbers[] = {1, 2, 3};
    word = with_field(word, 20, 12, numbers[random.below(3)]);
  }
  return word;
}

Trial random_trial(const Row& row, std::size_t index, Random& random) {
  Trial trial;
  trial.before = random_state(random, float_width(row.mnemonic));
  std::uint32_t word = random_word(row, random);
  if (row.properties & (reads_memory | writes_memory)) {
    const bool has_offset = row.syntax.find("12(rs1)") != std::string_view::npos;
    word = with_field(word, 15, 5, base_register);
    if (((word >> 20) & 31) == base_register && !has_offset) word ^= 1u << 20;
    trial.before.x[base_register] =
        memory_of_trial(index) + 2048 + (has_offset ? random.below(8) : 8 * random.below(8));
  }
  // qemu 7.2 counts on into the upper word if the lower one is zero; the specification says 32.
  if (row.mnemonic == "ctzw" && ((word >> 15) & 31) != 0)
    trial.before.x[(word >> 15) & 31] |= 1u << random.below(32);
  trial.words = {word};
  if (row.unit == Unit::branch) {
    // Jumps over one addition. jalr finds its own place by auipc.
    constexpr std::uint32_t count = 0x00128293, offset_8_branch = 0x00000400, offset_8_jump = 0x00800000;
    if (row.mnemonic == "jalr") {
      const std::uint32_t base = 1 + static_cast<std::uint32_t>(random.below(29));
      word = with_field(with_field(word, 15, 5, base), 20, 12, 12 + random.below(2));
      trial.words = {0x00000017 | base << 7, word, count};
    } else {
      const bool is_jal = row.mnemonic == "jal";
      word = (word & (is_jal ? 0x00000fffu : 0x01fff07fu)) | (is_jal ? offset_8_jump : offset_8_branch);
      trial.words = {word, count};
    }
  }
  return trial;
}

void try_rows(const std::vector<std::string_view>& extensions, unsigned trials_per_row) {
  Random random(2026);
  std::vector<Trial> trials;
  for (const Row& row : scalar_rows()) {
    if (!holds_word(extensions, row.extension)) continue;
    if (holds_word({"ecall", "ebreak", "sc.w", "sc.d", "fence"}, row.mnemonic))
      continue;  // they stop, or stand below
    for (unsigned i = 0; i < trials_per_row; ++i) trials.push_back(random_trial(row, trials.size(), random));
  }
  expect_same_as_qemu(trials);
}

TEST(ScalarSemantics, Integers) { try_rows({"I", "M", "Zifencei", "Zicsr"}, 60); }
TEST(ScalarSemantics, BitManipulation) { try_rows({"Zba", "Zbb", "Zbc", "Zbs"}, 60); }
TEST(ScalarSemantics, Atomics) { try_rows({"A"}, 60); }
TEST(ScalarSemantics, SinglePrecision) { try_rows({"F"}, 150); }
TEST(ScalarSemantics, DoublePrecision) { try_rows({"D"}, 150); }
TEST(ScalarSemantics, HalfPrecision) { try_rows({"Zfh", "Zfhmin"}, 150); }

// Results feed on results: flags pile up, and a static rounding mode must end with its instruction.
TEST(ScalarSemantics, SequencesOfArithmetic) {
  Random random(2027);
  std::vector<const Row*> rows;
  for (const Row& row : scalar_rows())
    if (!(row.properties & (ends_block | reads_memory | writes_memory)) && is_in_qemu(row.extension) &&
        row.mnemonic != "ctzw")
      rows.push_back(&row);
  std::vector<Trial> trials;
  while (trials.size() < 1500) {
    Trial trial{random_state(random, 16u << random.below(3)), {}};
    while (trial.words.size() < 16) {
      const std::uint32_t word = random_word(*rows[random.below(rows.size())], random);
      if (decode(word, 0).row->mnemonic != "auipc") trial.words.push_back(word);
    }
    trials.push_back(trial);
  }
  expect_same_as_qemu(trials);
}

// lr and sc with nothing, a store to the word, or another address between them.
TEST(ScalarSemantics, StoreConditionalNeedsTheReservation) {
  Random random(7);
  std::vector<Trial> trials;
  constexpr std::uint32_t lr_w = 0x1004a52f, lr_d = 0x1004b52f, sc_w = 0x18b4a62f,
                          sc_d = 0x18b4b62f;                         // (s1), a0, a1, a2
  constexpr std::uint32_t store = 0x00d4a023, move_on = 0x00848493;  // sw a3, 0(s1); addi s1, s1, 8
  for (const auto& words : std::vector<std::vector<std::uint32_t>>{{lr_w, sc_w},
                                                                   {lr_d, sc_d},
                                                                   {lr_w, sc_w, sc_w},
                                                                   {lr_d, store, sc_d},
                                                                   {lr_d, move_on, sc_d},
                                                                   {sc_w},
                                                                   {sc_d}})
    for (int i = 0; i < 10; ++i) {
      Trial trial{random_state(random, 64), words};
      trial.before.x[base_register] = memory_of_trial(trials.size()) + 64;
      trials.push_back(trial);
    }
  expect_same_as_qemu(trials);
}

// All 2^16 half-words that decode, except those that jump or address memory through a register of their
// choice.
TEST(ScalarSemantics, CompressedArithmetic) {
  Random random(11);
  std::vector<Trial> trials;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 3) == 3 || random.below(16) != 0) continue;
    const Decoded d = decode(half, 0);
    if (!is_in_qemu(extension_of(d))) continue;
    const bool uses_harness = d.rd >= 30 || (d.row->rs1 != Operand::none && d.rs1 >= 30) ||
                              (d.row->rs2 != Operand::none && d.rs2 >= 30);
    if (d.row->mnemonic.starts_with('<') || d.row->properties & (ends_block | reads_memory | writes_memory) ||
        uses_harness)
      continue;
    trials.push_back({random_state(random, 64), {half, 0x0001}});
  }
  expect_same_as_qemu(trials);
}

TEST(ScalarSemantics, CompressedMemory) {
  Random random(12);
  std::vector<Trial> trials;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 3) == 3 || random.below(16) != 0) continue;
    const Decoded d = decode(half, 0);
    if (!(d.row->properties & (reads_memory | writes_memory)) || d.rd >= 30 || d.rs2 >= 30) continue;
    if (!is_in_qemu(extension_of(d))) continue;
    Trial trial{random_state(random, 64), {half, 0x0001}};
    trial.before.x[d.rs1] = memory_of_trial(trials.size()) + 512;
    trials.push_back(trial);
  }
  expect_same_as_qemu(trials);
}

}  // namespace
}  // namespace dojo::isa
