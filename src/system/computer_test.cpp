#include "system/computer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "system/launch_for_tests.h"

namespace dojo::system {
namespace {

TEST(Computer, RunsAProgramToItsExitCodeAndKeepsItsText) {
  const Program program =
      guest("static const char text[] = \"hello\\n\";",
            "system_call(64, 1, address(text), 6); return 40 + csr_nodes() + csr_node();");
  Computer computer(d1(), 3);
  std::string text;
  LaunchOptions options;
  options.text_output = [&](std::string_view words) { text += words; };
  const LaunchResult result = computer.launch(program, 0, 0, options);
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, 45);
  EXPECT_EQ(text, "hello\nhello\nhello\n");
  EXPECT_GT(result.cycles, 0u);
  EXPECT_EQ(cycles_by_cause(result), 3 * result.cycles);
}

TEST(Computer, AnswersUnknownSystemCallsAndBadBuffers) {
  Computer computer(d1(), 1);
  EXPECT_EQ(launch(computer, guest("", "return -system_call(1000, 0, 0, 0);")).exit_code, 38);
  EXPECT_EQ(launch(computer, guest("", "return -system_call(64, 1, 16, 8);")).exit_code, 14);
  EXPECT_EQ(launch(computer, guest("", "return -system_call(64, 7, 0x1000, 8);")).exit_code, 9);
}

// Every node passes a token of 16 words to the next, 20 times round; each adds its number. A node may run
// ahead of the next one by many steps, so every step has its own inbox.
constexpr std::string_view ring_globals = R"(
alignas(64) static uint64_t inbox[20][16];
alignas(8) static volatile uint64_t full[20];
alignas(64) uint64_t result[16];
)";
constexpr std::string_view ring = R"(
  const uint64_t me = csr_node(), n = csr_nodes(), next = (me + 1) % n;
  for (int i = 0; i < 16; ++i) result[i] = me * 16 + i;
  for (uint64_t step = 0; step < 20; ++step) {
    dojo_put(address(&full[step]), at(next, inbox[step]), address(result), sizeof result);
    dojo_wait(address(&full[step]), 1);
    for (int i = 0; i < 16; ++i) result[i] = inbox[step][i] * 3 + me;
  }
  return 0;
)";

TEST(Computer, PassesARingOfPutsOverTheWholeDieTheSameForAnyNumberOfHostThreads) {
  const Program program = guest(ring_globals, ring);
  const std::uint64_t address = program.symbol("result", 0);
  constexpr unsigned n = 354;
  // What the ring computes, said once more.
  std::vector<std::vector<std::uint64_t>> expected(n, std::vector<std::uint64_t>(16));
  for (unsigned node = 0; node < n; ++node)
    for (unsigned i = 0; i < 16; ++i) expected[node][i] = node * 16 + i;
  for (unsigned step = 0; step < 20; ++step) {
    const auto before = expected;
    for (unsigned node = 0; node < n; ++node)
      for (unsigned i = 0; i < 16; ++i) expected[node][i] = before[(node + n - 1) % n][i] * 3 + node;
  }
  std::vector<LaunchResult> results;
  for (const unsigned host_threads : {1u, 2u, 3u, 2u}) {
    Computer computer(d1());
    results.push_back(launch(computer, program, host_threads));
    ASSERT_EQ(results.back().outcome, Outcome::finished);
    for (unsigned node = 0; node < n; ++node)
      ASSERT_EQ(words_at(computer, node, address, 16), expected[node]) << node;
  }
  for (const LaunchResult& result : results) {
    EXPECT_EQ(result.cycles, results[0].cycles);
    EXPECT_EQ(result.instructions, results[0].instructions);
    EXPECT_EQ(result.ledger.rows(), results[0].ledger.rows());
    EXPECT_EQ(cycles_by_cause(result), n * result.cycles);
  }
  EXPECT_EQ(results[0].ledger.total("nodes", "network.put_bytes"), n * 20u * 128u);
}

TEST(Computer, ComputesTheSameWithoutTiming) {
  const Program program = guest(ring_globals, ring);
  Computer timed(d1(), 12), untimed(d1(), 12);
  const LaunchResult with = launch(timed, program), without = launch(untimed, program, 2, false);
  EXPECT_EQ(without.cycles, 0u);
  EXPECT_EQ(without.instructions, with.instructions);
  for (unsigned node = 0; node < 12; ++node)
    EXPECT_EQ(words_at(timed, node, program.symbol("result", 0), 16),
              words_at(untimed, node, program.symbol("result", 0), 16));
  EXPECT_EQ(without.ledger.total("nodes", "network.put_bytes"),
            with.ledger.total("nodes", "network.put_bytes"));
}

TEST(Computer, LaunchesTwiceWithTheSameCyclesAndKeepsOnlyThePersistentRegion) {
  const Program program = guest("", R"(
    volatile uint64_t* kept = (volatile uint64_t*)0x80000;
    volatile uint64_t* lost = (volatile uint64_t*)0x90000;
    const uint64_t code = *kept * 10 + *lost;
    *kept = *kept + 1;
    *lost = 5;
    return code;
  )");
  Computer computer(d1(), 2);
  LaunchOptions options;
  const LaunchResult first = computer.launch(program, 0x80000, 0x80040, options);
  const LaunchResult second = computer.launch(program, 0x80000, 0x80040, options);
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(second.exit_code, 10);
  EXPECT_EQ(first.cycles, second.cycles);
}

TEST(Computer, GetsFromHbmAndPutsBack) {
  const Program program =
      guest("alignas(64) static uint64_t data[32]; alignas(8) static volatile uint64_t arrived;", R"(
    const uint64_t me = csr_node();
    dojo_get(address(&arrived), address(data), hbm(1, 4096 + me * 256), 256);
    dojo_wait(address(&arrived), 1);
    for (int i = 0; i < 32; ++i) data[i] += me;
    dojo_put(0, hbm(4, (uint64_t(1) << 33) + me * 256), address(data), 256);
    dojo_quiet();
    return 0;
  )");
  Computer computer(d1(), 20);
  std::vector<std::uint64_t> words(20 * 32);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = i * i;
  computer.write_hbm(1, 4096, std::as_bytes(std::span(words)));
  const LaunchResult result = launch(computer, program);
  ASSERT_EQ(result.outcome, Outcome::finished);
  const auto back = computer.read_hbm(4, std::uint64_t{1} << 33, words.size() * 8);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint64_t word;
    std::memcpy(&word, back.data() + i * 8, 8);
    ASSERT_EQ(word, i * i + i / 32);
  }
  EXPECT_EQ(result.ledger.total("hbm.1", "hbm.read_bytes"), 20u * 256u);
  EXPECT_EQ(result.ledger.total("hbm.4", "hbm.write_bytes"), 20u * 256u);
  EXPECT_GT(result.cycles, 203u + 700u);
  EXPECT_GT(result.ledger.total("nodes", "cycles.network"), 20u * 900u);
}

// Node 0 works for thousands of cycles before it signals; what node 1 reads of the clock behind its wait is
// the launch's end but for a few instructions.
TEST(Computer, TheClockHoldsWaits) {
  const std::string before = R"(
    alignas(8) static volatile uint64_t go;
    uint64_t seen[3];
    static uint64_t cycle() { uint64_t c; asm volatile("rdcycle %0" : "=r"(c)); return c; }
    static uint64_t nanoseconds() {
      uint64_t time[2];
      system_call(113, 1, address(time), 0);
      return time[0] * 1000000000 + *(volatile uint64_t*)&time[1];
    }
  )";
  const std::string body = R"(
    if (thread != 0) return 0;
    if (csr_node() == 0) {
      for (int i = 0; i < 5000; ++i) asm volatile("");
      dojo_signal(at(1, (const void*)&go), 1);
      return 0;
    }
    seen[0] = cycle();
    dojo_wait(address(&go), 1);
    seen[1] = cycle();
    seen[2] = nanoseconds();
    return 0;
  )";
  for (const std::string_view flags : {std::string_view(), two_threads}) {
    const Program program = guest(before, body, flags);
    Computer computer(d1(), 2);
    const LaunchResult result = launch(computer, program);
    ASSERT_EQ(result.outcome, Outcome::finished);
    const auto seen = words_at(computer, 1, program.symbol("seen", 0), 3);
    EXPECT_GT(seen[0], 0u);
    EXPECT_LT(seen[0], 100u);
    EXPECT_GT(seen[1], 5000u);
    EXPECT_LE(seen[1], result.cycles);
    EXPECT_GT(seen[1] + 200, result.cycles);
    EXPECT_NEAR(static_cast<double>(seen[2]) * computer.machine().node.clock_ghz,
                static_cast<double>(seen[1]), 100.0);
    Computer again(d1(), 2);
    EXPECT_EQ(launch(again, program, 1).cycles, result.cycles);
    EXPECT_EQ(words_at(again, 1, program.symbol("seen", 0), 3), seen);
  }
}

TEST(Computer, EndsAtAStoreToTohost) {
  const std::string globals = "extern \"C\" { volatile uint64_t tohost; }";
  Computer computer(d1(), 1);
  EXPECT_EQ(launch(computer, guest(globals, "tohost = 1; for (;;) {} return 0;")).exit_code, 0);
  const LaunchResult failed = launch(computer, guest(globals, "tohost = 2 * 7 + 1; for (;;) {} return 0;"));
  EXPECT_EQ(failed.outcome, Outcome::finished);
  EXPECT_EQ(failed.exit_code, 7);
}

TEST(Computer, LoadsAProgramWhereItWasLinked) {
  const std::string source = guest_source("uint64_t word = 9;", "return word + (address(&word) >> 28);");
  const Program program =
      Program::parse(build_guest(source, "-Wl,--image-base=0x80000000 -mcmodel=medany"), "guest");
  Computer computer(d1(), 1);
  EXPECT_EQ(launch(computer, program).exit_code, 9 + 8);
}

TEST(Computer, RefusesWhatDoesNotFit) {
  const Program large = guest("char big[2'000'000];", "return big[thread];");
  Computer computer(d1(), 1);
  EXPECT_THROW(launch(computer, large), UserError);
  const Program many = guest("", "return 0;", "-Wl,--defsym=__dojo_threads=5");
  EXPECT_THROW(launch(computer, many), UserError);
  const Program small = guest("uint64_t x = 1;", "return x;");
  EXPECT_THROW(computer.launch(small, 0x1000, 0x3000, {}), UserError);
  EXPECT_THROW(Computer(d1(), 355), UserError);
  EXPECT_THROW(computer.read_hbm(0, std::uint64_t{32} << 30, 1), UserError);
  EXPECT_THROW(computer.read_hbm(5, 0, 1), UserError);
}

}  // namespace
}  // namespace dojo::system
