#include "system/computer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

LaunchResult launch(Computer& computer, const Program& program, unsigned host_threads = 2,
                    bool timing = true) {
  LaunchOptions options;
  options.host.threads = host_threads;
  options.host.timing = timing;
  return computer.launch(program, 0, 0, options);
}

machine::Machine d1() { return machine::read_machine("d1"); }

std::uint64_t cycles_by_cause(const LaunchResult& result) {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : result.ledger.rows())
    if (key.part == "nodes" && key.event.starts_with("cycles.")) sum += count;
  return sum;
}

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

std::vector<std::uint64_t> words_at(const Computer& computer, unsigned node, std::uint64_t address,
                                    std::size_t count) {
  std::vector<std::uint64_t> words(count);
  std::memcpy(words.data(), computer.sram(node).data() + address, count * 8);
  return words;
}

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

TEST(Computer, ThreadsOfANodeMeetThroughSemaphores) {
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

constexpr std::string_view two_threads = "-Wl,--defsym=__dojo_threads=2",
                           four_threads = "-Wl,--defsym=__dojo_threads=4";

// One 64-bit load a cycle is all that a node has.
constexpr std::string_view load_bound = R"asm(
  uint64_t x;
  for (int i = 0; i < 1000; ++i)
    asm volatile("ld %0, -8(sp)\n ld t1, -8(sp)\n ld t2, -8(sp)\n ld t3, -8(sp)\n"
                 "ld t4, -8(sp)\n ld t5, -8(sp)\n ld t6, -8(sp)\n ld a7, -8(sp)"
                 : "=r"(x) : : "t1", "t2", "t3", "t4", "t5", "t6", "a7", "memory");
  return 0;
)asm";

TEST(Computer, ThreadsOfANodeShareItsPorts) {
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

TEST(Computer, AProfileOfThreadsThatShareANodeAddsUpToTheirCycles) {
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

TEST(Computer, AThreadSeesItsSiblingsStoresInSimulatedTime) {
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

TEST(Computer, ThreadsThatShareANodeKeepTheirFlagsAndRoundingModes) {
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

TEST(Computer, TranslationChangesNothingOfThreadsThatShareANode) {
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

TEST(Computer, OneThreadWaitsOnASemaphore) {
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

TEST(Computer, NamesWhoWaitsForWhatInADeadlock) {
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

TEST(Computer, SaysWhyATransferCannotBeDone) {
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

TEST(Computer, TrapsAreValuesWithPlaceAndRegisters) {
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

TEST(Computer, TransfersThatCannotBeDoneTrap) {
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

TEST(Computer, EndsARunawayProgram) {
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

TEST(Computer, EndsWhenTheHostAsks) {
  Computer computer(d1(), 2);
  LaunchOptions options;
  options.host.interrupted = [] { return true; };
  const Program program = guest("static volatile uint64_t x;", "for (;;) x = x + 1; return 0;");
  EXPECT_EQ(computer.launch(program, 0, 0, options).outcome, Outcome::interrupted);
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
