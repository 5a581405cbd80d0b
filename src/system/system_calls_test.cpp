// What the system calls answer, as Linux's manual pages have it for a machine without files, and how much
// simulated time a sleep takes.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "system/launch_for_tests.h"

namespace dojo::system {
namespace {

LaunchResult launch(const Program& program, bool timing, unsigned nodes = 1, unsigned host_threads = 2) {
  Computer computer(machine::read_machine("d1"), nodes);
  LaunchOptions options;
  options.host.threads = host_threads;
  options.host.timing = timing;
  return computer.launch(program, 0, 0, options);
}

constexpr int file_missing = 2, bad_descriptor = 9, bad_address = 14, bad_argument = 22, name_too_long = 36;

TEST(SystemCalls, FindNoFileUnderAnyName) {
  // The number of the call, and which of its arguments is the name.
  constexpr std::array<std::array<int, 2>, 24> calls{
      {{33, 1},  {34, 1},   {35, 1},   {36, 2},   {37, 1},   {38, 1},   {45, 0},   {48, 1},
       {49, 0},  {53, 1},   {54, 1},   {56, 1},   {78, 1},   {79, 1},   {88, 1},   {276, 1},
       {439, 1}, {1024, 0}, {1025, 0}, {1026, 0}, {1030, 0}, {1033, 0}, {1038, 0}, {1039, 0}}};
  std::string rows;
  for (const auto& [number, name] : calls) rows += fmt::format("{{{}, {}}},", number, name);
  const std::string before = fmt::format(R"(
    static const int calls[][2] = {{{}}};
    static const char other[] = "other";
    static char path[4096] = "a/b";
    static uint64_t with_name(int i, uint64_t at) {{
      uint64_t a[3] = {{address(other), address(other), address(other)}};
      a[calls[i][1]] = at;
      return -system_call(calls[i][0], a[0], a[1], a[2]);
    }}
  )",
                                         rows);
  const std::string body = fmt::format(R"(
    for (int i = 0; i < {0}; ++i)
      if (with_name(i, address(path)) != {1}) return 100 + i;
    path[0] = 0;
    for (int i = 0; i < {0}; ++i)
      if (calls[i][0] != 79 && with_name(i, address(path)) != {1}) return 130 + i;
    for (int i = 0; i < 4096; ++i) path[i] = 'x';
    for (int i = 0; i < {0}; ++i)
      if (with_name(i, address(path)) != {2}) return 160 + i;
    path[4095] = 0;
    for (int i = 0; i < {0}; ++i)
      if (with_name(i, address(path)) != {1}) return 190 + i;
    for (int i = 0; i < {0}; ++i)
      if (with_name(i, 8) != {3} || with_name(i, (uint64_t)-1) != {3}) return 220 + i;
    return 0;
  )",
                                       calls.size(), file_missing, name_too_long, bad_address);
  EXPECT_EQ(launch(guest(before, body), false).exit_code, 0);
}

TEST(SystemCalls, KnowTheTerminalOnly) {
  const auto answer = [](std::string_view call) {
    return launch(guest("", fmt::format("return -system_call({});", call)), false).exit_code;
  };
  EXPECT_EQ(answer("88, 2, 0, 0"), 0) << "utimensat of a descriptor";
  EXPECT_EQ(answer("88, 3, 0, 0"), bad_descriptor);
  EXPECT_EQ(answer("46, 1, 0, 0"), bad_argument) << "ftruncate";
  EXPECT_EQ(answer("46, 3, 0, 0"), bad_descriptor);
  EXPECT_EQ(answer("82, 1, 0, 0"), bad_argument) << "fsync";
  EXPECT_EQ(answer("82, 3, 0, 0"), bad_descriptor);
}

constexpr std::string_view clock_functions = R"(
  struct Time { int64_t seconds, nanoseconds; };
  static uint64_t now() {
    Time time;
    system_call(113, 0, address(&time), 0);
    return *(volatile int64_t*)&time.seconds * 1000000000 + *(volatile int64_t*)&time.nanoseconds;
  }
  static uint64_t sleep(int64_t seconds, int64_t nanoseconds) {
    volatile Time time = {seconds, nanoseconds};
    return -system_call(101, address(&time), 0, 0);
  }
  static uint64_t sleep_until(int64_t seconds, int64_t nanoseconds) {
    volatile Time time = {seconds, nanoseconds};
    return -system_call(115, 1, 1, address(&time));
  }
)";

TEST(SystemCalls, RefuseTimesAndClocksThatAreNone) {
  const std::string body = fmt::format(R"(
    if (sleep(-1, 0) != {0} || sleep(0, -1) != {0} || sleep(0, 1000000000) != {0}) return 1;
    if (-system_call(101, 8, 0, 0) != {1}) return 2;
    if (-system_call(113, 12, 0x2000, 0) != {0} || -system_call(113, -1, 0x2000, 0) != {0}) return 3;
    if (-system_call(114, 12, 0, 0) != {0} || -system_call(115, 12, 0, 0x2000) != {0}) return 4;
    Time unit = {{7, 7}};
    if (system_call(114, 1, address(&unit), 0) != 0 || unit.seconds != 0 || unit.nanoseconds != 1) return 5;
    if (system_call(114, 1, 0, 0) != 0 || system_call(169, 0, 0, 0) != 0) return 6;
    return 0;
  )",
                                       bad_argument, bad_address);
  EXPECT_EQ(launch(guest(clock_functions, body), false).exit_code, 0);
}

// However the clock is known: to a thread alone, behind a wait, to threads that share a node, without timing.
TEST(SystemCalls, ASleepTakesItsTimeAndNoMore) {
  const std::string before = fmt::format("{} alignas(8) volatile uint64_t go;", clock_functions);
  const std::string body = R"(
    if (thread != 0) return 0;
    for (int i = 0; i < 2; ++i) {
      uint64_t begin = now();
      if (sleep(3, 500) != 0) return 1;
      uint64_t after = now();
      if (after - begin < 3000000500 || after - begin > 3000001500) return 2;
      if (sleep_until(0, 5) != 0 || now() - after > 1000) return 3;
      uint64_t then = now() / 1000000000 + 2;
      if (sleep_until(then, 0) != 0 || now() < then * 1000000000 || now() > then * 1000000000 + 1000) return 4;
      dojo_signal(at(0, (const void*)&go), 1);
      dojo_wait(address(&go), 1);
    }
    return 0;
  )";
  for (const std::string_view flags : {std::string_view(), two_threads}) {
    const Program program = guest(before, body, flags);
    const LaunchResult result = launch(program, true);
    EXPECT_EQ(result.outcome, Outcome::finished);
    EXPECT_EQ(result.exit_code, 0) << flags;
    const unsigned threads = flags.empty() ? 1 : 2;
    EXPECT_EQ(cycles_by_cause(result), threads * result.cycles);
    EXPECT_GT(cycles_by_cause(result, "cycles.idle"), threads * result.cycles / 100 * 99);
    EXPECT_EQ(launch(program, true, 1, 1).cycles, result.cycles);
    EXPECT_EQ(launch(program, false).exit_code, 0) << flags;
  }
}

// The other threads and nodes go on meanwhile, and who is waited for is waited for as long as it sleeps.
TEST(SystemCalls, OnlyTheSleeperSleeps) {
  const std::string before = fmt::format("{} alignas(8) volatile uint64_t go, flag, spun;", clock_functions);
  const Program shared = guest(before, R"(
    if (thread == 0) {
      sleep(0, 5000);
      flag = 1;
      return spun > 500 && spun < 10000 ? 0 : 1;
    }
    while (flag == 0) spun = spun + 1;
    return 0;
  )",
                               two_threads);
  const LaunchResult joint = launch(shared, true);
  EXPECT_EQ(joint.exit_code, 0);
  EXPECT_GT(joint.cycles, 10'000u);
  EXPECT_LT(joint.cycles, 11'000u);

  const Program apart = guest(before, R"(
    if (csr_node() == 0) {
      sleep(0, 5000);
      dojo_signal(at(1, (const void*)&go), 1);
      return 0;
    }
    if (now() > 200) return 1;
    dojo_wait(address(&go), 1);
    return now() > 5000 && now() < 5500 ? 0 : 2;
  )");
  for (const unsigned host_threads : {1u, 4u})
    EXPECT_EQ(launch(apart, true, 2, host_threads).exit_code, 0) << host_threads;
}

TEST(SystemCalls, TheClockStopsBeforeItOverflows) {
  const std::string body = R"(
    for (int i = 0; i < 20; ++i)
      if (sleep(0x7fffffffffffffff, 999999999) != 0) return 1;
    if (sleep_until(0x7fffffffffffffff, 999999999) != 0) return 2;
    return now() > 2000000000000000000 && now() < 2400000000000000000 ? 0 : 3;
  )";
  for (const std::string_view flags : {std::string_view(), two_threads})
    for (const bool timing : {true, false}) {
      const LaunchResult result = launch(guest(clock_functions, body, flags), timing);
      EXPECT_EQ(result.outcome, Outcome::finished);
      EXPECT_EQ(result.exit_code, 0) << flags << timing;
    }
}

}  // namespace
}  // namespace dojo::system
