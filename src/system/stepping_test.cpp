#include "system/stepping.h"

#include <gtest/gtest.h>

#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

constexpr std::string_view globals = R"(
extern "C" int __dojo_threads;
asm(".globl __dojo_threads\n.set __dojo_threads, 2");
alignas(64) static float values[2][256], sums[2][256];
alignas(8) static volatile uint64_t full;
static uint64_t word;
)";
// Vectors, loops, divisions, and a ring between the nodes.
constexpr std::string_view work = R"(
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

LaunchResult led(const Program& program, unsigned nodes, std::function<void(Stepping&)> lead) {
  Computer computer(machine::read_machine("d1"), nodes);
  LaunchOptions options;
  options.lead = std::move(lead);
  return computer.launch(program, 0, 0, options);
}

// All threads to their ends, `turn` instructions of each at a time.
void step_all(Stepping& stepping, unsigned turn) {
  for (bool any = true; any;) {
    any = false;
    for (std::size_t thread = 0; thread < stepping.threads(); ++thread)
      for (unsigned i = 0; i < turn && stepping.state(thread) == ThreadState::runnable; ++i) {
        const std::uint64_t before = stepping.hart(thread).instructions;
        stepping.step(thread);
        ASSERT_EQ(stepping.hart(thread).instructions, before + 1);
        any = true;
      }
  }
}

TEST(Stepping, GivesTheCyclesAndCountsOfALaunchByItself) {
  const Program program = guest(globals, work);
  const LaunchResult alone = led(program, 3, nullptr);
  EXPECT_EQ(alone.outcome, Outcome::finished);
  for (const unsigned turn : {1u, 7u, 100'000u}) {
    const LaunchResult stepped = led(program, 3, [&](Stepping& stepping) { step_all(stepping, turn); });
    EXPECT_EQ(stepped.outcome, Outcome::finished);
    EXPECT_EQ(stepped.exit_code, alone.exit_code);
    EXPECT_EQ(stepped.instructions, alone.instructions);
    EXPECT_EQ(stepped.cycles, alone.cycles);
    EXPECT_EQ(stepped.ledger.rows(), alone.ledger.rows());
  }
}

TEST(Stepping, WhatTheLeaderLeavesRunsOnByItself) {
  const Program program = guest(globals, work);
  const LaunchResult alone = led(program, 3, nullptr);
  const LaunchResult left = led(program, 3, [](Stepping& stepping) {
    for (unsigned i = 0; i < 1000; ++i) stepping.step(i % stepping.threads());
  });
  EXPECT_EQ(left.outcome, Outcome::finished);
  EXPECT_EQ(left.exit_code, alone.exit_code);
  EXPECT_EQ(left.cycles, alone.cycles);
}

TEST(Stepping, AnInterruptedLaunchEndsWhereItStands) {
  const LaunchResult result = led(guest(globals, work), 1, [](Stepping& stepping) {
    stepping.step(0);
    stepping.interrupt();
  });
  EXPECT_EQ(result.outcome, Outcome::interrupted);
  EXPECT_EQ(result.instructions, 1u);
}

TEST(Stepping, ATrappedThreadSaysWhyAndMayTryAgain) {
  const Program program = guest("", "*(volatile uint64_t*)csr_node() = 1; return 7;");
  const LaunchResult result = led(program, 1, [](Stepping& stepping) {
    while (stepping.step(0) == ThreadState::runnable) {
    }
    ASSERT_EQ(stepping.state(0), ThreadState::trapped);
    EXPECT_NE(stepping.stranded(0).reason.find("store to 0x0"), std::string::npos);
    for (auto& value : stepping.hart(0).x)
      if (value == 0) value = 0x80000;
    stepping.hart(0).x[0] = 0;
    stepping.revive(0);
    EXPECT_EQ(stepping.step(0), ThreadState::runnable);
  });
  EXPECT_EQ(result.outcome, Outcome::finished);
}

TEST(Stepping, AThreadThatWaitsForTheClockSaysSo) {
  const Program program = guest(globals, R"(
    uint64_t now;
    asm volatile("csrr %0, cycle" : "=r"(now));
    return now == 0;)");
  const LaunchResult result = led(program, 1, [](Stepping& stepping) {
    while (stepping.step(0) == ThreadState::runnable) {
    }
    ASSERT_EQ(stepping.state(0), ThreadState::waiting);
    EXPECT_NE(stepping.stranded(0).reason.find("clock"), std::string::npos);
    EXPECT_NE(stepping.stranded(0).disassembly.find("cycle"), std::string::npos);
  });
  EXPECT_EQ(result.outcome, Outcome::finished);
}

}  // namespace
}  // namespace dojo::system
