// Do threads of one node share it as the definition says, and does looking ahead change nothing?
#include "node/joint.h"

#include <gtest/gtest.h>

#include "node/assembly_for_test.h"
#include "node/core.h"

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

// When each of the threads, all started at once, has stopped.
std::vector<Cycle> together(const std::vector<const Ran*>& threads, const machine::Node& node = d1()) {
  JointTimer timer(node, static_cast<unsigned>(threads.size()));
  for (unsigned t = 0; t < threads.size(); ++t) timer.start(t, threads[t]->recording);
  std::vector<Cycle> ends(threads.size());
  while (const auto stop = timer.next_stop()) {
    timer.advance(*stop);
    for (unsigned t = 0; t < threads.size(); ++t)
      if (ends[t] == 0 && !timer.running(t)) ends[t] = *stop;
  }
  for (unsigned t = 0; t < threads.size(); ++t)
    EXPECT_EQ(static_cast<Cycle>(timer.counts(t).cycles()), ends[t])
        << "every cycle of a thread has one cause";
  return ends;
}

TEST(Joint, AThreadAloneTakesItsOwnTime) {
  const Ran mixed(loop(
      "ld a2, 0(sp)\n vle32.v v8, (sp)\n vfmul.vv v9, v8, v8\n vse32.v v9, (sp)\n divu a3, a2, a1\n", 50));
  EXPECT_EQ(together({&mixed}).front(), mixed.alone());
}

TEST(Joint, ABoundPipeIsShared) {
  // Eight SIMD cycles per round: the pipe is the bound, and two threads need it twice as long.
  std::string body;
  for (int i = 0; i < 8; ++i) body += "vfadd.vv v" + std::to_string(8 + i) + ", v2, v3\n";
  const Ran simd(loop(body, 200));
  const auto ends = together({&simd, &simd});
  const Cycle last = std::max(ends[0], ends[1]);
  EXPECT_GE(last, 2 * 8 * 200);
  EXPECT_LE(last, 2 * 8 * 200 + 40);
  EXPECT_LE(simd.alone(), 8 * 200 + 40);
}

TEST(Joint, LatencyOfOneThreadHidesBehindAnother) {
  const Ran chain(loop("ld a2, 0(sp)\n add a2, a2, a2\n ld a3, 8(sp)\n add a3, a3, a2\n", 300));
  const auto ends = together({&chain, &chain, &chain, &chain});
  for (const Cycle end : ends)
    EXPECT_LE(end, chain.alone() * 5 / 4) << "mostly waiting, so four fit beside one another";
}

TEST(Joint, TwoThreadsAreDecodedInACycle) {
  std::string body;
  for (int i = 0; i < 60; ++i) body += "add a2, a2, a1\n";  // one a cycle for each thread
  const Ran chain(loop(body, 50));
  machine::Node node = d1();
  node.alus = 4;
  const auto two = together({&chain, &chain}, node);
  EXPECT_LE(*std::max_element(two.begin(), two.end()), chain.alone() + 20);
  const auto four = together({&chain, &chain, &chain, &chain}, node);
  EXPECT_GE(*std::max_element(four.begin(), four.end()), 2 * 60 * 50);
  node.decode_threads = 4;
  const auto wide = together({&chain, &chain, &chain, &chain}, node);
  EXPECT_LE(*std::max_element(wide.begin(), wide.end()), chain.alone() + 60);
}

TEST(Joint, LookingAheadChangesNothing) {
  const Ran first(loop("mul a2, a1, a1\n vfadd.vv v8, v2, v3\n", 100)),
      second(loop("vfdiv.vv v8, v2, v3\n ld a2, 0(sp)\n", 20));
  const auto run = [&](bool peek) {
    JointTimer timer(d1(), 2);
    timer.start(0, first.recording);
    if (peek) timer.next_stop();
    timer.advance(37);
    timer.start(1, second.recording);
    std::vector<Cycle> stops;
    while (const auto stop = timer.next_stop()) {
      if (peek && timer.now() + 5 < *stop) {
        timer.advance(timer.now() + 5);
        continue;
      }
      timer.advance(*stop);
      stops.push_back(*stop);
    }
    return stops;
  };
  const auto plain = run(false);
  ASSERT_EQ(plain.size(), 2u);
  EXPECT_EQ(run(true), plain);
}

TEST(Joint, AnIdleNodeLetsTimePass) {
  const Ran one(loop("add a2, a1, a1\n", 10));
  JointTimer timer(d1(), 2);
  EXPECT_FALSE(timer.next_stop());
  timer.advance(1000);
  timer.start(1, one.recording);
  EXPECT_EQ(timer.next_stop(), 1000 + one.alone());
}

}  // namespace
}  // namespace dojo::node
