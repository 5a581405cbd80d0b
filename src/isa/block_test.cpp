#include "isa/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfenv>
#include <vector>

#include "isa/float_host.h"
#include "isa/machine_mode.h"

namespace dojo::isa {
namespace {

// A hart at 0x1000 in 64 KiB, and the words there.
class Machine {
public:
  explicit Machine(const std::vector<std::uint32_t>& words) : ram_(65536) {
    std::memcpy(ram_.data() + 0x1000, words.data(), words.size() * 4);
    hart.memory = {ram_.data(), 0, ram_.size(), 0x1000, 0, 0};
    hart.pc = 0x1000;
  }
  Block block() const { return build_block(hart.memory, hart.pc); }
  std::uint32_t run() { return run_block(hart, block()); }

  Hart hart;

private:
  std::vector<std::byte> ram_;
};

constexpr std::uint32_t nop = 0x00000013, ecall = 0x00000073, ebreak = 0x00100073, li_a0_5 = 0x00500513,
                        add_zero_a0_a0 = 0x00a50033, ld_a0_0_a1 = 0x0005b503, sd_a0_0_a1 = 0x00a5b023,
                        csrr_a0_instret = 0xc0202573, csrr_a0_fflags = 0x00102573, csrw_cycle_a0 = 0xc0051073,
                        fdiv_s = 0x18b57553 /* fa0, fa0, fa1 */, fdiv_s_rdn = 0x18b52553, j_self = 0x0000006f;

TEST(Block, EndsAtABranchAtItsLimitAndBeforeACounterIsRead) {
  EXPECT_EQ(Machine({nop, nop, j_self, nop}).block().count, 3u);
  EXPECT_EQ(Machine(std::vector<std::uint32_t>(100, nop)).block().count, max_block);
  Machine counts({nop, nop, csrr_a0_instret, nop});
  EXPECT_EQ(counts.block().count, 2u);
  counts.hart.instructions += counts.run();
  EXPECT_EQ(counts.run(), 1u);
  EXPECT_EQ(counts.hart.x[10], 2u);
}

TEST(Block, LeavesPcBehindASystemCall) {
  Machine machine({nop, ecall});
  EXPECT_EQ(machine.run(), 2u);
  EXPECT_EQ(machine.hart.stop, Stop::system_call);
  EXPECT_EQ(machine.hart.pc, 0x1008u);
}

TEST(Block, ATrapLeavesPcAtItsInstructionAndDoesNotCountIt) {
  Machine machine({li_a0_5, nop, ebreak});
  EXPECT_EQ(machine.run(), 2u);
  EXPECT_EQ(machine.hart.stop, Stop::trap);
  EXPECT_EQ(machine.hart.trap, TrapCause::breakpoint);
  EXPECT_EQ(machine.hart.pc, 0x1008u);
  EXPECT_EQ(machine.hart.x[10], 5u);
}

// A core keeps no block of code that may change.
TEST(Block, ATrapHandlerLearnsTheCauseWhenTheBlockIsGone) {
  constexpr std::uint32_t lr_d = 0x1005b52f, amoadd_d = 0x00a5b52f;  // a0, a1
  constexpr std::uint64_t misaligned_load = 4, misaligned_store = 6;
  const auto cause_of = [](std::uint32_t word) {
    Machine machine({nop, word});
    machine.hart.x[11] = 0x2004;
    machine.hart.machine.mtvec = 0x3000;
    Block block = machine.block();
    EXPECT_EQ(run_block(machine.hart, block), 1u);
    std::ranges::fill(block.code, Decoded{});
    EXPECT_TRUE(enter_trap_handler(machine.hart));
    EXPECT_EQ(machine.hart.machine.mepc, 0x1004u);
    return machine.hart.machine.mcause;
  };
  EXPECT_EQ(cause_of(lr_d), misaligned_load);
  EXPECT_EQ(cause_of(amoadd_d), misaligned_store);
}

TEST(Block, NothingEverWritesX0) {
  Machine machine({li_a0_5, add_zero_a0_a0, 0x00500013 /* addi zero, zero, 5 */,
                   0x00002003 | 11 << 15 /* lw zero, 0(a1) */, ecall});
  machine.hart.x[11] = 0x1000;
  machine.run();
  EXPECT_EQ(machine.hart.stop, Stop::system_call);
  EXPECT_EQ(machine.hart.x[0], 0u);
}

// qemu 7.2 goes on into the upper word here, so this one answer comes from the specification.
TEST(Block, CountsNoFurtherThanTheWord) {
  Machine machine({0x6015151b /* ctzw a0, a0 */, ecall});
  machine.hart.x[10] = 0xffffffff00000000;
  machine.run();
  EXPECT_EQ(machine.hart.x[10], 32u);
}

TEST(Block, MemoryOutsideTheWindowTraps) {
  struct FaultingAccess {
    std::uint32_t word;
    std::uint64_t address, fault;
    TrapCause cause;
  };
  for (const auto& [word, address, fault, cause] :
       {FaultingAccess{ld_a0_0_a1, 65536 - 7, 65536, TrapCause::load_fault},
        FaultingAccess{ld_a0_0_a1, 0xfff, 0xfff, TrapCause::load_fault},
        FaultingAccess{ld_a0_0_a1, ~0ull - 3, ~0ull - 3, TrapCause::load_fault},
        FaultingAccess{sd_a0_0_a1, 65536 - 7, 65536, TrapCause::store_fault},
        FaultingAccess{sd_a0_0_a1, 0x2000 - 7, 0x2000, TrapCause::store_fault}}) {
    Machine machine({word});
    machine.hart.memory.text_begin = 0x2000;
    machine.hart.memory.text_end = 0x3000;
    machine.hart.x[11] = address;
    EXPECT_EQ(machine.run(), 0u);
    EXPECT_EQ(machine.hart.trap, cause) << address;
    EXPECT_EQ(machine.hart.trap_value, fault);
    machine.hart.x[11] = word == sd_a0_0_a1 ? 0x2000 - 8 : 65536 - 8;
    EXPECT_EQ(machine.run(), 1u);
  }
}

TEST(Block, CodeThatCannotBeFetchedOrIsIllegalTraps) {
  Machine machine({nop});
  machine.hart.pc = 65536 - 2;
  std::memset(machine.hart.memory.bytes + 65536 - 2, 0xff, 2);  // the first half of a 32-bit instruction
  EXPECT_EQ(machine.run(), 0u);
  EXPECT_EQ(machine.hart.trap, TrapCause::fetch_fault);
  EXPECT_EQ(machine.hart.pc, 65536u - 2);
  for (const std::uint32_t word :
       {0x00000000u, 0xffffffffu, 0x00005073u | 0x7ffu << 20, csrw_cycle_a0, fdiv_s ^ 2u << 12}) {
    Machine illegal({word});
    EXPECT_EQ(illegal.run(), 0u) << word;
    EXPECT_EQ(illegal.hart.trap, TrapCause::illegal_instruction) << word;
  }
}

TEST(Block, FlagsOfTheHostAreNotTheHarts) {
  Machine machine({fdiv_s, csrr_a0_fflags});
  machine.hart.f[10] = machine.hart.f[11] = 0xffffffff3f800000;  // 1 / 1: exact
  std::feraiseexcept(FE_ALL_EXCEPT);
  machine.run();
  EXPECT_EQ(machine.hart.fflags, 0);
  machine.hart.pc = 0x1000;
  machine.hart.f[11] = 0xffffffff40400000;  // 1 / 3
  machine.run();
  std::feclearexcept(FE_ALL_EXCEPT);
  machine.run();
  EXPECT_EQ(machine.hart.x[10], inexact);
}

// One seventh lies nearer to the number above it: rounding down must not outlive its instruction.
TEST(Block, AStaticRoundingModeHoldsForOneInstruction) {
  Machine machine({fdiv_s_rdn, 0x18d675d3 | 7 << 12 /* fdiv.s fa1, fa2, fa3 */});
  auto& f = machine.hart.f;
  f[10] = f[12] = 0xffffffff3f800000;
  f[11] = f[13] = 0xffffffff40e00000;
  ASSERT_EQ(machine.run(), 2u);
  EXPECT_EQ(f[10] + 1, f[11]);
}

}  // namespace
}  // namespace dojo::isa
