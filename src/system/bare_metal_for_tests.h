// Bare-metal programs for tests: assembly, linked where the public test suites of RISC-V link, code at
// 0x80000000, tohost on a page of its own; with start-up code and a trap handler as those suites bring, or
// alone.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::system {

inline constexpr std::string_view linker_script = R"(
ENTRY(_start)
SECTIONS {
  . = 0x80000000; .text.init : { *(.text.init) }
  . = ALIGN(0x1000); .tohost : { *(.tohost) }
  . = ALIGN(0x1000); .text : { *(.text) }
  . = ALIGN(0x1000); .data : { *(.data) }
  .bss : { *(.bss) }
})";

// Start-up: everything a larger machine might want, each guarded by a trap vector that goes on behind it;
// then user mode and the test. A handler that turns ecall into tohost = gp, calls `handler` if the test
// defines it, and fails otherwise.
inline constexpr std::string_view startup = R"(
.section .text.init, "ax"
.globl _start
.weak handler
_start: j reset
.align 2
vector:
  csrr t5, mcause
  li t6, 8
  beq t5, t6, tell
  li t6, 11
  beq t5, t6, tell
  la t5, handler
  beqz t5, fail
  jr t5
fail: ori gp, gp, 1337
tell: la t5, tohost
  sw gp, 0(t5)
  sw zero, 4(t5)
  j tell
reset:
  csrr a0, mhartid
1: bnez a0, 1b
  la t0, 2f
  csrw mtvec, t0
  csrwi 0x744, 8
.align 2
2: la t0, 3f
  csrw mtvec, t0
  csrwi satp, 0
.align 2
3: la t0, 4f
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
.align 2
4: csrwi mie, 0
  la t0, vector
  csrw mtvec, t0
  csrwi medeleg, 0
  csrwi mideleg, 0
  csrwi mstatus, 0
  li a0, 0x2200
  csrs mstatus, a0
  csrwi fcsr, 0
  csrwi vcsr, 0
  li gp, 0
  la t0, test
  csrw mepc, t0
  csrr a0, mhartid
  mret
)";
inline constexpr std::string_view begin_test = "\n.text\n.globl test\ntest:\n";
inline constexpr std::string_view pass = "\n  fence\n  li gp, 1\n  li a7, 93\n  li a0, 0\n  ecall\n  unimp\n";

inline constexpr std::string_view begin_alone = ".section .text.init, \"ax\"\n.globl _start\n_start:\n";
inline constexpr std::string_view host_words = R"(
.section .tohost, "aw"
.align 6
.globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0
)";

class BareMetal : public testing::Test {
protected:
  LaunchResult run(std::string_view source) {
    write_text(folder_.path() / "test.s", source);
    write_text(folder_.path() / "test.ld", linker_script);
    const std::string elf = (folder_.path() / "test.elf").string();
    const Said said =
        shell_in(folder_.path(),
                 "clang-22 --target=riscv64-unknown-elf -march=rv64gcv -mabi=lp64d -nostdlib -static "
                 "-fuse-ld=lld-22 -Wl,-T,test.ld -o test.elf test.s");
    EXPECT_EQ(said.exit_code, 0) << said.errors;
    Computer computer(machine::read_machine("d1"), 1);
    LaunchOptions options;
    options.max_instructions = 1'000'000;
    options.text_output = text_output_;
    return computer.launch(Program::read(elf), 0, 0, options);
  }
  LaunchResult run_test(std::string_view body) {
    return run(fmt::format("{}{}{}{}", startup, host_words, begin_test, body));
  }
  // Without any start-up code.
  LaunchResult run_alone(std::string_view body, std::string_view data = "") {
    return run(fmt::format("{}{}{}{}", begin_alone, body, host_words, data));
  }
  void expect_pass(std::string_view body) {
    const LaunchResult result = run_test(fmt::format("{}{}", body, pass));
    EXPECT_EQ(result.outcome, Outcome::finished)
        << (result.stranded.empty() ? "" : result.stranded[0].reason);
    EXPECT_EQ(result.exit_code, 0);
  }

  TemporaryFolder folder_{"dojo-bare-metal"};
  std::function<void(std::string_view)> text_output_;
};

}  // namespace dojo::system
