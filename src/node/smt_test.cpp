// Do threads of one node share it as the definition says, to the cycle, however much is remembered?
#include "node/smt.h"
#include "node/d1_for_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <span>

#include "base/random.h"
#include "node/assembly_for_test.h"
#include "node/core.h"
#include "node/pipeline.h"

namespace dojo::node {
namespace {

// A program that has run to its first stop, its code shared or, block by block, its own.
enum class Code : std::uint8_t { shared, own };
struct Ran {
  Bench bench;
  Code code;
  CodeImage image;
  BlockTiming timing{d1()};
  Recording recording;
  Slice slice;

  explicit Ran(std::string_view text, Code kept = Code::shared)
      : bench(text), code(kept), image(Bench::base, kept == Code::own ? Bench::base : bench.text_end) {
    Core core(image, timing, true);
    core.record(&recording);
    bench.hart.x[2] = 0x8000;
    slice = core.run(bench.hart, ~std::uint64_t{0});
    while (slice.stop == isa::Stop::none) slice = core.run(bench.hart, ~std::uint64_t{0});
    EXPECT_EQ(slice.stop, isa::Stop::system_call);
  }
  Cycle alone() const { return static_cast<Cycle>(slice.cycles); }
};

std::string loop(std::string_view body, int times) {
  return "li a0, " + std::to_string(times) + "\n li a1, 16\n vsetvli t0, a1, e32, m1, ta, ma\nloop:\n" +
         std::string(body) + "addi a0, a0, -1\n bnez a0, loop\n ecall\n";
}

// What a thread runs, from when on: each program `gap` cycles behind the stop of the one before. The last one
// may end without its stop: nothing more comes then.
enum class End : std::uint8_t { stop, nothing_more };
struct Started {
  std::vector<const Ran*> programs;
  Cycle at = 0, gap = 0;
  End end = End::stop;

  Started(const Ran* ran, Cycle first_at = 0) : programs{ran}, at(first_at) {}
  Started(std::vector<const Ran*> several, Cycle first_at, Cycle between, End how)
      : programs(std::move(several)), at(first_at), gap(between), end(how) {}

  bool finishes(std::size_t program) const {
    return end == End::nothing_more && program + 1 == programs.size();
  }
  std::span<const RecordedBlock> blocks(std::size_t program) const {
    const std::span all(programs[program]->recording.blocks);
    return all.first(all.size() - finishes(program));
  }
};
using Spending = std::map<std::uint64_t, std::array<std::uint64_t, causes>>;  // by bucket
struct AllEnded {
  std::vector<Cycle> at;
  Spending cycles;
  bool operator==(const AllEnded&) const = default;
};

// Thread t of the node runs threads[t]; `timing` may have been used before.
AllEnded together(SmtTiming& timing, const std::vector<Started>& threads) {
  SmtTimer timer(timing);
  const Spending before = timing.spent();
  std::vector<std::size_t> program(threads.size()), fed(threads.size());
  std::vector<Cycle> starts;
  for (const Started& thread : threads) starts.push_back(thread.at);
  constexpr Cycle never = Cycle{1} << 50;
  AllEnded ended{std::vector<Cycle>(threads.size()), {}};
  for (;;) {
    for (unsigned t = 0; t < threads.size(); ++t)
      if (starts[t] == timer.now()) timer.start(t), starts[t] = never, fed[t] = 0;
    while (timer.hungry() != 0) {
      const auto t = static_cast<unsigned>(std::countr_zero(timer.hungry()));
      const auto blocks = threads[t].blocks(program[t]);
      if (fed[t] == blocks.size())
        timer.finish(t);
      else
        timer.feed(t,
                   timing.code_run(blocks[fed[t]++], threads[t].programs[program[t]]->code == Code::own, 0));
    }
    Cycle next = *std::ranges::min_element(starts);
    if (timer.prepare()) next = std::min(next, timer.due());
    if (next == never) break;
    const unsigned stopped = timer.advance(next);
    for (unsigned t = 0; t < threads.size(); ++t) {
      if ((stopped >> t & 1) == 0) continue;
      ended.at[t] = timer.now();
      if (++program[t] < threads[t].programs.size()) starts[t] = timer.now() + threads[t].gap;
    }
  }
  ended.cycles = timing.spent();
  for (const auto& [bucket, cycles] : before)
    for (std::size_t c = 0; c < causes; ++c) ended.cycles[bucket][c] -= cycles[c];
  return ended;
}

// The same by the definition, cycle after cycle.
AllEnded by_definition(const std::vector<Started>& threads, const machine::Node& node,
                       SmtTiming::CountBy count_by) {
  ReferencePipeline pipeline(node, static_cast<unsigned>(threads.size()), Keep::buckets);
  std::deque<TimedInstruction> instructions;
  const auto feed = [&](unsigned t, std::size_t program) {
    for (const RecordedBlock& ran : threads[t].blocks(program)) {
      std::uint64_t pc = ran.block->pc;
      std::vector<TimedInstruction> of_block =
          timed_instructions(*ran.block, ran.count, ran.config, ran.exit, node);
      for (std::size_t i = 0; i < of_block.size(); ++i) {
        of_block[i].bucket = count_by == SmtTiming::CountBy::address ? pc : 0;
        pc += ran.block->code[i].length;
      }
      for (const TimedInstruction& instruction : of_block)
        pipeline.feed(t, instructions.emplace_back(instruction));
    }
    if (threads[t].finishes(program)) pipeline.finish(t);
  };
  std::vector<std::size_t> program(threads.size());
  std::vector<Cycle> starts;
  for (const Started& thread : threads) starts.push_back(thread.at);
  AllEnded ended{std::vector<Cycle>(threads.size()), {}};
  for (std::size_t running = threads.size(); running != 0 && pipeline.now() < 1'000'000;) {
    for (unsigned t = 0; t < threads.size(); ++t)
      if (pipeline.now() == starts[t]) feed(t, program[t]);
    pipeline.tick();
    for (unsigned t = 0; t < threads.size(); ++t) {
      if (pipeline.now() <= starts[t] || (!pipeline.stopped(t) && !pipeline.finished(t))) continue;
      pipeline.acknowledge(t);
      ended.at[t] = pipeline.now();
      if (++program[t] < threads[t].programs.size())
        starts[t] = pipeline.now() + threads[t].gap;
      else
        starts[t] = 1'000'000, --running;
    }
  }
  for (const Spent& spent : pipeline.take_spent()) ended.cycles[spent.bucket] = spent.cycles;
  return ended;
}

AllEnded together(const std::vector<Started>& threads, const machine::Node& node = d1()) {
  SmtTiming timing(node, static_cast<unsigned>(threads.size()));
  return together(timing, threads);
}

Cycle last(const AllEnded& ended) { return std::ranges::max(ended.at); }

TEST(Smt, AThreadAloneTakesItsOwnTime) {
  const Ran mixed(loop(
      "ld a2, 0(sp)\n vle32.v v8, (sp)\n vfmul.vv v9, v8, v8\n vse32.v v9, (sp)\n divu a3, a2, a1\n", 50));
  EXPECT_EQ(last(together({{&mixed}})), mixed.alone());
}

// Everything that threads share: slots, pipes, ports, the divider; in groups of several registers, too.
constexpr std::string_view lines[] = {"add a2, a3, a3\n",
                                      "mul a3, a2, a1\n",
                                      "divu a4, a1, a1\n",
                                      "ld a2, 0(sp)\n",
                                      "sd a2, 8(sp)\n",
                                      "lr.d a2, (sp)\n",
                                      "fadd.d fa0, fa1, fa0\n",
                                      "fdiv.d fa2, fa1, fa1\n",
                                      "vle32.v v8, (sp)\n",
                                      "vse32.v v12, (sp)\n",
                                      "vle32ff.v v4, (sp)\n",
                                      "vfmul.vv v12, v8, v8\n",
                                      "vfadd.vv v16, v12, v8\n",
                                      "vfdiv.vv v20, v8, v8\n",
                                      "vmv.x.s a5, v16\n",
                                      "vfmv.f.s fa0, v16\n",
                                      "vredsum.vs v24, v8, v12\n",
                                      "vrgather.vv v16, v8, v24\n",
                                      "vlse32.v v28, (sp), a6\n",
                                      "vsetvli t0, a1, e32, m4, ta, ma\n",
                                      "vsetvli t0, a1, e32, m2, ta, ma\n",
                                      "vsetvli t0, a1, e32, m1, ta, ma\n",
                                      "beqz a1, loop\n",
                                      "fence\n",
                                      "li a6, 4\n"};

std::string random_lines(Random& random, std::uint64_t most) {
  std::string body;
  for (std::uint64_t i = 1 + random.below(most); i != 0; --i)
    for (std::uint64_t again = 1 + random.below(3); again != 0; --again)
      body += lines[random.below(std::size(lines))];
  return body;
}

std::string loop_of_threads(Random& random) {
  return "li a6, 4\n" + loop(random_lines(random, 20), static_cast<int>(1 + random.below(40)));
}

// Jumps to pieces of code at random: what comes next has not come before.
std::string random_jumps(Random& random, int times) {
  constexpr int pieces = 8;
  std::string body = "mul s1, s1, s2\n addi s1, s1, 1\n srli t1, s1, 61\n";
  for (int i = 0; i < pieces; ++i)
    body += "li t2, " + std::to_string(i) + "\n beq t1, t2, piece" + std::to_string(i) + "\n";
  for (int i = 0; i < pieces; ++i)
    body += "piece" + std::to_string(i) + ":\n" + random_lines(random, 4) + "j next\n";
  return "li a6, 4\n li s1, " + std::to_string(random.below(1u << 30)) + "\n li s2, 6364136223846793005\n" +
         loop(body + "next:\n", times);
}

// Steps on tiles, which forward their sums, between moves of rows.
std::string matrix_loop(int times) {
  return "li a1, 16\n li a0, " + std::to_string(times) +
         "\n sf.vsettnt t0, a1, e16, w2\n sf.vsettm t0, a1\n sf.vsettk t0, a1\nloop:\n"
         "sf.mm.f.f mt0, v8, v16\n sf.mm.f.f mt0, v8, v16\n sf.mm.f.f mt8, v16, v8\n vle16.v v8, (sp)\n"
         "addi a0, a0, -1\n bnez a0, loop\n ecall\n";
}

void expect_the_definition(SmtTiming::CountBy count_by, const std::vector<Started>& threads,
                           const machine::Node& node, std::size_t most_states, const std::string& what) {
  SmtTiming timing(node, static_cast<unsigned>(threads.size()), count_by, most_states);
  const AllEnded expected = by_definition(threads, node, count_by);
  ASSERT_EQ(together(timing, threads), expected) << what;
  ASSERT_EQ(together(timing, threads), expected) << what << ", remembered";
}

TEST(Smt, RandomProgramsOfOneToFourThreadsTakeTheCyclesOfTheDefinition) {
  Random random(11);
  std::deque<Ran> programs;
  for (int i = 0; i < 12; ++i) programs.emplace_back(loop_of_threads(random));
  for (int i = 0; i < 4; ++i) programs.emplace_back(random_jumps(random, 40));
  for (int i = 0; i < 3; ++i) programs.emplace_back(loop_of_threads(random), Code::own);
  programs.emplace_back(matrix_loop(20));
  for (unsigned round = 0; round < 120; ++round) {
    machine::Node node = d1();
    if (round % 3 == 1) node.decode_threads = 1 + random.below(4), node.vector_queue = 1 + random.below(8);
    if (round % 7 == 2)
      node.sram_load_ports = 1 + random.below(4), node.sram_store_ports = 1 + random.below(2);
    if (round % 11 == 3) node.decode_width = 1 + random.below(8), node.fetch_bytes = 4 + random.below(29);
    if (round % 13 == 4) node.vector_issue = 1, node.branch_taken_cycles = random.below(5);
    std::vector<Started> threads;
    for (unsigned t = 0; t <= round % 4; ++t) {
      std::vector<const Ran*> several;
      for (std::uint64_t i = 1 + random.below(3); i != 0; --i)
        several.push_back(&programs[random.below(programs.size())]);
      threads.emplace_back(std::move(several), static_cast<Cycle>(random.below(300)),
                           static_cast<Cycle>(random.below(40)),
                           random.below(4) == 0 ? End::nothing_more : End::stop);
    }
    expect_the_definition(round % 2 == 0 ? SmtTiming::CountBy::op : SmtTiming::CountBy::address, threads,
                          node, round % 5 == 0 ? 20 : 100'000, std::to_string(round));
  }
}

TEST(Smt, WhatDoesNotComeAgainTakesTheCyclesOfTheDefinition) {
  Random random(12);
  std::deque<Ran> programs;
  for (int i = 0; i < 4; ++i) programs.emplace_back(random_jumps(random, 1200));
  const Ran interrupting(loop_of_threads(random)), steady(loop("add a2, a3, a3\n mul a3, a2, a1\n", 3000));
  for (unsigned round = 0; round < 4; ++round) {
    std::vector<Started> threads;
    for (unsigned t = 0; t < 3; ++t) threads.emplace_back(&programs[t]);
    threads.emplace_back(
        std::vector<const Ran*>{&interrupting, &interrupting, &programs[3], &steady, &interrupting}, 100,
        static_cast<Cycle>(random.below(900)), End::stop);
    if (round % 2 == 1) threads[2] = Started(&steady);
    expect_the_definition(SmtTiming::CountBy::address, threads, d1(), round < 2 ? 100'000 : 400,
                          std::to_string(round));
  }
}

// From a state that was come to without being looked at, what is remembered of it leads on.
TEST(Smt, WhatComesAgainAfterWhatDoesNotTakesTheCyclesOfTheDefinition) {
  Random random(14);
  for (unsigned round = 0; round < 6; ++round) {
    const Ran steady(loop("add a2, a3, a3\n mul a3, a2, a1\n", 400)), jumps(random_jumps(random, 900));
    const std::vector<const Ran*> phases{&steady, &jumps, &steady, &jumps, &steady, &jumps};
    std::vector<Started> threads;
    for (unsigned t = 0; t <= round % 4; ++t)
      threads.emplace_back(phases, static_cast<Cycle>(random.below(20)), static_cast<Cycle>(random.below(20)),
                           End::stop);
    expect_the_definition(SmtTiming::CountBy::op, threads, d1(), 100'000, std::to_string(round));
  }
}

TEST(Smt, WhatDoesNotComeAgainIsNotRemembered) {
  Random random(13);
  std::deque<Ran> programs;
  std::vector<Started> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(&programs.emplace_back(random_jumps(random, 2000)));
  SmtTiming timing(d1(), 4);
  together(timing, threads);
  EXPECT_LT(timing.states(), 10'000u) << "of some 40,000 blocks";
}

TEST(Smt, ARepeatingNodeIsRemembered) {
  const Ran first(loop("mul a2, a1, a1\n vfadd.vv v8, v2, v3\n", 3000)),
      second(loop("vfdiv.vv v8, v2, v3\n ld a2, 0(sp)\n", 1000));
  SmtTiming timing(d1(), 2);
  const AllEnded ended = together(timing, {{&first}, {&second}});
  EXPECT_GT(last(ended), 10'000);
  EXPECT_LT(timing.states(), 1000u);
}

TEST(Smt, ABoundPipeIsShared) {
  // Eight SIMD cycles per round: the pipe is the bound, and two threads need it twice as long.
  std::string body;
  for (int i = 0; i < 8; ++i) body += "vfadd.vv v" + std::to_string(8 + i) + ", v2, v3\n";
  const Ran simd(loop(body, 200));
  const Cycle both = last(together({{&simd}, {&simd}}));
  EXPECT_GE(both, 2 * 8 * 200);
  EXPECT_LE(both, 2 * 8 * 200 + 40);
  EXPECT_LE(simd.alone(), 8 * 200 + 40);
}

TEST(Smt, LatencyOfOneThreadHidesBehindAnother) {
  const Ran chain(loop("ld a2, 0(sp)\n add a2, a2, a2\n ld a3, 8(sp)\n add a3, a3, a2\n", 300));
  EXPECT_LE(last(together({{&chain}, {&chain}, {&chain}, {&chain}})), chain.alone() * 5 / 4)
      << "mostly waiting, so four fit beside one another";
}

TEST(Smt, TwoThreadsAreDecodedInACycle) {
  std::string body;
  for (int i = 0; i < 60; ++i) body += "add a2, a2, a1\n";  // one a cycle for each thread
  const Ran chain(loop(body, 50));
  machine::Node node = d1();
  node.alus = 4;
  EXPECT_LE(last(together({{&chain}, {&chain}}, node)), chain.alone() + 20);
  EXPECT_GE(last(together({{&chain}, {&chain}, {&chain}, {&chain}}, node)), 2 * 60 * 50);
  node.decode_threads = 4;
  EXPECT_LE(last(together({{&chain}, {&chain}, {&chain}, {&chain}}, node)), chain.alone() + 60);
}

TEST(Smt, AFinishedThreadLeavesAnIdleNodeThatLetsTimePass) {
  const Ran one(loop("add a2, a1, a1\n", 10));
  SmtTiming timing(d1(), 2);
  SmtTimer timer(timing);
  EXPECT_FALSE(timer.prepare());
  timer.advance(1000);
  timer.start(1);
  EXPECT_EQ(timer.hungry(), 2u);
  timer.feed(1, timing.code_run(one.recording.blocks.front(), false, 0));
  timer.finish(1);
  EXPECT_TRUE(timer.prepare());
  EXPECT_EQ(timer.advance(timer.due()), 2u);
  EXPECT_FALSE(timer.running(1));
  EXPECT_GT(timer.now(), 1000);
  EXPECT_FALSE(timer.prepare());
}

}  // namespace
}  // namespace dojo::node
