// The oracle is the instruction itself: it must succeed when exactly the listed bytes can be accessed, and
// trap when one byte less can.
#include "debug/accesses.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "isa/vector_config.h"

namespace dojo::debug {
namespace {

constexpr std::uint64_t middle = 0x100000;

class AccessesOfRows : public testing::Test {
protected:
  AccessesOfRows() : bytes_(2 * middle) {}

  // A hart about to execute `word` with some registers and vector configuration.
  isa::Hart hart(const isa::Row& row, Random& random) {
    isa::Hart made;
    for (unsigned r = 1; r < 32; ++r) made.x[r] = middle + random.below(64) * 64;
    for (auto& byte : made.v) byte = static_cast<std::byte>(random.below(256));
    const std::uint64_t sew = random.below(4), lmul = random.below(2);
    const bool by_index = row.vector.access == isa::AccessPattern::indexed;
    const std::size_t index_bytes = by_index ? std::size_t{1} << row.vector.vs2.log2 : 2;
    for (std::size_t i = 16 * 64; i < 32 * 64; ++i)  // indices below 2^16
      if (i % index_bytes >= 2) made.v[i] = std::byte{0};
    if (row.extension == "XSfmm") {
      isa::set_vtype(made, std::uint64_t{2} << 3 | std::uint64_t{1} << 9);
      made.vl = random.below(17);
    } else {
      isa::set_vtype(made, sew << 3 | lmul);
      made.vl = random.below(isa::vector_length_limit(made) + 1);
    }
    made.memory.bytes = bytes_.data();
    made.memory.size = bytes_.size();
    return made;
  }

  std::uint32_t word_for(const isa::Row& row, Random& random) const {
    const std::uint32_t any = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32));
    std::uint32_t word = row.match | (any & ~row.mask);
    // Register numbers that groups of eight may have; x10 to x13 as addresses and strides.
    if ((row.mask & 0x00000f80u) == 0) word = (word & ~0x00000f80u) | (8u << 7);
    if ((row.mask & 0x000f8000u) == 0) word = (word & ~0x000f8000u) | (10u << 15);
    if ((row.mask & 0x01f00000u) == 0) word = (word & ~0x01f00000u) | (16u << 20);
    return word;
  }

  static bool traps(isa::Hart hart, const isa::Decoded& decoded) {
    isa::Block block;
    block.pc = 0;
    block.count = 1;
    block.bytes = 4;
    isa::Decoded end = decoded;
    end.execute = [](isa::Hart&, const isa::Decoded*) -> const isa::Decoded* { return nullptr; };
    block.code = {decoded, end};
    isa::run_block(hart, block);
    return hart.stop == isa::Stop::trap;
  }

  std::vector<std::byte> bytes_;
};

TEST_F(AccessesOfRows, AreWhatTheInstructionsNeed) {
  Random random(7);
  std::size_t tried = 0, rows = 0;
  for (const isa::Row* row : isa::all_rows()) {
    if ((row->properties & (isa::reads_memory | isa::writes_memory)) == 0) continue;
    if (row->unit == isa::Unit::transfer) continue;
    std::size_t tries_of_row = 0;
    for (unsigned i = 0; i < 100; ++i) {
      isa::Hart one = hart(*row, random);
      const isa::Decoded decoded = isa::decode(word_for(*row, random), 0);
      if (decoded.row != row) continue;
      if (row->unit == isa::Unit::vector_load || row->unit == isa::Unit::vector_store) {
        one.x[16] = row->extension == "XSfmm" ? 0 : random.below(512);
      }
      const std::vector<MemoryAccess> accesses = accesses_of(one, decoded);
      if (accesses.empty() || traps(one, decoded)) continue;
      std::uint64_t lowest = ~std::uint64_t{0}, highest = 0;
      for (const MemoryAccess& access : accesses) {
        lowest = std::min(lowest, access.address);
        highest = std::max(highest, access.address + access.bytes);
      }
      ASSERT_LE(highest, bytes_.size());
      const auto with_window = [&](std::uint64_t low, std::uint64_t high) {
        isa::Hart narrow = one;
        narrow.memory.size = high;
        narrow.memory.unmapped_below = low;
        return traps(narrow, decoded);
      };
      const bool first_fault_only = row->vector.access == isa::AccessPattern::first_fault_only;
      EXPECT_FALSE(with_window(lowest, highest)) << row->mnemonic;
      ++tries_of_row;
      // A fault behind its first element only shortens it.
      if (first_fault_only && one.vl != 1) continue;
      EXPECT_TRUE(with_window(lowest + 1, highest)) << row->mnemonic;
      EXPECT_TRUE(with_window(lowest, highest - 1)) << row->mnemonic;
    }
    EXPECT_GT(tries_of_row, 0u) << row->mnemonic << " was never tried";
    tried += tries_of_row;
    ++rows;
  }
  EXPECT_GT(rows, 300u);
  EXPECT_GT(tried, 5'000u);
}

// Every byte that changed was listed as stored to.
TEST_F(AccessesOfRows, NameAllThatStoresChange) {
  Random random(11);
  for (const isa::Row* row : isa::all_rows()) {
    if ((row->properties & isa::writes_memory) == 0 || row->unit == isa::Unit::transfer) continue;
    for (unsigned i = 0; i < 20; ++i) {
      isa::Hart one = hart(*row, random);
      const isa::Decoded decoded = isa::decode(word_for(*row, random), 0);
      if (decoded.row != row) continue;
      one.x[16] = row->extension == "XSfmm" ? 0 : random.below(512);
      std::ranges::fill(bytes_, std::byte{0x5a});
      const std::vector<MemoryAccess> accesses = accesses_of(one, decoded);
      if (traps(one, decoded)) continue;
      for (std::uint64_t at = middle - 0x8000; at < middle + 0x40000; ++at) {
        if (bytes_[at] == std::byte{0x5a}) continue;
        EXPECT_TRUE(std::ranges::any_of(accesses, [at](const MemoryAccess& access) {
          return access.store && access.touches(at, 1);
        })) << row->mnemonic;
      }
    }
  }
}

// --- Transfers, by docs/notes/002: what each reads and writes, on whose node

constexpr std::uint32_t own_node = 3;
constexpr std::uint64_t global(std::uint64_t endpoint, std::uint64_t offset) {
  return endpoint << 40 | offset;
}

// Registers of the instruction (rd, rs1, rs2, rs3 are a0 to a3), and what it touches. The word at 0x48 of the
// own node is 5.
struct TransferCase {
  const char* name;
  std::uint32_t match;
  std::array<std::uint64_t, 4> registers;
  std::vector<MemoryAccess> local;
  std::vector<NodeAccess> others;
};

constexpr std::uint32_t put = 0x0000000b, get = 0x0200000b, signal = 0x0000100b, wait = 0x0200100b,
                        quiet = 0x0400100b;
constexpr bool load = false, store = true;

// clang-format off
const TransferCase transfers[] = {
    {"put to another node",      put,    {0,    global(7, 0x8000), 0x2000, 100}, {{0x2000, 100, load}},  {{7, {0x8000, 100, store}}}},
    {"put with a semaphore",     put,    {0x40, global(7, 0x8000), 0x2000, 100}, {{0x2000, 100, load}},  {{7, {0x8000, 100, store}}, {7, {0x40, 8, store}}}},
    {"put to itself",            put,    {0x40, global(3, 0x8000), 0x2000, 100}, {{0x2000, 100, load}},  {{3, {0x8000, 100, store}}, {3, {0x40, 8, store}}}},
    {"put to the last byte",     put,    {0,    global(7, (std::uint64_t{1} << 40) - 1), 0x2000, 1}, {{0x2000, 1, load}}, {{7, {(std::uint64_t{1} << 40) - 1, 1, store}}}},
    {"get from another node",    get,    {0,    0x2000, global(7, 0x8000), 100}, {{0x2000, 100, store}}, {{7, {0x8000, 100, load}}}},
    {"get with a semaphore",     get,    {0x40, 0x2000, global(7, 0x8000), 100}, {{0x2000, 100, store}}, {{7, {0x8000, 100, load}}, {3, {0x40, 8, store}}}},
    {"get from itself",          get,    {0x40, 0x2000, global(3, 0x8000), 100}, {{0x2000, 100, store}}, {{3, {0x8000, 100, load}}, {3, {0x40, 8, store}}}},
    {"signal to another node",   signal, {0,    global(7, 0x48), 2, 0},          {},                     {{7, {0x48, 8, store}}}},
    {"signal to itself",         signal, {0,    global(3, 0x48), 2, 0},          {},                     {{3, {0x48, 8, store}}}},
    {"wait for less than there", wait,   {0,    0x48, 4, 0},                     {},                     {{3, {0x48, 8, load}}, {3, {0x48, 8, store}}}},
    {"wait for what is there",   wait,   {0,    0x48, 5, 0},                     {},                     {{3, {0x48, 8, load}}, {3, {0x48, 8, store}}}},
    {"wait for more",            wait,   {0,    0x48, 6, 0},                     {},                     {}},
    {"wait outside the memory",  wait,   {0,    std::uint64_t{1} << 50, 0, 0},   {},                     {}},
    {"quiet",                    quiet,  {0x40, global(7, 0x48), 0x2000, 100},   {},                     {}},
};
// clang-format on

std::string text_of(const MemoryAccess& access) {
  return fmt::format("{} {:#x}+{}", access.store ? "store" : "load", access.address, access.bytes);
}

TEST(Accesses, OfTransfersAreThoseOfBothEnds) {
  std::vector<std::byte> bytes(0x10000);
  bytes[0x48] = std::byte{5};
  for (const TransferCase& one : transfers) {
    isa::Hart hart;
    hart.node = own_node;
    hart.memory.bytes = bytes.data();
    hart.memory.size = bytes.size();
    for (unsigned i = 0; i < 4; ++i) hart.x[10 + i] = one.registers[i];
    constexpr std::uint32_t operands = 10 << 7 | 11 << 15 | 12 << 20 | 13u << 27;
    std::uint32_t open = 0;
    for (const isa::Row* row : isa::all_rows())
      if (row->unit == isa::Unit::transfer && row->match == one.match) open = ~row->mask;
    const isa::Decoded decoded = isa::decode(one.match | (operands & open), 0);
    ASSERT_EQ(decoded.row->unit, isa::Unit::transfer) << one.name;
    std::vector<std::string> local, others, wanted_local, wanted_others;
    for (const MemoryAccess& access : accesses_of(hart, decoded)) local.push_back(text_of(access));
    for (const MemoryAccess& access : one.local) wanted_local.push_back(text_of(access));
    for (const auto& [node, access] : transfer_accesses_of(hart, decoded))
      others.push_back(fmt::format("{}: {}", node, text_of(access)));
    for (const auto& [node, access] : one.others)
      wanted_others.push_back(fmt::format("{}: {}", node, text_of(access)));
    EXPECT_EQ(local, wanted_local) << one.name;
    EXPECT_EQ(others, wanted_others) << one.name;
  }
}

// Every transfer has a case above.
TEST(Accesses, OfEveryTransferAreTested) {
  for (const isa::Row* row : isa::all_rows())
    if (row->unit == isa::Unit::transfer) {
      EXPECT_TRUE(std::ranges::any_of(transfers, [row](const TransferCase& one) {
        return one.match == row->match;
      })) << row->mnemonic;
    }
}

// A put of no bytes into the middle of what is watched changes none of it.
TEST(Accesses, OfNoBytesTouchNothing) {
  EXPECT_FALSE((MemoryAccess{0x1004, 0, store}.touches(0x1000, 8)));
  EXPECT_TRUE((MemoryAccess{0x1004, 1, store}.touches(0x1000, 8)));
  EXPECT_FALSE((MemoryAccess{0x1008, 1, store}.touches(0x1000, 8)));
}

TEST(Accesses, NeighboursAreOne) {
  isa::Hart hart;
  hart.x[10] = 0x1000;
  isa::set_vtype(hart, 2 << 3);
  hart.vl = 16;
  const auto accesses = accesses_of(hart, isa::decode(0x02056407, 0));  // vle32.v v8, (a0)
  ASSERT_EQ(accesses.size(), 1u);
  EXPECT_EQ(accesses[0].address, 0x1000u);
  EXPECT_EQ(accesses[0].bytes, 64u);
  EXPECT_FALSE(accesses[0].store);
}

}  // namespace
}  // namespace dojo::debug
