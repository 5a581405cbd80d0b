// dojo exec --gdb and the gdb that people have: what one types, and what gdb then shows.
#include "gdb_session.h"

#include <algorithm>

namespace dojo {
namespace {

constexpr std::string_view calls = R"(
static volatile uint64_t bonus = 1;
__attribute__((noinline)) uint64_t inner(uint64_t n) { return n * 3 + bonus; }
__attribute__((noinline)) uint64_t outer(uint64_t n) { return inner(n + 1) + 1; }
)";

TEST_F(Gdb, BreaksTracesBackChangesAVariableAndGoesOnToTheExitCode) {
  NEEDS_GDB();
  const Said said = session(program(calls, "return outer(4);"),
                            "break inner\ncontinue\nbacktrace\nprint n\nprint bonus\nset var bonus = 20\n"
                            "finish\ncontinue\n");
  expect_in_order(said, {"Breakpoint 1, inner", "#0", "inner (n=5)", "#1", "outer (n=", "#2", "_start",
                         "$1 = 5", "$2 = 1", "Value returned is $3 = 35", "exited with code 044"});
  EXPECT_EQ(said.exit_code, 36);
}

TEST_F(Gdb, StepsOneInstructionAtATimeAndReadsAndWritesRegisters) {
  NEEDS_GDB();
  const std::string path = program("", R"(
    uint64_t result;
    asm volatile("li t0, 5\n.globl here\nhere: addi t0, t0, 1\nslli t0, t0, 4\nfcvt.d.l ft3, t0\nmv %0, t0" : "=r"(result) :: "t0", "ft3");
    return result;)");
  const Said said =
      session(path,
              "break *(long)&here\ncontinue\nprint $t0\nstepi\nprint $t0\nset $t0 = 7\nstepi\nprint $t0\n"
              "stepi\nprint $ft3.double\nprint $fcsr\nprint $mhartid\nmonitor here\nprint $zero\ncontinue\n");
  expect_in_order(said, {"Breakpoint 1, ", "$1 = 5", "$2 = 6", "$3 = 112", "$4 = 112", "$6 = 0", "$7 = 0",
                         "exited with code 0160"});
  EXPECT_EQ(said.exit_code, 112);
}

TEST_F(Gdb, CallsAFunctionOfTheProgramAndPutsTheRegistersBack) {
  NEEDS_GDB();
  const Said said = session(program(calls, "return outer(thread + 5);"),
                            "break inner\ncontinue\ndelete\nprint (long)outer(100)\nprint n\ncontinue\n");
  expect_in_order(said, {"Breakpoint 1, ", "$1 = 305", "$2 = 6", "exited with code 024"});
  EXPECT_EQ(said.exit_code, 20) << said.words;
}

TEST_F(Gdb, ShowsVectorsAndTiles) {
  NEEDS_GDB();
  const std::string path = program("", R"guest(
    asm volatile(R"(
      .option push
      .option arch, +xsfmm32a32f, +xsfmm32t, +xsfmmbase
      vsetvli t0, zero, e32, m1, ta, ma
      vid.v v3
      vfcvt.f.x.v v3, v3
      li t1, 16
      sf.vsettnt t0, t1, e32, w1
      sf.vsettm t0, t1
      sf.vtzero.t mt4
      li t2, 0x20000002
      sf.vtmv.t.v t2, v3
      .globl here
      here: nop
      .option pop
    )" :: : "t0",
                                   "t1", "t2", "v3");
  return 0;)guest");
  const Said said =
      session(path,
              "break *(long)&here\ncontinue\nprint $v3.f32\nprint $v3.w[1]\nprint $vl\nprint $mt4.f32[2]\n"
              "print $mt4.f32[1]\nset $v3.f32[5] = 2.5\nprint $v3.f32[5]\ncontinue\n");
  expect_in_order(said, {"$1 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}", "$2 = 1065353216",
                         "$3 = 16", "$4 = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}",
                         "$5 = {0 <repeats 16 times>}", "$6 = 2.5", "exited normally"});
}

TEST_F(Gdb, EveryThreadOfEveryNodeIsAThreadWithItsOwnMemory) {
  NEEDS_GDB();
  const std::string path =
      program(R"(
    static volatile uint64_t mine;
    __attribute__((noinline)) void visit(uint64_t who) { mine = who; asm volatile(""); }
  )",
              "visit(csr_node() + 7); asm volatile(\".globl here\\nhere: nop\"); return 0;");
  const Said said = session(
      path,
      "info threads\nbreak *(long)&here\ncontinue\nprint mine\nthread 3\nprint mine\nset var mine = 1\n"
      "thread 1\nprint mine\ncontinue\nprint mine\nprint $dj_node\nthread 3\nprint "
      "mine\ncontinue\ncontinue\n",
      "--nodes 3");
  expect_in_order(said, {"\"node 0 thread 0\" (can go on)", "\"node 1 thread 0\"", "\"node 2 thread 0\"",
                         "Thread 1 \"node 0 thread 0\" hit Breakpoint 1", "$1 = 7", "$2 = 0", "$3 = 7",
                         "Thread 2 \"node 1 thread 0\" hit Breakpoint 1", "$4 = 8", "$5 = 1", "$6 = 1",
                         "Thread 3 \"node 2 thread 0\" hit Breakpoint 1", "exited normally"});
}

TEST_F(Gdb, AFaultIsASignalAndMayBeRepaired) {
  NEEDS_GDB();
  const std::string path = program("", R"(
    volatile uint64_t* place = (volatile uint64_t*)csr_node();
    *place = 5;
    return 9;)");
  const Said lost = session(path, "continue\ncontinue\n");
  expect_in_order(lost,
                  {"store to 0x0, which cannot be written", "SIGSEGV", "terminated with signal SIGSEGV"});
  EXPECT_EQ(lost.exit_code, 3);
  const Said trap = session(program("", "__builtin_debugtrap(); return 4;"), "continue\ncontinue\n");
  expect_in_order(trap, {"SIGTRAP", "exited with code 04"});
  const Said illegal = session(program("", "asm volatile(\".word 0\"); return 0;"), "continue\n");
  expect_in_order(illegal, {"SIGILL"});
  const Said bus =
      session(program("", "asm volatile(\"li t0, 0x20001\\nlr.d t1, (t0)\" ::: \"t0\", \"t1\"); return 0;"),
              "continue\n");
  expect_in_order(bus, {"SIGBUS"});
}

TEST_F(Gdb, AWaitIsSteppedOverByRunningTheOthersAndADeadlockIsSaid) {
  NEEDS_GDB();
  constexpr std::string_view globals = "alignas(8) static volatile uint64_t full;";
  const std::string path = program(globals, R"(
    if (csr_node() == 1) { dojo_signal(at(0, (const void*)&full), 1); return 0; }
    asm volatile(".globl here\nhere: nop");
    dojo_wait(address(&full), 1);
    return 3;)");
  const Said said = session(path, "break *(long)&here\ncontinue\nstepi 12\ncontinue\n", "--nodes 2");
  expect_in_order(said, {"Thread 1 \"node 0 thread 0\" hit Breakpoint 1", "exited with code 03"});
  const Said stuck = session(program(globals, "dojo_wait(address(&full), 2); return 0;"), "continue\n");
  expect_in_order(stuck, {"deadlock: node 0 thread 0: waits for semaphore", ">= 2 (holds 0)", "SIGABRT"});
}

TEST_F(Gdb, CtrlCStopsARunningProgramAndKillEndsIt) {
  NEEDS_GDB();
  const std::string path = program("static const char text[] = \"running\"; static volatile uint64_t i;", R"(
    for (;; i = i + 1)
      if (i == 2000) system_call(64, 1, address(text), 7);
    return 0;)");
  const Said said = session(path, R"(python
import threading, time, os, signal
def interrupt():
  while open("out").read() != "running": time.sleep(0.01)
  os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
end
continue
print i > 1000
kill
)");
  expect_in_order(said, {"SIGINT", "$1 = true", "killed"});
  EXPECT_EQ(said.exit_code, 3);
}

TEST_F(Gdb, ASecondOneIsRefusedAtOnce) {
  NEEDS_GDB();
  const std::string path = program("", "return 7;");
  const Said said =
      session(path,
              "shell port=$(sed -n 's/.*target remote 127.0.0.1:\\([0-9]*\\).*/\\1/p' err); "
              "bash -c \"exec 3<>/dev/tcp/127.0.0.1/$port\" 2>/dev/null || echo nobody listens\n"
              "continue\n");
  EXPECT_EQ(said.exit_code, 7) << said.words;
  expect_in_order(said, {"nobody listens", "exited with code 07"});
}

TEST_F(Gdb, WhatGdbDetachesFromRunsOn) {
  NEEDS_GDB();
  const Said said = session(program(calls, "return outer(4);"), "break inner\ncontinue\ndetach\n");
  expect_in_order(said, {"Breakpoint 1, inner", "exit code     17"});
  EXPECT_EQ(said.exit_code, 17);
}

TEST_F(Gdb, BadAndBusyPortsAreRefusedWithOneSentence) {
  const std::string path = program("", "return 0;");
  for (const std::string_view port : {"x", "65536", "-1", "12.5"}) {
    const Said said = shell(fmt::format("{} exec --gdb {} {} 2>&1 >/dev/null", dojo_command(), port, path));
    EXPECT_EQ(said.exit_code, 2) << port;
    EXPECT_EQ(std::ranges::count(said.words, '\n'), 1) << said.words;
  }
  const Said said = shell(fmt::format(R"(cd {}; {} exec --gdb 0 {} 2> err & pid=$!
for i in $(seq 600); do port=$(sed -n "s/.*target remote 127.0.0.1:\([0-9]*\).*/\1/p" err); [ -n "$port" ] && break; sleep 0.1; done
{} exec --gdb $port {} 2>&1; echo "code $?"; kill $pid)",
                                      folder_.string(), dojo_command(), path, dojo_command(), path));
  expect_in_order(said, {"dojo: port ", "in use", "--gdb", "code 2"});
}

// A loop that begins in read-only text runs on into a writable segment, where it writes itself anew: whatever
// watches it, the second round loads 2 and that is the exit code.
TEST_F(Gdb, ALoopOverTheBorderOfTwoSegmentsIsTheSameToEveryCommand) {
  NEEDS_GDB();
  write_text(file("loop.S"), R"(
    .option norvc
    .globl _start
    .text
    _start: li s1, 2
      la s2, patch
    head: nop
    .section .writable, "awx", @progbits
    patch: li a0, 1
      addi s1, s1, -1
      beqz s1, done
      li t0, 0x00200513  # li a0, 2
      sw t0, 0(s2)
      fence.i
      la t1, head
      jr t1
    done: li a7, 93
      ecall
)");
  write_text(file("loop.ld"), R"(
    ENTRY(_start)
    PHDRS { text PT_LOAD FLAGS(5); writable PT_LOAD FLAGS(7); }
    SECTIONS { . = 0x20000; .text : { *(.text) } :text .writable : { *(.writable) } :writable }
)");
  const std::string loop = file("loop.elf");
  ASSERT_EQ(shell(fmt::format("clang-22 --target=riscv64-unknown-elf -march=rv64gcv -nostdlib -static "
                              "-fuse-ld=lld -T {} {} -o {}",
                              file("loop.ld"), file("loop.S"), loop))
                .exit_code,
            0);
  EXPECT_EQ(shell(fmt::format("{} exec {}", dojo_command(), loop)).exit_code, 2);
  EXPECT_EQ(shell(fmt::format("{} exec --trace {} {}", dojo_command(), file("trace"), loop)).exit_code, 2);
  EXPECT_EQ(shell(fmt::format("{} profile {}", dojo_command(), loop)).exit_code, 2);
  EXPECT_EQ(session(loop, "continue\n").exit_code, 2);
}

}  // namespace
}  // namespace dojo
