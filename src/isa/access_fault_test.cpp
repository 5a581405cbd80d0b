// What do mtval and vstart say of an access of which only a part is possible? Privileged architecture 3.1.16:
// the first byte of the part that faults. V 1.0 chapter 17: the elements before the one that traps are done.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr std::uint64_t base = 0x10000, bytes = 0x1000, end = base + bytes, text = 0x10800;
constexpr unsigned address_register = 11, other_register = 12;
constexpr std::uint64_t fresh = 0xa5;  // what no memory holds

class FaultBench {
public:
  FaultBench() : ram_(bytes) {
    for (std::size_t i = 0; i < bytes; ++i) ram_[i] = static_cast<std::byte>(i % 100);
    hart->memory = {ram_.data(), base, bytes, base, text, text + 0x100};
    hart->v.fill(static_cast<std::byte>(fresh));
  }
  void configure(unsigned sew, std::uint64_t length) const {
    set_vtype(*hart, static_cast<std::uint64_t>(__builtin_ctz(sew) - 3) << 3 | 3);  // m8
    hart->vl = length;
  }
  // Executes it at `address`, where it must trap at `fault`.
  void expect_fault(std::uint32_t word, std::uint64_t address, std::uint64_t fault,
                    std::uint64_t vstart = 0) {
    const Decoded d = decode(word, 0);
    hart->x[address_register] = address;
    hart->stop = Stop::none;
    execute_alone(*hart, d);
    const bool store = (d.row->properties & writes_memory) != 0;
    EXPECT_EQ(hart->stop, Stop::trap) << d.row->mnemonic;
    EXPECT_EQ(hart->trap, store ? TrapCause::store_fault : TrapCause::load_fault) << d.row->mnemonic;
    EXPECT_EQ(hart->trap_value, fault) << d.row->mnemonic << " at " << std::hex << address;
    EXPECT_EQ(hart->vstart, vstart) << d.row->mnemonic << " at " << std::hex << address;
  }
  std::byte at(std::uint64_t address) const { return ram_[address - base]; }

  std::unique_ptr<Hart> hart = std::make_unique<Hart>();

private:
  std::vector<std::byte> ram_;
};

// Of x11, which the rs1 field names; rs2 and rd are as they are.
std::uint32_t at_address(const Row& row) { return row.match | address_register << 15; }

// Blocks of a cache have a rule of their own (profile_rows_test.cpp).
bool is_scalar_access(const Row& row) {
  return (row.unit == Unit::load || row.unit == Unit::store) && (row.properties & cache_block) == 0;
}

TEST(AccessFault, AScalarNamesTheFirstByteThatItMayNotTouch) {
  unsigned rows = 0;
  for (const Row* row : all_rows()) {
    if (!is_scalar_access(*row) || row->rs1 != Operand::x_read ||
        row->syntax.find("(rs1)") == std::string_view::npos)
      continue;
    const std::uint64_t size = std::uint64_t{1} << (row->match >> 12 & 3);
    const bool store = (row->properties & writes_memory) != 0;
    ++rows;
    for (std::uint64_t inside = 0; inside < size; ++inside) {
      FaultBench().expect_fault(at_address(*row), end - inside, end);
      FaultBench().expect_fault(at_address(*row), base - size + inside, base - size + inside);
      if (store) FaultBench().expect_fault(at_address(*row), text - inside, text);
      if (store)
        FaultBench().expect_fault(at_address(*row), text + 0x100 - 1 - inside, text + 0x100 - 1 - inside);
    }
    FaultBench().expect_fault(at_address(*row), ~std::uint64_t{0}, ~std::uint64_t{0});
  }
  EXPECT_GE(rows, 17u);
}

// Three and a half elements, from a place that is not aligned to them.
TEST(AccessFault, AVectorStopsAtTheElementThatFaults) {
  constexpr std::uint32_t vle64 = 0x0205f407, vse64 = 0x0205f427, vlse64 = 0x0ac5f407, vsse64 = 0x0ac5f427,
                          vluxei64 = 0x0705f407, vlseg2e64 = 0x2205f407, vsseg2e64 = 0x2205f427;
  for (const std::uint32_t word : {vle64, vse64, vlse64, vsse64}) {
    FaultBench bench;
    bench.configure(64, 10);
    bench.hart->x[other_register] = 8;
    bench.expect_fault(word, end - 28, end, 3);
    const bool load = (word & 0x7f) == 0x07;
    EXPECT_EQ(bench.hart->v[8 * 64 + 23] != static_cast<std::byte>(fresh), load);
    EXPECT_EQ(bench.hart->v[8 * 64 + 24], static_cast<std::byte>(fresh));
    EXPECT_EQ(bench.at(end - 5) == static_cast<std::byte>(fresh), !load);
  }
  for (const std::uint32_t word : {vse64, vsse64}) {
    FaultBench bench;
    bench.configure(64, 10);
    bench.hart->x[other_register] = 8;
    bench.expect_fault(word, text - 28, text, 3);
  }
  FaultBench segments;
  segments.configure(64, 4);
  set_vtype(*segments.hart, 3 << 3 | 2);  // m4
  segments.expect_fault(vlseg2e64, end - 3 * 8 - 4, end, 1);
  segments.hart->vstart = 0;
  segments.expect_fault(vsseg2e64, end - 2 * 16 - 2, end, 2);

  FaultBench indexed;
  indexed.configure(64, 10);
  indexed.hart->v.fill(std::byte{0});
  indexed.hart->v[16 * 64 + 2 * 8] = std::byte{0x1d};
  indexed.expect_fault(vluxei64, end - 0x20, end, 2);
}

TEST(AccessFault, WholeRegistersAndMasksStopAtTheElementThatFaults) {
  constexpr std::uint32_t vl2re8 = 0x22858407, vl2re32 = 0x2285e407, vl2re64 = 0x2285f407, vs2r = 0x22858427,
                          vlm = 0x02b58407, vsm = 0x02b58427;
  struct Case {
    std::uint32_t word;
    unsigned element;
  };
  for (const auto& [word, element] : {Case{vl2re8, 1}, Case{vl2re32, 4}, Case{vl2re64, 8}, Case{vs2r, 1}})
    for (const std::uint64_t inside : {0u, 1u, 4u, 7u, 63u, 64u, 100u, 127u}) {
      FaultBench bench;
      bench.expect_fault(word, end - inside, end, inside / element);
      const std::uint64_t done = inside / element * element;
      if (decode(word, 0).row->properties & reads_memory)
        for (std::uint64_t i = 0; i < 128; ++i)
          EXPECT_EQ(bench.hart->v[8 * 64 + i] == static_cast<std::byte>(fresh), i >= done)
              << word << " " << i;
      else
        for (std::uint64_t i = 1; i <= done; ++i) EXPECT_EQ(bench.at(end - i), static_cast<std::byte>(fresh));
      bench.hart->vstart = 1;
      if (inside > element) bench.expect_fault(word, end - inside, end, inside / element);
    }
  for (const std::uint32_t word : {vlm, vsm}) {
    FaultBench bench;
    bench.configure(8, 512);
    bench.expect_fault(word, end - 5, end, 5);
  }
  FaultBench bench;
  bench.expect_fault(vs2r, text - 9, text, 9);
}

TEST(AccessFault, ASliceOfATileStopsAtTheElementThatFaults) {
  constexpr std::uint32_t load = 0x52007007, store = 0x52007027,
                          fields = address_register << 15 | other_register << 20;
  for (const std::uint32_t word : {load | fields, store | fields}) {
    FaultBench bench;
    set_vtype(*bench.hart, 1 << 9 | 2 << 3 | 16 << 16);
    bench.hart->vl = 16;
    bench.hart->x[other_register] = 0;
    bench.hart->tiles.fill(static_cast<std::byte>(fresh));
    bench.expect_fault(word, end - 14, end, 3);
    EXPECT_EQ(bench.hart->tiles[11] == static_cast<std::byte>(fresh), word == (store | fields));
    EXPECT_EQ(bench.hart->tiles[12], static_cast<std::byte>(fresh));
  }
}

TEST(AccessFault, FaultOnlyFirstShortensWhatFollowsTheFirstElement) {
  constexpr std::uint32_t vle32ff = 0x0305e407;
  FaultBench bench;
  bench.configure(32, 16);
  bench.expect_fault(vle32ff, end - 2, end);
  bench.hart->stop = Stop::none;
  bench.hart->x[address_register] = end - 6;
  execute_alone(*bench.hart, decode(vle32ff, 0));
  EXPECT_EQ(bench.hart->vl, 1u);
}

}  // namespace
}  // namespace dojo::isa
