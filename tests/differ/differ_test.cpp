// Would the differ notice a wrong instruction, and say which?
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "generate.h"
#include "isa/block.h"
#include "shrink.h"

namespace dojo::differ {
namespace {

// A machine on which every `from` does what `to` does.
Way confusing(std::string_view from, std::string_view to) {
  const isa::Row *a = nullptr, *b = nullptr;
  for (const isa::Row* row : isa::all_rows()) {
    if (row->mnemonic == from) a = row;
    if (row->mnemonic == to) b = row;
  }
  const auto confused = [a, b, way = here("here", false, true)](std::span<const std::byte> elf,
                                                                unsigned vlen_bits) {
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
    return way.run(changed, vlen_bits);
  };
  return {"confused", confused};
}

Program found_with(std::string_view from, std::string_view to) {
  const Workshop workshop;
  const Shell shell(workshop, Service::linux_calls);
  Differ differ(shell, under_qemu(workshop), confusing(from, to));
  for (std::uint64_t number = 0; number < 40 * most_programs; number += most_programs) {
    std::vector<Program> programs;
    while (programs.size() < most_programs)
      programs.push_back(generate(Oracle::qemu, 5, number + programs.size(), 512));
    if (const auto found = differ.find(programs)) return differ.shrink(*found);
  }
  ADD_FAILURE() << from << " instead of " << to << " went unnoticed";
  return {};
}

// One instruction is always enough: the programs of which it is the smallest part begin anywhere.
void expect_found(std::string_view from, std::string_view to) {
  const Program small = found_with(from, to);
  EXPECT_EQ(instructions_of(small), 1u) << assembly(small);
  EXPECT_NE(assembly(small).find(from), std::string::npos) << assembly(small);
}

TEST(Differ, FindsAWrongScalarInstruction) { expect_found("xor", "or"); }
TEST(Differ, FindsAWrongRoundingOfHalves) { expect_found("fmadd.h", "fmsub.h"); }
TEST(Differ, FindsAWrongVectorInstruction) { expect_found("vssubu.vv", "vsub.vv"); }

bool is_vector(const isa::Row& row) {
  using enum isa::Unit;
  return row.extension != "XSfmm" &&
         (row.unit == simd || row.unit == simd_divide || row.unit == vector_load || row.unit == vector_store);
}

// The mnemonics of an oracle's programs.
std::set<std::string_view> mnemonics(Oracle oracle, unsigned programs) {
  std::set<std::string_view> all;
  for (unsigned number = 0; number < programs; ++number)
    for (const std::uint32_t word : encode(generate(oracle, 2, number, 512).items))
      all.insert(isa::decode(word, 0).row->mnemonic);
  return all;
}

TEST(Differ, MakesProgramsOfEveryVectorRowThatTheOracleKnows) {
  for (const Oracle oracle : {Oracle::qemu, Oracle::spike, Oracle::semantics}) {
    const auto made = mnemonics(oracle, 1200);
    for (const isa::Row* row : isa::all_rows()) {
      if (!is_vector(*row)) continue;
      EXPECT_EQ(made.contains(row->mnemonic), knows(oracle, *row)) << row->mnemonic;
    }
  }
  for (const std::string_view known : {"vror.vv", "fround.s", "czero.eqz", "cbo.zero"}) {
    EXPECT_FALSE(mnemonics(Oracle::qemu, 300).contains(known)) << known;
    EXPECT_TRUE(mnemonics(Oracle::spike, 1200).contains(known)) << known;
  }
}

TEST(Differ, MakesTheSameProgramsAgain) {
  for (const unsigned vlen_bits : {128u, 512u}) {
    const Program one = generate(Oracle::qemu, 3, 7, vlen_bits),
                  other = generate(Oracle::qemu, 3, 7, vlen_bits);
    EXPECT_EQ(encode(one.items), encode(other.items));
    EXPECT_EQ(one.before.x, other.before.x);
    EXPECT_NE(encode(one.items), encode(generate(Oracle::qemu, 3, 8, vlen_bits).items));
  }
}

TEST(Differ, ExpectsNothingOfTwoEqualMachines) {
  const Workshop workshop;
  const Shell shell(workshop, Service::linux_calls);
  Differ differ(shell, here("translated", true, true), here("semantics", false, false));
  std::vector<Program> programs;
  while (programs.size() < most_programs) programs.push_back(generate(Oracle::qemu, 9, programs.size(), 256));
  EXPECT_FALSE(differ.find(programs).has_value());
  EXPECT_GT(differ.instructions(), 1000u);
}

}  // namespace
}  // namespace dojo::differ
