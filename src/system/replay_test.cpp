#include "system/replay.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace dojo::system {
namespace {

TraceRecord put(std::uint64_t cycles, std::uint32_t peer, std::uint64_t bytes,
                std::uint32_t semaphore = no_semaphore) {
  return {cycles, bytes, peer, semaphore, 1, Request::put};
}
TraceRecord get(std::uint64_t cycles, std::uint32_t peer, std::uint64_t bytes,
                std::uint32_t semaphore = no_semaphore) {
  return {cycles, bytes, peer, semaphore, 1, Request::get};
}
TraceRecord signal(std::uint64_t cycles, std::uint32_t peer, std::uint64_t amount, std::uint32_t semaphore) {
  return {cycles, amount, peer, semaphore, 1, Request::signal};
}
TraceRecord wait(std::uint64_t cycles, std::uint64_t amount, std::uint32_t semaphore) {
  return {cycles, amount, 0, semaphore, 1, Request::wait};
}
TraceRecord quiet(std::uint64_t cycles) { return {cycles, 0, 0, no_semaphore, 1, Request::quiet}; }

// Threads whose traces are known from the beginning; `after_clock` comes behind what asked for it.
class Traces : public TraceSource {
public:
  explicit Traces(std::vector<ThreadTrace> traces) : traces_(std::move(traces)) {}
  ThreadTrace& trace(std::size_t thread) override { return traces_[thread]; }
  More more(std::size_t thread) override {
    if (held) return More::held;
    if (after_clock.empty() || thread != asked_) return More::ended;
    std::swap(traces_[thread].records, after_clock);
    return More::found;
  }
  void answer(std::size_t thread, std::uint64_t cycle) override {
    asked_ = thread;
    told.push_back(cycle);
  }
  std::uint64_t first_value(std::uint32_t, std::uint32_t) override { return 0; }

  std::vector<TraceRecord> after_clock;
  std::vector<std::uint64_t> told;
  bool held = false;

private:
  std::vector<ThreadTrace> traces_;
  std::size_t asked_ = ~std::size_t{0};
};

// One thread on each of nodes 0, 1, 2...
std::vector<ThreadTrace> on_nodes(const std::vector<std::vector<TraceRecord>>& records,
                                  std::uint64_t last_cycles = 0) {
  std::vector<ThreadTrace> traces;
  for (std::uint32_t node = 0; node < records.size(); ++node)
    traces.push_back({node, records[node], last_cycles, 1, {}});
  return traces;
}

Waiting waiting(std::uint64_t network, std::uint64_t synchronisation, std::uint64_t idle) {
  Waiting cycles;
  cycles.of(machine::Cause::network) = network;
  cycles.of(machine::Cause::synchronisation) = synchronisation;
  cycles.of(machine::Cause::idle) = idle;
  return cycles;
}

Replayed replay(TraceSource& source, std::size_t threads) {
  const machine::Machine machine = machine::read_machine("d1");
  const fabric::Topology topology(machine);
  Replay replay(machine, topology, source, threads, 1, nullptr);
  EXPECT_TRUE(replay.run());
  return replay.result();
}

Replayed run(const std::vector<std::vector<TraceRecord>>& records, std::uint64_t last_cycles = 0) {
  Traces traces(on_nodes(records, last_cycles));
  return replay(traces, records.size());
}

TEST(Replay, AWaitEndsWhenThePutArrives) {
  // Sent at 100; port 1, one hop, one flit: visible at 103.
  const Replayed result = run({{put(100, 1, 64, 8)}, {wait(10, 1, 8)}}, 5);
  EXPECT_EQ(result.thread_end, (std::vector<std::uint64_t>{105, 108}));
  EXPECT_EQ(result.cycles, 108u);
  // Blocked at 10: 90 cycles until the sender sends, 3 on the way; the sender ends 3 cycles earlier.
  EXPECT_EQ(result.waiting.at(1), waiting(3, 90, 3));
}

TEST(Replay, AWaitThatFindsEnoughTakesNoTime) {
  const Replayed result = run({{put(0, 1, 64, 8)}, {wait(1000, 1, 8)}});
  EXPECT_EQ(result.thread_end[1], 1000u);
  EXPECT_EQ(result.waiting.at(1), waiting(0, 0, 1000));
}

TEST(Replay, AWaitForTwoEndsWithTheSecond) {
  const Replayed result = run({{put(100, 1, 64, 8)}, {wait(0, 2, 8)}, {put(500, 1, 64, 8)}});
  EXPECT_EQ(result.thread_end[1], 503u);
}

TEST(Replay, ASignalOvertakesNoPut) {
  // 1024 flits leave node 0 one a cycle, the signal behind them.
  const Replayed result = run({{put(0, 1, 65536), signal(0, 1, 1, 8)}, {wait(0, 1, 8)}});
  EXPECT_EQ(result.thread_end[1], 1u + 1u + 1024u + 1u);
}

TEST(Replay, AGetIsARequestAndAnAnswer) {
  const Replayed result = run({{get(0, 1, 128, 8), wait(0, 1, 8)}, {}});
  EXPECT_EQ(result.thread_end[0], (1u + 1u + 1u) + (1u + 1u + 2u));
}

TEST(Replay, QuietWaitsForEveryAcknowledgement) {
  // Delivered at 1 + 2 + 1 = 4, known two hops later.
  const Replayed result = run({{put(0, 2, 64), quiet(0)}, {}, {}}, 7);
  EXPECT_EQ(result.thread_end[0], 4u + 2u + 7u);
  EXPECT_EQ(result.waiting.at(1).of(machine::Cause::network), 6u);
  EXPECT_EQ(run({{put(0, 2, 64), quiet(1000)}, {}, {}}).thread_end[0], 1000u);
  EXPECT_EQ(run({{quiet(3)}}).thread_end[0], 3u);
}

TEST(Replay, AnHbmReadTakesItsLatencies) {
  const machine::Machine machine = machine::read_machine("d1");
  // Node 0 stands beside the edge: one hop. Request 1 + 1 + 200 + 1, answer 500 + 200 + 1 + 1.
  const Replayed result = run({{get(0, machine::first_interface, 64), quiet(0)}});
  EXPECT_EQ(result.thread_end[0], 203u + 702u);
}

TEST(Replay, AThreadThatWaitsForEverEndsWhereItBlocked) {
  const Replayed result = run({{put(10, 1, 64, 8)}, {wait(30, 2, 8)}}, 40);
  EXPECT_EQ(result.thread_end, (std::vector<std::uint64_t>{50, 30}));
  EXPECT_EQ(result.cycles, 50u);
}

TraceRecord clock(std::uint64_t cycles) { return {cycles, 0, 0, no_semaphore, 1, Request::clock}; }

TEST(Replay, TheClockHoldsWhatWasWaitedFor) {
  // As in the first test, the wait ends at 103; what the thread does then is asked for behind the answer.
  Traces traces(on_nodes({{put(100, 1, 64, 8)}, {wait(10, 1, 8), clock(7)}, {put(300, 1, 64, 16)}}, 5));
  traces.after_clock = {clock(20), wait(1, 1, 16), clock(1)};
  const Replayed result = replay(traces, 3);
  EXPECT_EQ(traces.told, (std::vector<std::uint64_t>{110, 130, 304}));
  EXPECT_EQ(result.thread_end, (std::vector<std::uint64_t>{105, 309, 305}));
}

TEST(Replay, AThreadThatIsHeldLosesNoTime) {
  const machine::Machine machine = machine::read_machine("d1");
  const fabric::Topology topology(machine);
  Traces traces(on_nodes({{put(100, 1, 64, 8)}, {wait(10, 1, 8)}}, 5));
  Replay replay(machine, topology, traces, 2, 1, nullptr);
  traces.held = true;
  EXPECT_FALSE(replay.run());
  EXPECT_FALSE(replay.run());
  traces.held = false;
  EXPECT_TRUE(replay.run());
  EXPECT_EQ(replay.result(), run({{put(100, 1, 64, 8)}, {wait(10, 1, 8)}}, 5));
}

TEST(Replay, TheOrderOfTracesInMemoryIsAllThatMatters) {
  // Random neighbour exchanges on the whole die: two replays are equal, and every thread's cycles add up to
  // the launch's.
  Random random(1);
  std::vector<ThreadTrace> traces(354);
  std::uint64_t worked = 0;
  for (std::uint32_t node = 0; node < 354; ++node) {
    traces[node].node = node;
    for (unsigned step = 0; step < 200; ++step) {
      const std::uint64_t first = random.below(300), second = random.below(300);
      worked += first + second;
      traces[node].records.push_back(put(first, (node + 1) % 354, 1 + random.below(8192), 16));
      traces[node].records.push_back(wait(second, 1, 16));
    }
  }
  Traces first(traces), second(traces);
  const Replayed once = replay(first, 354), again = replay(second, 354);
  EXPECT_EQ(once, again);
  std::uint64_t waited = 0;
  for (const auto& [op, cycles_by_cause] : once.waiting)
    for (const std::uint64_t cycles : cycles_by_cause.value) waited += cycles;
  EXPECT_EQ(worked + waited, 354 * once.cycles);
}

}  // namespace
}  // namespace dojo::system
