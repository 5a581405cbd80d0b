// Do launches of threads that share a node come out the same, whether they run in traces or not?
#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "machine/machine.h"
#include "node/image.h"
#include "system/launch_for_tests.h"

namespace dojo::system {
namespace {

struct Came {
  LaunchResult result;
  Profile profile;
  std::vector<std::byte> memory;
};

Came launched(const Program& program, std::uint32_t translate_after, unsigned nodes, std::uint64_t most) {
  Computer computer(machine::read_machine("d1"), nodes);
  Came came;
  LaunchOptions options;
  options.translate_after = translate_after;
  options.max_instructions = most;
  options.profile = &came.profile;
  came.result = computer.launch(program, 0, 0, options);
  for (unsigned node = 0; node < nodes; ++node) {
    const auto sram = computer.sram(node);
    came.memory.insert(came.memory.end(), sram.begin(), sram.end());
  }
  return came;
}

void expect_same_in_traces(const Program& program, Outcome outcome, std::uint64_t most = 0) {
  for (const unsigned nodes : {1u, 3u}) {
    const Came expected = launched(program, node::never_translate, nodes, most);
    EXPECT_EQ(expected.result.outcome, outcome);
    for (const std::uint32_t after : {0u, 20u}) {
      const Came came = launched(program, after, nodes, most);
      EXPECT_EQ(came.result.outcome, expected.result.outcome);
      EXPECT_EQ(came.result.exit_code, expected.result.exit_code);
      EXPECT_EQ(came.result.cycles, expected.result.cycles) << nodes << " nodes, " << after;
      EXPECT_EQ(came.result.instructions, expected.result.instructions);
      EXPECT_EQ(came.result.ledger.rows(), expected.result.ledger.rows());
      EXPECT_TRUE(came.memory == expected.memory);
      ASSERT_EQ(came.profile.size(), expected.profile.size());
      for (const auto& [pc, entry] : expected.profile) {
        EXPECT_EQ(entry.instructions, came.profile.at(pc).instructions) << pc;
        EXPECT_EQ(entry.cycles, came.profile.at(pc).cycles) << pc;
      }
    }
  }
}

TEST(SmtTraces, PassValuesFromThreadToThreadThroughMemoryAsWithoutThem) {
  expect_same_in_traces(guest("static volatile uint64_t reached[4], sum[4];", R"(
    for (uint64_t i = 1; i <= 3000; ++i) {
      sum[thread] = sum[thread] * 3 + reached[(thread + 1) % 4];
      reached[thread] = i;
      if (i % 64 == thread) while (reached[(thread + 3) % 4] + 64 < i) {}
    }
    return 0;
  )",
                              four_threads),
                        Outcome::finished);
}

TEST(SmtTraces, EndWhereThreadsWaitForEachOther) {
  expect_same_in_traces(
      guest("alignas(8) static volatile uint64_t go[4]; static volatile uint64_t sum[4];", R"(
    const uint64_t me = csr_node();
    for (uint64_t round = 0; round < 40; ++round) {
      for (uint64_t i = 0; i < 60 + 20 * thread; ++i) sum[thread] += i * round;
      dojo_signal(at(me, (const void*)&go[(thread + 1) % 4]), 1);
      dojo_wait(address(&go[thread]), 1);
      uint64_t now;
      asm volatile("csrr %0, cycle" : "=r"(now));
      sum[thread] ^= now;
    }
    return 0;
  )",
            four_threads),
      Outcome::finished);
}

// A pointer that runs out of memory in a trace, long after it began; and a launch that ends within one.
constexpr std::string_view running_on = R"(
    volatile uint64_t* to = (volatile uint64_t*)0x80000;
    for (uint64_t i = 0;; ++i) {
      sum[thread] += i;
      if (thread == 2) to[i * 64] = i; else *to = i;
      if (thread != 2 && sum[thread] > 9000000) break;
    }
    return 0;
  )";

TEST(SmtTraces, StopAtATrap) {
  expect_same_in_traces(guest("static volatile uint64_t sum[4];", running_on, four_threads),
                        Outcome::trapped);
}

TEST(SmtTraces, StopAtTheLastInstructionAllowed) {
  const Program program = guest("static volatile uint64_t sum[4];", running_on, four_threads);
  for (const std::uint64_t most : {5000u, 5001u, 5002u, 5003u, 9111u})
    expect_same_in_traces(program, Outcome::too_long, most);
}

// Only some threads raise flags, late, and not the same ones; each finds its own.
TEST(SmtTraces, KeepFlagsApart) {
  expect_same_in_traces(guest("static volatile uint64_t flags[4]; static volatile float value[4];", R"(
    value[thread] = 1;
    for (int i = 0; i < 4000; ++i) {
      float x = value[thread];
      x = thread == 0 ? x + 1 : thread == 1 && i > 1500 ? 1 / x : thread == 2 && i == 3000 ? x / 0.0f : x * 0.5f + 1;
      value[thread] = x;
    }
    uint64_t seen;
    asm volatile("csrr %0, fflags" : "=r"(seen) : : "memory");
    flags[thread] = seen;
    return 0;
  )",
                              four_threads),
                        Outcome::finished);
}

}  // namespace
}  // namespace dojo::system
