// Is it known what the addresses of a program are called, and which of them it may not store to?
#include "system/program.h"

#include <gtest/gtest.h>

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
  for (const toolchain::ElfSegment& segment : program.segments())
    zeroed += segment.memory_bytes - segment.bytes.size();
  EXPECT_GE(zeroed, 800u);
}

}  // namespace
}  // namespace dojo::system
