// Would the differ notice a wrong instruction, and say which?
#include <gtest/gtest.h>

#include <cstring>

#include "generate.h"
#include "isa/block.h"
#include "shrink.h"

namespace dojo::differ {
namespace {

// A machine on which every `from` does what `to` does.
Runner confusing(std::string_view from, std::string_view to) {
  const isa::Row *a = nullptr, *b = nullptr;
  for (const isa::Row* row : isa::all_rows()) {
    if (row->mnemonic == from) a = row;
    if (row->mnemonic == to) b = row;
  }
  return [a, b, here = run_here(false, true)](std::span<const std::byte> elf, unsigned vlen_bits) {
    std::vector<std::byte> changed(elf.begin(), elf.end());
    // The code is the first segment, from the second page of the file on; its length stands in the first
    // program header.
    std::uint64_t length;
    std::memcpy(&length, &changed[64 + 32], sizeof length);
    for (std::size_t at = 4096; at + 4 <= 4096 + length;) {
      std::uint32_t word;
      std::memcpy(&word, &changed[at], 4);
      if ((word & a->mask) == a->match) {
        const std::uint32_t other = (word & ~a->mask) | b->match;
        std::memcpy(&changed[at], &other, 4);
      }
      at += bytes_of(word);
    }
    return here(changed, vlen_bits);
  };
}

Program found_with(std::string_view from, std::string_view to) {
  const Workshop workshop;
  const Shell shell(workshop);
  Differ differ(shell, run_under_qemu(workshop), confusing(from, to));
  for (std::uint64_t number = 0; number < 40 * most_programs; number += most_programs) {
    std::vector<Program> programs;
    while (programs.size() < most_programs) programs.push_back(generate(5, number + programs.size(), 512));
    if (const auto found = differ.find(programs)) return differ.shrink(*found);
  }
  ADD_FAILURE() << from << " instead of " << to << " went unnoticed";
  return {};
}

void expect_found(std::string_view from, std::string_view to, std::size_t most_instructions) {
  const Program small = found_with(from, to);
  EXPECT_LE(instructions_of(small), most_instructions) << assembly(small);
  EXPECT_NE(assembly(small).find(from), std::string::npos) << assembly(small);
}

TEST(Differ, FindsAWrongScalarInstruction) { expect_found("xor", "or", 1); }
TEST(Differ, FindsAWrongRoundingOfHalves) { expect_found("fmadd.h", "fmsub.h", 2); }
TEST(Differ, FindsAWrongVectorInstruction) { expect_found("vssubu.vv", "vsub.vv", 3); }

TEST(Differ, MakesTheSameProgramsAgain) {
  for (const unsigned vlen_bits : {128u, 512u}) {
    const Program one = generate(3, 7, vlen_bits), other = generate(3, 7, vlen_bits);
    EXPECT_EQ(encode(one.items), encode(other.items));
    EXPECT_EQ(one.before.x, other.before.x);
    EXPECT_NE(encode(one.items), encode(generate(3, 8, vlen_bits).items));
  }
}

TEST(Differ, ExpectsNothingOfTwoEqualMachines) {
  const Workshop workshop;
  const Shell shell(workshop);
  Differ differ(shell, run_here(true, true), run_here(false, false));
  std::vector<Program> programs;
  while (programs.size() < most_programs) programs.push_back(generate(9, programs.size(), 256));
  EXPECT_FALSE(differ.find(programs).has_value());
  EXPECT_GT(differ.instructions(), 1000u);
}

}  // namespace
}  // namespace dojo::differ
