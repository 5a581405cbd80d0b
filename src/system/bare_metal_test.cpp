// Do programs run that bring their own start-up code and trap handler, as the public test suites of RISC-V
// do?
#include "system/bare_metal_for_tests.h"

namespace dojo::system {
namespace {

TEST_F(BareMetal, StartUpCodeReachesTheTestInUserMode) { expect_pass(""); }

TEST_F(BareMetal, AFailingTestSaysItsNumber) {
  const LaunchResult result = run_test(R"(
    li gp, 5
    sll gp, gp, 1
    or gp, gp, 1
    li a7, 93
    mv a0, gp
    ecall
  )");
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, 5);
}

// What each trap leaves in mcause, mepc and mtval, and that mret goes on behind it.
TEST_F(BareMetal, HandlersSeeCauseAndPlaceOfEveryTrap) {
  const auto expect_trap = [&](std::string_view instruction, unsigned cause, std::string_view value) {
    expect_pass(fmt::format(R"(
    li gp, 3
    li a1, 0
    li t4, 0x81000001
place: .option push
.option norvc
    {}
.option pop
    li t0, 1
    bne a1, t0, wrong
    j right
handler:
    li t0, {}
    csrr t1, mcause
    bne t0, t1, wrong
    la t0, place
    csrr t1, mepc
    bne t0, t1, wrong
    {}
    csrr t1, mtval
    bne t0, t1, wrong
    li a1, 1
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
wrong: li gp, 7
    j fail
right:)",
                            instruction, cause, value));
  };
  expect_trap("csrr t0, mepc", 2, "li t0, 0x341022f3");  // user mode may not
  expect_trap(".4byte 0xffffffff", 2, "li t0, 0xffffffff");
  expect_trap("ld t0, 0(t4)", 5, "mv t0, t4");
  expect_trap("sd t0, 0(t4)", 7, "mv t0, t4");
  expect_trap("lr.w t0, (t4)", 4, "mv t0, t4");
  expect_trap("amoadd.w t0, t0, (t4)", 6, "mv t0, t4");
  expect_trap("ebreak", 3, "la t0, place");
}

// Of code outside the text nothing is kept once it has run, and the handler still learns what trapped.
TEST_F(BareMetal, HandlersSeeTrapsOfCodeOutsideTheText) {
  const auto expect_cause = [&](std::string_view instruction, unsigned cause) {
    expect_pass(fmt::format(R"(
    li gp, 3
    la t4, place + 1
    j place
.data
.align 3
place:
    {}
.text
handler:
    csrr t0, mcause
    addi t0, t0, -{}
    bnez t0, fail
    la t0, right
    csrw mepc, t0
    mret
right:)",
                            instruction, cause));
  };
  expect_cause("lr.w t0, (t4)", 4);
  expect_cause("sc.d t0, t0, (t4)", 6);
  expect_cause("amoadd.w t0, t0, (t4)", 6);
  expect_cause("unimp", 2);
}

// It would take its trap for ever without an instruction.
TEST_F(BareMetal, AHandlerThatTrapsAtOnceEndsTheThread) {
  for (const std::string_view vector : {"li t0, 16", "la t0, bad"}) {
    const LaunchResult result = run(fmt::format(R"(
.globl _start
.text
_start:
  {}
  csrw mtvec, t0
  ebreak
.align 2
bad: unimp
)",
                                                vector));
    ASSERT_EQ(result.outcome, Outcome::trapped);
    EXPECT_NE(result.stranded[0].reason.find("this is where mtvec sends traps"), std::string::npos)
        << result.stranded[0].reason;
  }
  // One that traps later, or returns to what trapped, is stopped by its instructions.
  EXPECT_EQ(
      run(".globl _start\n_start: la t0, handler\ncsrw mtvec, t0\nebreak\n.align 2\nhandler: mret\n").outcome,
      Outcome::too_long);
}

TEST_F(BareMetal, MachineRegistersKeepWhatTheyHave) {
  expect_pass(R"(
    .data
saved: .dword 0
    .text
    li gp, 4
    j over
handler:
    li t0, -1
    csrw mtvec, t0
    csrr t1, mtvec
    li t2, -4
    bne t1, t2, wrong
    la t0, vector
    csrw mtvec, t0
    csrw mie, t2
    csrr t1, mie
    li t2, 0x888
    bne t1, t2, wrong
    csrr t1, misa
    bgez t1, 1f
1:  srli t1, t1, 62
    li t2, 2
    bne t1, t2, wrong
    csrr t1, mstatus
    srli t1, t1, 11
    andi t1, t1, 3
    bnez t1, wrong        # it came from user mode
    csrwi mscratch, 21
    csrrci t1, mscratch, 1
    csrr t2, mscratch
    sub t1, t1, t2
    addi t1, t1, -1
    bnez t1, wrong
    la t0, right
    csrw mepc, t0
    mret
wrong: li gp, 9
    j fail
over: unimp
right:)");
}

TEST_F(BareMetal, UserModeHasTheCountersButNoRegisterOfOtherModes) {
  expect_pass(R"(
    li gp, 5
    j over
handler:
    csrr t0, mcause
    li t1, 2
    bne t0, t1, wrong     # an illegal instruction
    csrr t0, satp
    csrr t0, minstret
    csrr t1, instret
    sub t1, t1, t0
    addi t1, t1, -1
    bnez t1, wrong
    csrr t0, mcycle
    csrr t1, cycle
    bgeu t0, t1, wrong
    la t0, right
    csrw mepc, t0
    mret
wrong: li gp, 9
    j fail
over: csrr t0, cycle
    csrr t0, instret
    csrr t0, satp         # traps
    j wrong
right:)");
}

// Nothing else would end it: no instruction completes that the limit could count.
TEST_F(BareMetal, AHandlerThatTrapsAtItsFirstInstructionEndsTheThread) {
  const std::string begin = ".globl _start\n.text\n_start: ", set = "csrw mtvec, t0\n unimp\n";
  EXPECT_EQ(run(begin + "li t0, 4\n" + set).outcome, Outcome::trapped);  // where nothing can be fetched
  const LaunchResult result = run(begin + "la t0, handler\n" + set + ".align 2\nhandler: unimp\n");
  EXPECT_EQ(result.outcome, Outcome::trapped);
  EXPECT_EQ(result.instructions, 3u);
  // At its second instruction it traps again and again, and each time one more has been done.
  EXPECT_EQ(run(begin + "la t0, handler\n" + set + ".align 2\nhandler: nop\n unimp\n").outcome,
            Outcome::too_long);
}

}  // namespace
}  // namespace dojo::system
