// Do gdb's watchpoints stop at every kind of access, where the memory is, and show what it did?
#include "gdb_session.h"

namespace dojo {
namespace {

using GdbWatch = Gdb;

TEST_F(GdbWatch, WatchpointsStopAtTheAccessAndShowWhatItDid) {
  NEEDS_GDB();
  const Said said = session(program("static volatile uint64_t watched, other;",
                                    "other = 1; watched = 6; other = 2; watched = watched + 1; return 0;"),
                            "watch watched\ncontinue\ncontinue\ncontinue\n");
  expect_in_order(said, {"Hardware watchpoint 1: watched", "Old value = 0", "New value = 6", "Old value = 6",
                         "New value = 7", "exited normally"});
}

// gdb is told before the access and steps over it, so no store hides behind the one before it or the end.
TEST_F(GdbWatch, StoresThatFollowOneAnotherStopOneByOne) {
  NEEDS_GDB();
  const Said said = session(program("static volatile struct { int a, b, c; } watched;", R"(
      asm volatile("sw %0, 0(%3)\n sw %1, 4(%3)\n sw %2, 8(%3)\n li a0, 0\n li a7, 93\n ecall"
                   :: "r"(1), "r"(2), "r"(3), "r"(&watched) : "memory", "a0", "a7");
      return 0;)"),
                            "watch *(int(*)[3])&watched\ncontinue\ncontinue\ncontinue\ncontinue\n");
  expect_in_order(
      said, {"New value = {1, 0, 0}", "New value = {1, 2, 0}", "New value = {1, 2, 3}", "exited normally"});
}

TEST_F(GdbWatch, WhatAnotherNodePutsStopsOnTheNodeThatHasTheMemory) {
  NEEDS_GDB();
  const Said said =
      session(program("alignas(8) static volatile uint64_t full, box, source = 77;", R"(
      if (csr_node() == 0) { dojo_put(address(&full), at(1, (const void*)&box), address(&source), 8); return 0; }
      dojo_wait(address(&full), 1);
      box = 5;
      return 0;)"),
              "watch *(unsigned long*)&box\ncontinue\nprint *(unsigned long*)&box\ncontinue\ncontinue\n",
              "--nodes 2");
  expect_in_order(said, {"node 1 thread 0", "New value = 77", "$1 = 77", "New value = 5"});
}

// By vectors of each kind, under a mask, by atomics and by tiles.
TEST_F(GdbWatch, EveryKindOfStoreStops) {
  NEEDS_GDB();
  const std::string path = compiled("stores.c", R"guest(
#include <riscv_vector.h>
#include <sifive_vector.h>
int field[64];
long counter;
struct { int x, y, z; } points[16];
float tile[16];
int main(void) {
  const vint32m1_t v = __riscv_vadd(__riscv_vreinterpret_v_u32m1_i32m1(__riscv_vid_v_u32m1(16)), 100, 16);
  const vbool32_t third = __riscv_vmseq(__riscv_vid_v_u32m1(16), 3, 16);
  __riscv_vse32_v_i32m1(field, v, 16);
  __riscv_vsse32_v_i32m1(field + 1, 8, v, 16);
  __riscv_vsuxei32_v_i32m1(field, __riscv_vmul(__riscv_vid_v_u32m1(16), 12, 16), v, 16);
  __riscv_vse32_v_i32m1_m(third, field, __riscv_vadd(v, 1000, 16), 16);
  __riscv_vse32_v_i32m1_m(__riscv_vmnot(third, 16), field, v, 16);
  __riscv_vse32_v_i32m1(field, v, 16);
  __riscv_vsseg3e32_v_i32m1x3(&points[0].x, __riscv_vcreate_v_i32m1x3(v, v, v), 16);
  __atomic_fetch_add(&counter, 7, __ATOMIC_RELAXED);
  long seen, failed;
  __asm__ volatile("lr.d %0, (%2)\n addi %0, %0, 1\n sc.d %1, %0, (%2)" : "=&r"(seen),
                                    "=&r"(failed) : "r"(&counter) : "memory");
  __asm__ volatile("sc.d %1, %0, (%2)" : "=&r"(seen), "=&r"(failed) : "r"(&counter) : "memory");
  __riscv_sf_vtzero_t_e32w1(0, 16, 16);
  __riscv_sf_vtmv_t_v_f32m8(0, __riscv_vfmv_v_f_f32m8(2.5f, 16), 16);
  __riscv_sf_vste32(0, tile, 16);
  return failed != 0 ? 9 : 8;
}
)guest");
  std::string commands =
      "watch field[3]\nwatch points[2].y\nwatch counter\nwatch tile[5]\nwatch field[2]\nwatch field[4]\n";
  for (int i = 0; i < 11; ++i) commands += "continue\n";
  const Said said = session(path, commands);
  expect_in_order(said, {"watchpoint 5: field[2]",
                         "New value = 102",
                         "watchpoint 1: field[3]",
                         "New value = 103",
                         "watchpoint 6: field[4]",
                         "New value = 104",
                         "watchpoint 1: field[3]",
                         "New value = 101",
                         "watchpoint 1: field[3]",
                         "New value = 1103",
                         "watchpoint 1: field[3]",
                         "New value = 103",
                         "watchpoint 2: points[2].y",
                         "Old value = 0",
                         "New value = 102",
                         "watchpoint 3: counter",
                         "New value = 7",
                         "watchpoint 3: counter",
                         "New value = 8",
                         "watchpoint 4: tile[5]",
                         "New value = 2.5",
                         "exited with code 011"});
  EXPECT_EQ(said.words.find("SIGTRAP"), std::string::npos) << said.words;
  EXPECT_EQ(said.exit_code, 9) << "the second sc.d fails";
}

TEST_F(GdbWatch, ReadsStopWhereTheyAreAskedFor) {
  NEEDS_GDB();
  const std::string path = compiled("reads.c", R"(
#include <riscv_vector.h>
volatile int number = 5, other;
long counter = 40;
int field[16];
int main(void) {
  other = number;
  number = 6;
  __riscv_vse32_v_i32m1(field, __riscv_vmv_v_x_i32m1(3, 16), 16);
  other += __riscv_vmv_x(__riscv_vslidedown(__riscv_vlse32_v_i32m1(field, 8, 8), 2, 8));
  __atomic_fetch_add(&counter, 2, __ATOMIC_RELAXED);
  return other;
}
)");
  const Said reads = session(path, "rwatch number\nrwatch field[4]\ncontinue\ncontinue\ncontinue\n");
  expect_in_order(reads, {"read watchpoint 1: number", "Value = 5", "read watchpoint 2: field[4]",
                          "Value = 3", "exited with code 010"});
  const Said both = session(path,
                            "awatch number\nawatch counter\nrwatch field[5]\n"
                            "continue\ncontinue\ncontinue\ncontinue\n");
  expect_in_order(both,
                  {"(read/write) watchpoint 1: number", "Value = 5", "(read/write) watchpoint 1: number",
                   "Old value = 5", "New value = 6", "(read/write) watchpoint 2: counter", "Old value = 40",
                   "New value = 42", "exited with code 010"});
}

// A transfer's ends in the own node's memory, the semaphores that it and a wait change, what a system call
// writes.
TEST_F(GdbWatch, TransfersSemaphoresAndSystemCallsStop) {
  NEEDS_GDB();
  const std::string path = compiled("transfers.cpp", R"(
#include <time.h>
#include "dojo.h"
dojo::Semaphore full;
timespec now;
long box[4], data[4] = {1, 2, 3, 4};
int main() {
  dojo::signal(dojo::my_pe(), &full, 2);
  dojo::wait(&full, 1);
  dojo::put_signal(dojo::my_pe(), box, data, 16, &full);
  dojo::wait(&full, 2);
  dojo::put_hbm(dojo::hbm(0, 0), data, 32);
  dojo::quiet();
  dojo::get_signal(box + 2, dojo::hbm(0, 8), 16, &full);
  dojo::wait(&full, 1);
  clock_getres(CLOCK_REALTIME, &now);
}
)");
  std::string commands = "watch full\nwatch box[1]\nwatch box[3]\nwatch now.tv_nsec\nrwatch data[3]\n";
  for (int i = 0; i < 11; ++i) commands += "continue\n";
  const Said said = session(path, commands);
  expect_in_order(said, {"watchpoint 1: full", "New value = 2", "watchpoint 1: full",         "New value = 1",
                         "watchpoint 1: full", "New value = 2", "watchpoint 2: box[1]",       "New value = 2",
                         "watchpoint 1: full", "New value = 0", "read watchpoint 5: data[3]", "Value = 4",
                         "watchpoint 1: full", "New value = 1", "watchpoint 3: box[3]",       "New value = 3",
                         "watchpoint 1: full", "New value = 0", "watchpoint 4: now.tv_nsec",  "New value = 1",
                         "exited normally"});
}

// What another node fetches is a read of the node that has it.
TEST_F(GdbWatch, WhatAnotherNodeGetsStopsReads) {
  NEEDS_GDB();
  const std::string path = program("alignas(8) static volatile uint64_t full, box, source = 77;", R"(
    if (csr_node() == 1) { dojo_wait(address(&full), 1); return 0; }
    dojo_get(0, address(&box), at(1, (const void*)&source), 8);
    dojo_signal(at(1, (const void*)&full), 1);
    return 0;)");
  const Said said = session(path, "rwatch *(unsigned long*)&source\ncontinue\ncontinue\n", "--nodes 2");
  expect_in_order(said,
                  {"node 1 thread 0", "hit Hardware read watchpoint 1", "Value = 77", "exited normally"});
}

// The value that was put is shown, though the node's next instruction replaces it.
TEST_F(GdbWatch, WhatAnotherNodePutsIsShownBeforeTheNextInstruction) {
  NEEDS_GDB();
  const std::string path = program("alignas(8) static volatile uint64_t full, box, source = 77;", R"guest(
    if (csr_node() == 0) {
      dojo_put(address(&full), at(1, (const void*)&box), address(&source), 8);
      return 0;
    }
    asm volatile(".globl here\nhere: .insn r 0x0b, 1, 1, x0, %2, %3\nsd %0, (%1)"
                 :: "r"(5), "r"(&box), "r"(&full), "r"(1) : "memory");
    return 0;)guest");
  const Said said =
      session(path,
              "break *(long)&here thread 2\nthread 2\nset scheduler-locking on\ncontinue\nstepi\n"
              "set scheduler-locking off\nwatch *(unsigned long*)&box\ncontinue\ncontinue\n",
              "--nodes 2");
  expect_in_order(said,
                  {"hit Breakpoint 1", "Old value = 0", "New value = 77", "Old value = 77", "New value = 5"});
}

}  // namespace
}  // namespace dojo
