#include "system/debuggee.h"

#include <gtest/gtest.h>

#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

constexpr std::string_view ring_of_pairs = R"(
extern "C" int __dojo_threads;
asm(".globl __dojo_threads\n.set __dojo_threads, 2");
alignas(64) static float values[2][256], sums[2][256];
alignas(8) static volatile uint64_t full;
static uint64_t word;
)";
// Vectors, loops, divisions, and a ring between the nodes.
constexpr std::string_view works_in_pairs = R"(
  float *a = values[thread], *b = sums[thread];
  for (uint64_t i = 0; i < 256; ++i) a[i] = (float)(i + thread);
  for (uint64_t turn = 0; turn < 4; ++turn)
    for (uint64_t i = 0; i < 256; ++i) b[i] = a[i] * 3.0f + b[i];
  if (thread == 0) {
    const uint64_t next = (csr_node() + 1) % csr_nodes();
    dojo_put(address(&full), at(next, &word), address(&word), 8);
    dojo_wait(address(&full), 1);
  }
  return (uint64_t)b[7] / (csr_node() + 1);
)";

LaunchResult debugged(const Program& program, unsigned nodes, std::function<void(Debuggee&)> debugger) {
  Computer computer(machine::read_machine("d1"), nodes);
  LaunchOptions options;
  options.debugger = std::move(debugger);
  return computer.launch(program, 0, 0, options);
}

// All threads to their ends, `turn` instructions of each at a time.
void step_all(Debuggee& debuggee, unsigned turn) {
  for (bool any = true; any;) {
    any = false;
    for (std::size_t thread = 0; thread < debuggee.threads(); ++thread)
      for (unsigned i = 0; i < turn && debuggee.state(thread) == ThreadState::runnable; ++i) {
        const std::uint64_t before = debuggee.hart(thread).instructions;
        debuggee.step(thread);
        ASSERT_EQ(debuggee.hart(thread).instructions, before + 1);
        any = true;
      }
  }
}

TEST(DebuggedLaunch, GivesTheCyclesAndCountsOfALaunchByItself) {
  const Program program = guest(ring_of_pairs, works_in_pairs);
  const LaunchResult alone = debugged(program, 3, nullptr);
  EXPECT_EQ(alone.outcome, Outcome::finished);
  for (const unsigned turn : {1u, 7u, 100'000u}) {
    const LaunchResult stepped = debugged(program, 3, [&](Debuggee& debuggee) { step_all(debuggee, turn); });
    EXPECT_EQ(stepped.outcome, Outcome::finished);
    EXPECT_EQ(stepped.exit_code, alone.exit_code);
    EXPECT_EQ(stepped.instructions, alone.instructions);
    EXPECT_EQ(stepped.cycles, alone.cycles);
    EXPECT_EQ(stepped.ledger.rows(), alone.ledger.rows());
  }
}

TEST(DebuggedLaunch, WhatTheDebuggerLeavesRunsOnByItself) {
  const Program program = guest(ring_of_pairs, works_in_pairs);
  const LaunchResult alone = debugged(program, 3, nullptr);
  const LaunchResult left = debugged(program, 3, [](Debuggee& debuggee) {
    for (unsigned i = 0; i < 1000; ++i) debuggee.step(i % debuggee.threads());
  });
  EXPECT_EQ(left.outcome, Outcome::finished);
  EXPECT_EQ(left.exit_code, alone.exit_code);
  EXPECT_EQ(left.cycles, alone.cycles);
}

TEST(DebuggedLaunch, AnInterruptedLaunchEndsWhereItStands) {
  const LaunchResult result = debugged(guest(ring_of_pairs, works_in_pairs), 1, [](Debuggee& debuggee) {
    debuggee.step(0);
    debuggee.interrupt();
  });
  EXPECT_EQ(result.outcome, Outcome::interrupted);
  EXPECT_EQ(result.instructions, 1u);
}

TEST(DebuggedLaunch, ATrappedThreadSaysWhyAndMayTryAgain) {
  const Program program = guest("", "*(volatile uint64_t*)csr_node() = 1; return 7;");
  const LaunchResult result = debugged(program, 1, [](Debuggee& debuggee) {
    while (debuggee.step(0) == ThreadState::runnable) {
    }
    ASSERT_EQ(debuggee.state(0), ThreadState::trapped);
    EXPECT_NE(debuggee.stranded(0).reason.find("store to 0x0"), std::string::npos);
    for (auto& value : debuggee.hart(0).x)
      if (value == 0) value = 0x80000;
    debuggee.hart(0).x[0] = 0;
    debuggee.revive(0);
    EXPECT_EQ(debuggee.step(0), ThreadState::runnable);
  });
  EXPECT_EQ(result.outcome, Outcome::finished);
}

TEST(DebuggedLaunch, AThreadThatWaitsForTheClockSaysSo) {
  const Program program = guest(ring_of_pairs, R"(
    uint64_t now;
    asm volatile("csrr %0, cycle" : "=r"(now));
    return now == 0;)");
  const LaunchResult result = debugged(program, 1, [](Debuggee& debuggee) {
    while (debuggee.step(0) == ThreadState::runnable) {
    }
    ASSERT_EQ(debuggee.state(0), ThreadState::waiting);
    EXPECT_NE(debuggee.stranded(0).reason.find("clock"), std::string::npos);
    EXPECT_NE(debuggee.stranded(0).disassembly.find("cycle"), std::string::npos);
  });
  EXPECT_EQ(result.outcome, Outcome::finished);
}

}  // namespace
}  // namespace dojo::system
