// Do threads that share a node meet, share what it has, and see each other in simulated time?
#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "system/launch_for_tests.h"

namespace dojo::system {
namespace {

TEST(SharedNode, ThreadsMeetThroughSemaphores) {
  const Program program =
      guest("alignas(8) static volatile uint64_t ping, pong; static volatile uint64_t shared;", R"(
    const uint64_t me = csr_node();
    for (int i = 0; i < 10; ++i)
      if (thread == 0) {
        shared = shared * 2 + 1;
        dojo_signal(at(me, (const void*)&ping), 1);
        dojo_wait(address(&pong), 1);
      } else {
        dojo_wait(address(&ping), 1);
        shared = shared + 3;
        dojo_signal(at(me, (const void*)&pong), 1);
      }
    return thread == 0 ? shared % 200 : 0;
  )",
            "-Wl,--defsym=__dojo_threads=2");
  std::uint64_t expected = 0;
  for (int i = 0; i < 10; ++i) expected = expected * 2 + 4;
  Computer computer(d1(), 5);
  const LaunchResult result = launch(computer, program);
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, static_cast<int>(expected % 200));
  EXPECT_EQ(cycles_by_cause(result), 2 * 5 * result.cycles);
}

// One 64-bit load a cycle is all that a node has.
constexpr std::string_view load_bound = R"asm(
  uint64_t x;
  for (int i = 0; i < 1000; ++i)
    asm volatile("ld %0, -8(sp)\n ld t1, -8(sp)\n ld t2, -8(sp)\n ld t3, -8(sp)\n"
                 "ld t4, -8(sp)\n ld t5, -8(sp)\n ld t6, -8(sp)\n ld a7, -8(sp)"
                 : "=r"(x) : : "t1", "t2", "t3", "t4", "t5", "t6", "a7", "memory");
  return 0;
)asm";

TEST(SharedNode, ThreadsShareItsPorts) {
  Computer computer(d1(), 3);
  const auto cycles = [&](std::string_view flags, unsigned host_threads) {
    const LaunchResult result = launch(computer, guest("", load_bound, flags), host_threads);
    EXPECT_EQ(result.outcome, Outcome::finished);
    const std::uint64_t threads = flags.empty() ? 1 : flags == two_threads ? 2 : 4;
    EXPECT_EQ(cycles_by_cause(result), 3 * threads * result.cycles);
    return result.cycles;
  };
  const std::uint64_t one = cycles("", 2), two = cycles(two_threads, 2), four = cycles(four_threads, 2);
  EXPECT_GE(two, 2 * 8 * 1000u);
  EXPECT_LE(two, 2 * 9 * 1000u + 100) << "two threads do not hide all of their branches' bubbles";
  EXPECT_GE(four, 4 * 8 * 1000u);
  EXPECT_LE(four, 4 * 8 * 1000u + 100);
  EXPECT_LT(one, 11 * 1000u + 100);
  EXPECT_EQ(cycles(two_threads, 1), two);
}

TEST(SharedNode, AProfileOfItsThreadsAddsUpToTheirCycles) {
  const Program program = guest("static volatile uint64_t shared;", R"(
    for (int i = 0; i < 100; ++i) shared = shared * (thread + 3) / 7;
    return 0;
  )",
                                four_threads);
  Computer computer(d1(), 2);
  const LaunchResult plain = launch(computer, program);
  Profile profile;
  LaunchOptions options;
  options.profile = &profile;
  const LaunchResult result = computer.launch(program, 0, 0, options);
  EXPECT_EQ(result.cycles, plain.cycles);
  EXPECT_EQ(cycles_by_cause(result), cycles_by_cause(plain));
  ProfileEntry sum;
  for (const auto& [pc, entry] : profile) sum += entry;
  EXPECT_EQ(sum.total(), 2 * 4 * result.cycles);
  EXPECT_EQ(sum.instructions, result.instructions);
}

TEST(SharedNode, AThreadSeesItsSiblingsStoresInSimulatedTime) {
  // Thread 1 spins until thread 0 has counted to a thousand: no longer than that takes.
  const Program program = guest("static volatile uint64_t flag;", R"(
    if (thread == 0) {
      for (int i = 0; i < 1000; ++i) asm volatile("");
      flag = 1;
    }
    while (flag == 0) {}
    return 0;
  )",
                                two_threads);
  Computer computer(d1(), 1);
  const LaunchResult result = launch(computer, program);
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_GT(result.cycles, 1000u);
  EXPECT_LT(result.cycles, 6000u);
}

// Thread by thread: exact sums; thirds, to nearest even; a division by zero; square roots of a negative
// number and thirds, upwards.
constexpr std::string_view floats_of_four_threads = R"(
    constexpr uint64_t modes[] = {0, 0, 0, 3};
    asm volatile("fsrm %0" : : "r"(modes[thread]));
    asm volatile("fsflags zero");
    volatile float terms[4][2] = {{1, 2}, {1, 1e-9f}, {1, 3e38f}, {1, 1e-9f}}, infinity = 3e38f * 10;
    volatile float sums[2] = {}, differences[2] = {}, others[4][2] = {{1, 1}, {1, 1}, {1, 3e38f}, {1, 1}};
    const volatile float from[2] = {1, thread == 3 ? infinity : 1};
    for (int i = 0; i < 3000; ++i) {
      uint64_t once = i == 2000 + 10 * (int)thread;
      asm volatile("" : "+r"(once));  // no branch
      sums[once] = others[thread][once] + terms[thread][once];
      differences[once] = from[once] - from[once];
    }
    uint64_t flags;
    asm volatile("frflags %0" : "=r"(flags));
    const float last = sums[1];
    uint32_t bits;
    __builtin_memcpy(&bits, &last, 4);
    seen[thread] = flags << 32 | bits;
    if (thread == 1 && where != 0) return *where;
    return 0;
  )";

TEST(SharedNode, ThreadsKeepTheirFlagsAndRoundingModes) {
  const Program program =
      guest("uint64_t seen[4]; uint64_t* volatile where;", floats_of_four_threads, four_threads);
  for (const std::uint32_t translate_after : {0u, 300u, node::never_translate}) {
    Computer computer(d1(), 1);
    LaunchOptions options;
    options.translate_after = translate_after;
    EXPECT_EQ(computer.launch(program, 0, 0, options).outcome, Outcome::finished);
    std::array<std::uint64_t, 4> seen{};
    std::memcpy(seen.data(), &computer.sram(0)[program.symbol("seen", 0)], sizeof seen);
    EXPECT_EQ(seen, (std::array<std::uint64_t, 4>{0x0'40400000, 0x1'3f800000, 0x5'7f800000, 0x11'3f800001}))
        << translate_after;
  }
}

TEST(SharedNode, TranslationChangesNothing) {
  const Program works =
      guest("uint64_t seen[4]; uint64_t* volatile where;", floats_of_four_threads, four_threads);
  const Program traps = guest("uint64_t seen[4]; uint64_t* volatile where = (uint64_t*)0xfffffff0;",
                              floats_of_four_threads, four_threads);
  for (const Program* program : {&works, &traps})
    for (const std::uint64_t most : {0, 20'000}) {
      std::vector<LaunchResult> results;
      std::vector<Profile> profiles(2);
      for (const std::uint32_t translate_after : {0u, node::never_translate}) {
        Computer computer(d1(), 2);
        LaunchOptions options;
        options.translate_after = translate_after;
        options.max_instructions = most;
        options.profile = &profiles[results.size()];
        results.push_back(computer.launch(*program, 0, 0, options));
      }
      EXPECT_EQ(results[0].outcome, most != 0           ? Outcome::too_long
                                    : program == &traps ? Outcome::trapped
                                                        : Outcome::finished);
      EXPECT_EQ(results[0].outcome, results[1].outcome);
      EXPECT_EQ(results[0].cycles, results[1].cycles);
      EXPECT_EQ(results[0].instructions, results[1].instructions);
      EXPECT_EQ(cycles_by_cause(results[0]), cycles_by_cause(results[1]));
      ASSERT_EQ(profiles[0].size(), profiles[1].size());
      for (const auto& [pc, entry] : profiles[0]) {
        EXPECT_EQ(entry.instructions, profiles[1].at(pc).instructions) << pc;
        EXPECT_EQ(entry.cycles, profiles[1].at(pc).cycles) << pc;
      }
    }
}

}  // namespace
}  // namespace dojo::system
