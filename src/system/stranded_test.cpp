// What is said of threads that cannot go on: deadlocks, traps, transfers that cannot be done, runaways.
#include "system/stranded.h"

#include <gtest/gtest.h>

#include "system/launch_for_tests.h"

namespace dojo::system {
namespace {

TEST(Stranded, OneThreadWaitsOnASemaphore) {
  const Program program = guest("alignas(8) volatile uint64_t shared;", R"(
    dojo_wait(address(&shared), 1);
    return 0;
  )",
                                two_threads);
  for (const bool timing : {true, false}) {
    Computer computer(d1(), 1);
    const LaunchResult result = launch(computer, program, 2, timing);
    EXPECT_EQ(result.outcome, Outcome::trapped);
    ASSERT_EQ(result.stranded.size(), 1u);
    EXPECT_EQ(result.stranded[0].thread, 1u);
    EXPECT_NE(result.stranded[0].disassembly.find("dj.wait"), std::string::npos);
    const std::string& reason = result.stranded[0].reason;
    EXPECT_TRUE(reason.starts_with(
        fmt::format("waits for semaphore {:#x} <shared>, which thread 0 of this node waits for at ",
                    program.symbol("shared", 0))))
        << reason;
    EXPECT_NE(reason.find("<_start"), std::string::npos) << reason;
  }
}

TEST(Stranded, NamesWhoWaitsForWhatInADeadlock) {
  const Program program = guest("alignas(8) volatile uint64_t never;", R"(
    if (csr_node() == 2) dojo_signal(at(1, (const void*)&never), 2);
    if (csr_node() == 1) dojo_wait(address(&never), 3);
    return 0;
  )");
  Computer computer(d1(), 4);
  const LaunchResult result = launch(computer, program);
  EXPECT_EQ(result.outcome, Outcome::deadlocked);
  ASSERT_EQ(result.stranded.size(), 1u);
  EXPECT_EQ(result.stranded[0].node, 1u);
  EXPECT_EQ(result.stranded[0].reason,
            fmt::format("waits for semaphore {:#x} <never> >= 3 (holds 2)", program.symbol("never", 0)));
  EXPECT_NE(result.stranded[0].disassembly.find("dj.wait"), std::string::npos);
}

TEST(Stranded, SaysWhyATransferCannotBeDone) {
  const auto expect = [](std::string_view body, std::string_view why) {
    const Program program =
        guest("alignas(64) volatile uint64_t word[8];", fmt::format("{}; return 0;", body));
    Computer computer(d1(), 2);
    const LaunchResult result = launch(computer, program);
    ASSERT_EQ(result.outcome, Outcome::trapped) << body;
    const std::string address = fmt::format("{:#x}", program.symbol("word", 0));
    std::string expected = fmt::format("transfer that cannot be done, for {} (global 0x", why);
    if (const std::size_t at = expected.find('@'); at != std::string::npos) expected.replace(at, 1, address);
    EXPECT_TRUE(result.stranded[0].reason.starts_with(expected))
        << result.stranded[0].reason << "\n  instead of " << expected;
  };
  expect("dojo_put(0, at(5, (void*)word), address(word), 8)", "there is no node 5 in this launch of 2");
  expect("dojo_get(0, address(word), hbm(99, 0), 8)", "there is no interface processor 99, but 5 of them");
  expect("dojo_signal(at(7, (void*)word), 1)", "there is no node 7 in this launch of 2");
  expect("dojo_put(0, at(1, (void*)0x200000), address(word), 8)",
         "8 bytes from 0x200000 of node 1 cannot be written");
  expect("dojo_get(0, address(word), at(1, (void*)0x10), 4)", "4 bytes from 0x10 of node 1 cannot be read");
  expect("dojo_get(0, address(word), hbm(0, 0xffffffffff), 8)",
         "8 bytes from 0xffffffffff of HBM 0 cannot be read");
  expect("dojo_put(0, at(1, (void*)word), 0x200000, 8)",
         "8 bytes from 0x200000 of its own node cannot be read");
  expect("dojo_get(0, 8, at(1, (void*)word), 8)", "8 bytes from 0x8 of its own node cannot be written");
  expect("dojo_put(4099, at(1, (void*)word), address(word), 8)",
         "a semaphore at 0x1003 of node 1 is not aligned");
  expect("dojo_put(address(word), hbm(0, 0), address(word), 8)",
         "a semaphore at @ of HBM 0 cannot be: HBM has none");
  expect("dojo_wait(8, 1)", "a semaphore at 0x8 of node 0 cannot be written");
}

TEST(Stranded, TrapsAreValuesWithPlaceAndRegisters) {
  const Program program =
      guest("extern \"C\" __attribute__((noinline)) void poke(volatile uint64_t* where) { *where = 1; }",
            "if (csr_node() == 3) poke((volatile uint64_t*)8); return 0;");
  Computer computer(d1(), 5);
  for (const unsigned host_threads : {1u, 2u}) {
    const LaunchResult result = launch(computer, program, host_threads);
    EXPECT_EQ(result.outcome, Outcome::trapped);
    ASSERT_EQ(result.stranded.size(), 1u);
    const Stranded& stranded = result.stranded[0];
    EXPECT_EQ(stranded.node, 3u);
    EXPECT_EQ(stranded.reason, "store to 0x8, which cannot be written");
    EXPECT_TRUE(stranded.symbol.starts_with("poke")) << stranded.symbol;
    EXPECT_EQ(stranded.registers.size(), 32u);
    EXPECT_EQ(stranded.registers[10], (std::pair<std::string, std::uint64_t>{"a0", 8}));
  }
}

TEST(Stranded, TransfersThatCannotBeDoneTrap) {
  for (const std::string_view program :
       {"dojo_put(0, at(4, (void*)0x2000), 0x2000, 8); return 0;",         // four nodes: 0..3
        "dojo_put(0, at(1, (void*)0), 0x2000, 8); return 0;",              // not mapped
        "dojo_put(0, at(1, (void*)0x1000), 0x2000, 8); return 0;",         // text
        "dojo_put(0, at(1, (void*)0x13fff9), 0x2000, 8); return 0;",       // over the end
        "dojo_put(0, at(1, (void*)0x80000), 0x2000, -8); return 0;",       // no such length
        "dojo_put(0x80004, at(1, (void*)0x80000), 0x2000, 8); return 0;",  // misaligned semaphore
        "dojo_put(0x80000, hbm(0, 0), 0x2000, 8); return 0;",              // HBM holds no semaphores
        "dojo_get(0, 0x80000, hbm(5, 0), 8); return 0;",                   // processors 0..4
        "dojo_get(0, 0x80000, hbm(0, uint64_t(32) << 30), 8); return 0;",  // over the end of HBM
        "dojo_signal(hbm(0, 0), 1); return 0;", "dojo_wait(0, 1); return 0;"}) {
    Computer computer(d1(), 4);
    const LaunchResult result = launch(computer, guest("", program));
    EXPECT_EQ(result.outcome, Outcome::trapped) << program;
    ASSERT_FALSE(result.stranded.empty());
    EXPECT_NE(result.stranded[0].disassembly.find("dj."), std::string::npos)
        << result.stranded[0].disassembly;
  }
}

TEST(Stranded, EndsARunawayProgram) {
  Computer computer(d1(), 2);
  LaunchOptions options;
  options.max_instructions = 100'000;
  const Program program = guest("static volatile uint64_t x;", "for (;;) x = x + 1; return 0;");
  const LaunchResult result = computer.launch(program, 0, 0, options);
  EXPECT_EQ(result.outcome, Outcome::too_long);
  EXPECT_EQ(result.stranded.size(), 2u);
  EXPECT_GE(result.instructions, 2u * 100'000u);
  EXPECT_LT(result.instructions, 2u * 100'100u);
}

TEST(Stranded, EndsWhenTheHostAsks) {
  Computer computer(d1(), 2);
  LaunchOptions options;
  options.host.interrupted = [] { return true; };
  const Program program = guest("static volatile uint64_t x;", "for (;;) x = x + 1; return 0;");
  EXPECT_EQ(computer.launch(program, 0, 0, options).outcome, Outcome::interrupted);
}

}  // namespace
}  // namespace dojo::system
