// V3 of the reference: does a node load and store at its published rate while its mesh stop moves 64 bytes a
// cycle in?
#include <gtest/gtest.h>

#include <cstring>

#include "system/computer.h"
#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

constexpr std::string_view globals = R"(
  alignas(64) char inbox[65536];
  uint64_t took[2];
  static uint64_t cycle() { uint64_t c; asm volatile("rdcycle %0" : "=r"(c)); return c; }
  static void loads(const void* at) {
    asm volatile("vsetivli zero, 8, e64, m1, ta, ma\n .rept 50\n"
                 "vle64.v v8, (%0)\n vle64.v v9, (%0)\n fld f0, 0(%0)\n"
                 "vle64.v v10, (%0)\n vle64.v v11, (%0)\n fld f1, 0(%0)\n"
                 "vle64.v v12, (%0)\n vle64.v v13, (%0)\n fld f2, 0(%0)\n"
                 "vle64.v v14, (%0)\n vle64.v v15, (%0)\n fld f3, 0(%0)\n"
                 "vle64.v v16, (%0)\n vle64.v v17, (%0)\n fld f4, 0(%0)\n"
                 "vle64.v v18, (%0)\n vle64.v v19, (%0)\n fld f5, 0(%0)\n"
                 "vle64.v v20, (%0)\n vle64.v v21, (%0)\n fld f6, 0(%0)\n"
                 "vle64.v v22, (%0)\n vle64.v v23, (%0)\n fld f7, 0(%0)\n"
                 ".endr"
                 : : "r"(at) : "memory");
  }
  static void stores(void* at) {
    asm volatile("vsetivli zero, 8, e64, m1, ta, ma\n .rept 400\n vse64.v v8, (%0)\n sd zero, 64(%0)\n .endr"
                 : : "r"(at) : "memory");
  }
)";

struct Measured {
  std::uint64_t loads = 0, stores = 0, sent = 0;  // cycles; bytes that came in meanwhile
};

// What node 0 takes for 400 cycles' worth of loads, and of stores; node 1 puts into it if `traffic`.
Measured measure(bool traffic) {
  const std::string program = fmt::format(R"(
    if (csr_node() == 1) {{
      if ({}) dojo_put(0, at(0, inbox), address(inbox), sizeof inbox);
      return 0;
    }}
    alignas(64) static char own[128];
    uint64_t begin = cycle();
    loads(own);
    took[0] = cycle() - begin;
    begin = cycle();
    stores(own);
    took[1] = cycle() - begin;
    return 0;
  )",
                                          traffic);
  const Program built = guest(globals, program);
  Computer computer(machine::read_machine("d1"), 2);
  const LaunchResult result = computer.launch(built, 0, 0, {});
  EXPECT_EQ(result.outcome, Outcome::finished);
  Measured measured;
  std::memcpy(&measured.loads, computer.sram(0).data() + built.symbol("took", 0), 8);
  std::memcpy(&measured.stores, computer.sram(0).data() + built.symbol("took", 0) + 8, 8);
  measured.sent = result.ledger.total("nodes", "network.put_bytes");
  return measured;
}

TEST(Bandwidth, SramAndMeshStopWorkAtOnce) {
  const Measured quiet = measure(false), busy = measure(true);
  // 65536 bytes at 64 a cycle are on their way for all of the 800 cycles.
  EXPECT_EQ(busy.sent, 65536u);
  EXPECT_EQ(busy.loads, quiet.loads) << "the mesh stop has ports of its own";
  EXPECT_EQ(busy.stores, quiet.stores);
  const machine::Node node = machine::read_machine("d1").node;
  // Behind the 400th access: a load's latency, vsetivli, and the cycle in which the clock is read.
  EXPECT_GE(quiet.loads, 400u);
  EXPECT_LE(quiet.loads, 400u + node.sram_load_cycles + 4);
  EXPECT_GE(quiet.stores, 400u);
  EXPECT_LE(quiet.stores, 400u + 5);
}

}  // namespace
}  // namespace dojo::system
