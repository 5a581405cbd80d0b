#include "system/program.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "base/sha256.h"
#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

const std::vector<std::byte>& sample() {
  static const std::vector<std::byte> elf = build_guest(
      guest_source("asm(\".section .text.last, \\\"ax\\\"\\nlabel: nop\\n.text\");\n"
                   "uint64_t counter = 5; uint64_t zeros[100];\n"
                   "extern \"C\" __attribute__((noinline)) uint64_t twice(uint64_t x) { asm "
                   "volatile(\"nop\"); return x * 2; }\n"
                   "namespace places { __attribute__((noinline)) uint64_t third(unsigned x) { asm "
                   "volatile(\"nop\"); return x / 3; } }",
                   "return places::third(0) + twice(counter) + zeros[thread];"));
  return elf;
}

std::string refusal(std::span<const std::byte> elf) {
  try {
    Program::parse(elf, "sample");
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

template <typename Word>
std::vector<std::byte> with(std::size_t offset, Word value) {
  std::vector<std::byte> elf = sample();
  std::memcpy(elf.data() + offset, &value, sizeof value);
  return elf;
}

TEST(Program, ReadsSegmentsSymbolsAndTheHashOfTheFile) {
  const Program program = Program::parse(sample(), "sample");
  EXPECT_EQ(program.sha256(), sha256_hex(sample()));
  EXPECT_EQ(program.entry(), program.symbol("_start", 0));
  EXPECT_TRUE(program.has_symbol("twice"));
  EXPECT_EQ(program.symbol("absent", 17), 17u);
  const std::uint64_t twice = program.symbol("twice", 0);
  EXPECT_EQ(program.locate(twice), "twice");
  EXPECT_EQ(program.locate(twice + 2), "twice+0x2");
  EXPECT_EQ(program.locate(0x10), "");
  EXPECT_EQ(program.locate(program.symbol("label", 0)), "label");
  EXPECT_EQ(program.locate(0xffff'0000), "") << "beyond the program, behind a label without a size";
  EXPECT_EQ(program.describe(twice + 2), "twice+0x2");
  EXPECT_EQ(program.describe(program.symbol("_ZN6places5thirdEj", 0)), "places::third(unsigned int)");
  EXPECT_EQ(program.describe(program.symbol("counter", 0) + 1), "counter+0x1");
  EXPECT_EQ(program.locate(program.symbol("counter", 0)), "");
  EXPECT_EQ(program.describe(0x10), "");
  const auto [begin, end] = program.text();
  EXPECT_TRUE(begin <= twice && twice < end);
  EXPECT_FALSE(begin <= program.symbol("counter", 0) && program.symbol("counter", 0) < end);
  std::uint64_t zeroed = 0;
  for (const ProgramSegment& segment : program.segments())
    zeroed += segment.memory_bytes - segment.bytes.size();
  EXPECT_GE(zeroed, 800u);
}

TEST(Program, RefusesEveryTruncationWithoutReadingBeyond) {
  const auto& elf = sample();
  for (std::size_t size = 0; size < elf.size(); ++size) {
    const std::vector<std::byte> cut(elf.begin(), elf.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(refusal(cut), "") << size << " of " << elf.size();
  }
  EXPECT_EQ(refusal(elf), "");
}

TEST(Program, NamesWhatIsWrong) {
  EXPECT_NE(refusal(with<std::uint8_t>(0, 1)).find("not an ELF"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint8_t>(4, 1)).find("64-bit"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint8_t>(5, 2)).find("little-endian"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 1)).find("still has to be linked"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 4)).find("not an executable"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 3)).find("position-independent"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(18, 62)).find("RISC-V"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(24, 0x10)).find("not executable"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(32, ~0ull - 8)).find("program headers"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(32, ~0ull - 8)).find("from byte 18446744073709551607 on"),
            std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(40, ~0ull - 8)).find("section headers"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(56, 0)).find("no program headers"), std::string::npos);
}

// Program header i: flags at 4, offset at 8, bytes in the file at 32 and in memory at 40.
TEST(Program, TakesSegmentsWithoutFlagsForWhatTheirSectionsAre) {
  std::vector<std::byte> elf = sample();
  const Program before = Program::parse(elf, "sample");
  const std::size_t count = std::to_integer<std::size_t>(elf[56]);
  for (std::size_t i = 0; i < count; ++i) std::memset(elf.data() + 64 + 56 * i + 4, 0, 4);
  const Program after = Program::parse(elf, "sample");
  ASSERT_EQ(after.segments().size(), before.segments().size());
  for (std::size_t i = 0; i < after.segments().size(); ++i) {
    EXPECT_EQ(after.segments()[i].executable, before.segments()[i].executable);
    EXPECT_EQ(after.segments()[i].writable, before.segments()[i].writable);
  }
  std::memset(elf.data() + 40, 0, 8);  // no sections
  const Program without = Program::parse(elf, "sample");
  for (const ProgramSegment& segment : without.segments())
    EXPECT_TRUE(segment.executable && segment.writable);
}

TEST(Program, DoesNotAskWhereTheBytesLieThatASegmentDoesNotHave) {
  std::vector<std::byte> elf = sample();
  const std::size_t count = std::to_integer<std::size_t>(elf[56]);
  bool any = false;
  for (std::size_t at = 64; at < 64 + 56 * count; at += 56) {
    std::uint32_t type;
    std::memcpy(&type, elf.data() + at, sizeof type);
    if (type != 1 || (std::to_integer<unsigned>(elf[at + 4]) & 2) == 0) continue;
    const std::uint64_t beyond = elf.size() + 4096, nothing = 0;
    std::memcpy(elf.data() + at + 32, &nothing, sizeof nothing);
    std::memcpy(elf.data() + at + 8, &beyond, sizeof beyond);
    any = true;
  }
  EXPECT_EQ(refusal(elf), "");
  EXPECT_TRUE(any);
}

TEST(Program, SurvivesRandomDamage) {
  Random random(11);
  unsigned refused = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    std::vector<std::byte> elf = sample();
    const unsigned hits = 1 + static_cast<unsigned>(random.below(8));
    for (unsigned i = 0; i < hits; ++i) {
      // Mostly in the headers, where damage decides what is read.
      const std::size_t at = random.below(2) ? random.below(400) : random.below(elf.size());
      elf[at] = static_cast<std::byte>(random.below(256));
    }
    refused += !refusal(elf).empty();
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace dojo::system
