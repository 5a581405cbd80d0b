// Do threads of one node share it as the definition says, to the cycle, however much is remembered?
#include "node/joint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "node/assembly_for_test.h"
#include "node/core.h"
#include "node/pipeline.h"

namespace dojo::node {
namespace {

const machine::Node& d1() {
  static const machine::Node node = machine::read_machine("d1").node;
  return node;
}

// A program that has run to its first stop.
struct Ran {
  Bench bench;
  CodeImage image;
  BlockTiming timing{d1()};
  Recording recording;
  Slice slice;

  explicit Ran(std::string_view text) : bench(text), image(Bench::base, bench.text_end) {
    Core core(image, timing, true);
    core.record(&recording);
    bench.hart.x[2] = 0x8000;
    slice = core.run(bench.hart, ~std::uint64_t{0});
    EXPECT_EQ(slice.stop, isa::Stop::system_call);
  }
  Cycle alone() const { return static_cast<Cycle>(slice.cycles); }
};

std::string loop(std::string_view body, int times) {
  return "li a0, " + std::to_string(times) + "\n li a1, 16\n vsetvli t0, a1, e32, m1, ta, ma\nloop:\n" +
         std::string(body) + "addi a0, a0, -1\n bnez a0, loop\n ecall\n";
}

struct Started {
  const Ran* ran;
  Cycle at = 0;
};
struct Ended {
  std::vector<Cycle> at;
  std::array<std::uint64_t, causes> cycles{};
  bool operator==(const Ended&) const = default;
};

std::array<std::uint64_t, causes> sum_of(const JointTiming& timing) {
  std::array<std::uint64_t, causes> sum{};
  for (const auto& [place, cycles] : timing.spent())
    for (std::size_t c = 0; c < causes; ++c) sum[c] += cycles[c];
  return sum;
}

// Thread t of the node runs threads[t]; `timing` may have been used before.
Ended together(JointTiming& timing, const std::vector<Started>& threads) {
  JointTimer timer(timing);
  const auto before = sum_of(timing);
  std::vector<std::size_t> fed(threads.size());
  std::vector<bool> started(threads.size());
  Ended ended{std::vector<Cycle>(threads.size()), {}};
  for (;;) {
    for (unsigned t = 0; t < threads.size(); ++t)
      if (!started[t] && threads[t].at == timer.now()) timer.start(t), started[t] = true;
    while (const auto t = timer.wants())
      timer.feed(*t, timing.stretch(threads[*t].ran->recording.blocks[fed[*t]++], false, 0));
    std::optional<Cycle> next = timer.next();
    for (unsigned t = 0; t < threads.size(); ++t)
      if (!started[t]) next = std::min(next.value_or(threads[t].at), threads[t].at);
    if (!next) break;
    const unsigned stopped = timer.advance(*next);
    for (unsigned t = 0; t < threads.size(); ++t)
      if ((stopped >> t & 1) != 0) ended.at[t] = timer.now();
  }
  ended.cycles = sum_of(timing);
  for (std::size_t c = 0; c < causes; ++c) ended.cycles[c] -= before[c];
  return ended;
}

// The same by the definition, cycle after cycle.
Ended by_definition(const std::vector<Started>& threads, const machine::Node& node) {
  ReferencePipeline pipeline(node, static_cast<unsigned>(threads.size()));
  std::deque<Step> steps;
  Ended ended{std::vector<Cycle>(threads.size()), {}};
  while (std::ranges::count(ended.at, 0) != 0 && pipeline.now() < 1'000'000) {
    for (unsigned t = 0; t < threads.size(); ++t) {
      if (pipeline.now() != threads[t].at) continue;
      for (const RecordedBlock& ran : threads[t].ran->recording.blocks)
        for (const Step& step : steps_of(*ran.block, ran.count, ran.config, ran.exit, node))
          pipeline.feed(t, steps.emplace_back(step));
    }
    pipeline.tick();
    for (unsigned t = 0; t < threads.size(); ++t)
      if (ended.at[t] == 0 && pipeline.stopped(t)) ended.at[t] = pipeline.now();
  }
  for (unsigned t = 0; t < threads.size(); ++t)
    for (std::size_t c = 0; c < causes; ++c) ended.cycles[c] += pipeline.counts(t).of(static_cast<Cause>(c));
  return ended;
}

Ended together(const std::vector<Started>& threads, const machine::Node& node = d1()) {
  JointTiming timing(node, static_cast<unsigned>(threads.size()));
  return together(timing, threads);
}

Cycle last(const Ended& ended) { return std::ranges::max(ended.at); }

TEST(Joint, AThreadAloneTakesItsOwnTime) {
  const Ran mixed(loop(
      "ld a2, 0(sp)\n vle32.v v8, (sp)\n vfmul.vv v9, v8, v8\n vse32.v v9, (sp)\n divu a3, a2, a1\n", 50));
  EXPECT_EQ(last(together({{&mixed}})), mixed.alone());
}

// Loops of random instructions that take everything that threads share: slots, pipes, ports, the divider.
std::string random_program(Random& random) {
  constexpr std::string_view lines[] = {"add a2, a3, a3\n",
                                        "mul a3, a2, a1\n",
                                        "divu a4, a1, a1\n",
                                        "ld a2, 0(sp)\n",
                                        "sd a2, 8(sp)\n",
                                        "fadd.d fa0, fa1, fa0\n",
                                        "vle32.v v8, (sp)\n",
                                        "vse32.v v12, (sp)\n",
                                        "vfmul.vv v12, v8, v8\n",
                                        "vfadd.vv v16, v12, v8\n",
                                        "vfdiv.vv v20, v8, v8\n",
                                        "vmv.x.s a5, v16\n",
                                        "vredsum.vs v24, v8, v12\n",
                                        "vlse32.v v28, (sp), a6\n",
                                        "vsetvli t0, a1, e32, m2, ta, ma\n",
                                        "vsetvli t0, a1, e32, m1, ta, ma\n",
                                        "beqz a1, loop\n",
                                        "fence\n",
                                        "li a6, 4\n"};
  std::string body;
  for (std::uint64_t i = 2 + random.below(20); i != 0; --i)
    for (std::uint64_t again = 1 + random.below(3); again != 0; --again)
      body += lines[random.below(std::size(lines))];
  return "li a6, 4\n" + loop(body, static_cast<int>(1 + random.below(40)));
}

TEST(Joint, RandomProgramsOfOneToFourThreadsTakeTheCyclesOfTheDefinition) {
  Random random(11);
  std::deque<Ran> programs;
  for (int i = 0; i < 12; ++i) programs.emplace_back(random_program(random));
  for (unsigned round = 0; round < 60; ++round) {
    machine::Node node = d1();
    if (round % 3 == 1) node.decode_threads = 1 + random.below(4), node.vector_queue = 1 + random.below(8);
    std::vector<Started> threads;
    for (unsigned t = 0; t <= round % 4; ++t)
      threads.push_back({&programs[random.below(programs.size())], static_cast<Cycle>(random.below(300))});
    JointTiming timing(node, static_cast<unsigned>(threads.size()), JointTiming::Places::ops,
                       round % 5 == 0 ? 20 : 100'000);
    const Ended expected = by_definition(threads, node);
    ASSERT_EQ(together(timing, threads), expected) << round;
    ASSERT_EQ(together(timing, threads), expected) << round << ", remembered";
  }
}

TEST(Joint, ARepeatingNodeIsRemembered) {
  const Ran first(loop("mul a2, a1, a1\n vfadd.vv v8, v2, v3\n", 3000)),
      second(loop("vfdiv.vv v8, v2, v3\n ld a2, 0(sp)\n", 1000));
  JointTiming timing(d1(), 2);
  const Ended ended = together(timing, {{&first}, {&second}});
  EXPECT_GT(last(ended), 10'000);
  EXPECT_LT(timing.situations(), 1000u);
}

TEST(Joint, ABoundPipeIsShared) {
  // Eight SIMD cycles per round: the pipe is the bound, and two threads need it twice as long.
  std::string body;
  for (int i = 0; i < 8; ++i) body += "vfadd.vv v" + std::to_string(8 + i) + ", v2, v3\n";
  const Ran simd(loop(body, 200));
  const Cycle both = last(together({{&simd}, {&simd}}));
  EXPECT_GE(both, 2 * 8 * 200);
  EXPECT_LE(both, 2 * 8 * 200 + 40);
  EXPECT_LE(simd.alone(), 8 * 200 + 40);
}

TEST(Joint, LatencyOfOneThreadHidesBehindAnother) {
  const Ran chain(loop("ld a2, 0(sp)\n add a2, a2, a2\n ld a3, 8(sp)\n add a3, a3, a2\n", 300));
  EXPECT_LE(last(together({{&chain}, {&chain}, {&chain}, {&chain}})), chain.alone() * 5 / 4)
      << "mostly waiting, so four fit beside one another";
}

TEST(Joint, TwoThreadsAreDecodedInACycle) {
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

TEST(Joint, AFinishedThreadLeavesAnIdleNodeThatLetsTimePass) {
  const Ran one(loop("add a2, a1, a1\n", 10));
  JointTiming timing(d1(), 2);
  JointTimer timer(timing);
  EXPECT_FALSE(timer.next());
  timer.advance(1000);
  timer.start(1);
  EXPECT_EQ(timer.wants(), 1u);
  timer.feed(1, timing.stretch(one.recording.blocks.front(), false, 0));
  timer.finish(1);
  EXPECT_EQ(timer.advance(*timer.next()), 2u);
  EXPECT_FALSE(timer.running(1));
  EXPECT_GT(timer.now(), 1000);
  EXPECT_FALSE(timer.next());
}

}  // namespace
}  // namespace dojo::node
