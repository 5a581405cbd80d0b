// Does every row mean the same bits as llvm-mc, and print as it does?
//
// For each row that LLVM knows: random operand bits, our text against llvm-mc's disassembly, and the text
// assembled back to the same bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "base/file.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/csr.h"
#include "isa/extensions.h"
#include "support/command.h"

namespace dojo::isa {
namespace {

std::string llvm_mc() {
  return fmt::format("llvm-mc-22 --triple=riscv64 -M no-aliases --mattr={},+zvl512b", llvm_attributes());
}

// The lines that llvm-mc prints for this input. What it refuses leaves no line (and a message).
std::vector<std::string> ask_llvm(std::string_view options, const std::string& input) {
  const TemporaryFolder folder("dojo-encoding");
  write_text(folder.path() / "in", input);
  const Said said = shell_in(folder.path(), fmt::format("{} {} in", llvm_mc(), options));
  EXPECT_LE(said.exit_code, 1) << "llvm-mc-22 did not run";
  std::vector<std::string> lines;
  std::istringstream text(said.words);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string hexadecimal(const Decoded& d) {
  const std::uint32_t word = d.length == 2 ? d.compressed : d.word;
  std::string text;
  for (unsigned i = 0; i < d.length; ++i)
    text += fmt::format("{}0x{:02x}", i == 0 ? "" : " ", (word >> (8 * i)) & 255);
  return text;
}

// llvm-mc's answers to questions of one line each, "" where it refuses one. A marker (addi zero, zero,
// number) stands behind each question, as `marker` writes it.
template <typename Marker>
std::vector<std::string> answers(std::string_view options, const std::vector<std::string>& questions,
                                 Marker marker) {
  std::string input;
  for (std::size_t i = 0; i < questions.size(); ++i)
    input += questions[i] + "\n" + marker(static_cast<std::uint32_t>(i % 2048)) + "\n";
  std::vector<std::string> lines;
  std::string pending;
  for (const std::string& line : ask_llvm(options, input)) {
    if (!line.starts_with('\t') || line.starts_with("\t.")) continue;
    const std::string expected = fmt::format("\taddi\tzero, zero, {}", lines.size() % 2048);
    if (line.substr(0, line.find_last_not_of(" ", line.find('#') - 1) + 1) != expected)
      pending = line.substr(1);
    else
      lines.push_back(std::exchange(pending, ""));
  }
  EXPECT_EQ(lines.size(), questions.size());
  lines.resize(questions.size());
  return lines;
}

std::vector<std::string> disassembled_by_llvm(const std::vector<Decoded>& instructions) {
  std::vector<std::string> questions;
  for (const Decoded& d : instructions) questions.push_back(hexadecimal(d));
  return answers("--disassemble", questions, [](std::uint32_t number) {
    return fmt::format("0x13 0x00 0x{:02x} 0x{:02x}", (number & 15) << 4, number >> 4);
  });
}

std::vector<std::string> assembled_by_llvm(const std::vector<Decoded>& instructions) {
  std::vector<std::string> questions;
  for (const Decoded& d : instructions) questions.push_back(".option exact\n" + disassemble(d, 0));
  auto lines = answers("--show-encoding", questions, [](std::uint32_t number) {
    return fmt::format(".option exact\naddi zero, zero, {}", number);
  });
  for (std::string& line : lines) {
    const auto at = line.find("# encoding: [");
    line = at == std::string::npos ? "" : line.substr(at + 13, line.find(']', at) - at - 13);
    std::replace(line.begin(), line.end(), ',', ' ');
  }
  return lines;
}

// llvm-mc may refuse operands of which the specification says that they are reserved, but no row may be
// strange to it.
void expect_llvm_agrees(const std::vector<Decoded>& instructions) {
  const std::vector<std::string> texts = disassembled_by_llvm(instructions),
                                 bytes = assembled_by_llvm(instructions);
  std::set<const Row*> known;
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    const Decoded& d = instructions[i];
    if (texts[i].empty() || bytes[i].empty()) continue;
    known.insert(d.row);
    const bool shares_encoding = d.row->mnemonic == "sf.vsettnt";  // llvm-mc prints some of these as vsetvli
    if (!shares_encoding) {
      EXPECT_EQ(disassemble(d, 0), texts[i]) << hexadecimal(d);
    }
    EXPECT_EQ(hexadecimal(d), bytes[i]) << disassemble(d, 0);
  }
  for (const Decoded& d : instructions) {
    EXPECT_TRUE(known.contains(d.row)) << disassemble(d, 0) << " is nothing to llvm-mc";
    known.insert(d.row);
  }
}

// Bits that the row leaves open, filled so that the instruction is legal for its row.
std::uint32_t random_word(const Row& row, Random& random) {
  std::uint32_t word = row.match | (random.bits() & ~row.mask);
  // Groups of up to eight registers begin at multiples of eight.
  constexpr std::uint32_t within_group = 7u << 7 | 7u << 15 | 7u << 20;
  if (random.below(2) == 0) word &= row.mask | ~within_group;
  if (row.extension == "Zicsr") {
    const auto all = csrs();
    word = (word & 0x000fffff) | static_cast<std::uint32_t>(all[random.below(all.size())].number) << 20;
  }
  return word;
}

std::vector<Decoded> samples(std::span<const Row> rows, unsigned count) {
  Random random(22);
  std::vector<Decoded> all;
  for (const Row& row : rows) {
    if (row.extension == "Xdojo") continue;
    unsigned found = 0;
    all.push_back(
        decode(row.match, 0));  // llvm-mc knows fences without the fields that are to be ignored only
    if (all.back().row != &row) all.pop_back();
    for (unsigned tries = 0; found < count && tries < 100 * count; ++tries) {
      const Decoded d = decode(random_word(row, random), 0);
      if (d.row != &row) continue;  // a more special row, or reserved operands
      all.push_back(d);
      ++found;
    }
    EXPECT_GT(found, 0u) << row.mnemonic << " never decodes to itself";
  }
  return all;
}

TEST(Encoding, ScalarRowsAreLlvmsBothWays) { expect_llvm_agrees(samples(scalar_rows(), 12)); }
TEST(Encoding, VectorRowsAreLlvmsBothWays) { expect_llvm_agrees(samples(vector_rows(), 40)); }
TEST(Encoding, MatrixRowsAreLlvmsBothWays) { expect_llvm_agrees(samples(matrix_rows(), 12)); }

TEST(Encoding, EveryHalfWordIsLlvmsBothWays) {
  std::vector<Decoded> all;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 3) == 3) continue;
    const Decoded d = decode(half, 0);
    if (d.row->mnemonic != "<unknown>") all.push_back(d);
  }
  expect_llvm_agrees(all);
}

// What llvm-mc refuses must not run here, and the other way round.
TEST(Encoding, IllegalHalfWordsAreLlvmsToo) {
  std::string bytes;
  std::vector<std::uint32_t> illegal;
  for (std::uint32_t half = 0; half < 0x10000; ++half)
    if ((half & 3) != 3 && decode(half, 0).row->mnemonic == "<unknown>") {
      illegal.push_back(half);
      bytes += fmt::format("0x{:02x} 0x{:02x}\n", half & 255, half >> 8);
    }
  for (const std::string& line : ask_llvm("--disassemble", bytes))
    if (line.starts_with('\t') && line != "\t.text") {
      EXPECT_EQ(line, "\tc.unimp");
    }
}

TEST(Encoding, NamesWhatCompilersTrapWithAsLlvmDoes) {
  for (const std::uint32_t bits : {0x0000u, 0xc0001073u}) {
    const Decoded d = decode(bits, 0);
    EXPECT_EQ(disassemble(d, 0), disassembled_by_llvm({d}).at(0));
    EXPECT_NE(disassemble(d, 0).find("unimp"), std::string::npos);
  }
}

TEST(Encoding, RowsAreConsistent) {
  for (const Row* row : all_rows()) {
    EXPECT_EQ(row->match & ~row->mask, 0u) << row->mnemonic << ": match has bits outside mask";
    EXPECT_EQ(row->match & 3, 3u) << row->mnemonic;
    EXPECT_NE(row->execute, nullptr) << row->mnemonic;
    EXPECT_FALSE(row->extension.empty()) << row->mnemonic;
    for (const Row* other : all_rows())
      if (row != other && row->match == other->match) {
        EXPECT_NE(row->mask, other->mask) << row->mnemonic << " and " << other->mnemonic;
      }
  }
}

}  // namespace
}  // namespace dojo::isa
