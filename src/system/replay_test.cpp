#include "system/replay.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace dojo::system {
namespace {

using isa::TransferKind;

TraceRecord put(std::uint64_t cycles, std::uint32_t peer, std::uint64_t bytes,
                std::uint32_t semaphore = no_semaphore) {
  return {cycles, bytes, peer, semaphore, 1, TransferKind::put};
}
TraceRecord get(std::uint64_t cycles, std::uint32_t peer, std::uint64_t bytes,
                std::uint32_t semaphore = no_semaphore) {
  return {cycles, bytes, peer, semaphore, 1, TransferKind::get};
}
TraceRecord signal(std::uint64_t cycles, std::uint32_t peer, std::uint64_t amount, std::uint32_t semaphore) {
  return {cycles, amount, peer, semaphore, 1, TransferKind::signal};
}
TraceRecord wait(std::uint64_t cycles, std::uint64_t amount, std::uint32_t semaphore) {
  return {cycles, amount, 0, semaphore, 1, TransferKind::wait};
}
TraceRecord quiet(std::uint64_t cycles) { return {cycles, 0, 0, no_semaphore, 1, TransferKind::quiet}; }

// One thread on each of nodes 0, 1, 2...; all semaphores end at zero.
Replay run(const std::vector<std::vector<TraceRecord>>& records, std::uint64_t last_cycles = 0) {
  const machine::Machine machine = machine::read_machine("d1");
  std::vector<ThreadTrace> traces;
  for (std::uint32_t node = 0; node < records.size(); ++node)
    traces.push_back({node, records[node], last_cycles, 1});
  return replay(machine, fabric::Topology(machine), traces, [](std::uint32_t, std::uint32_t) { return 0; });
}

TEST(Replay, AWaitEndsWhenThePutArrives) {
  // Sent at 100; port 1, one hop, one flit: visible at 103.
  const Replay result = run({{put(100, 1, 64, 8)}, {wait(10, 1, 8)}}, 5);
  EXPECT_EQ(result.thread_end, (std::vector<std::uint64_t>{105, 108}));
  EXPECT_EQ(result.cycles, 108u);
  // Blocked at 10: 90 cycles until the sender sends, 3 on the way; the sender ends 3 cycles earlier.
  EXPECT_EQ(result.waiting.at(1), (Waiting{3, 90, 3}));
}

TEST(Replay, AWaitThatFindsEnoughTakesNoTime) {
  const Replay result = run({{put(0, 1, 64, 8)}, {wait(1000, 1, 8)}});
  EXPECT_EQ(result.thread_end[1], 1000u);
  EXPECT_EQ(result.waiting.at(1), (Waiting{0, 0, 1000}));
}

TEST(Replay, AWaitForTwoEndsWithTheSecond) {
  const Replay result = run({{put(100, 1, 64, 8)}, {wait(0, 2, 8)}, {put(500, 1, 64, 8)}});
  EXPECT_EQ(result.thread_end[1], 503u);
}

TEST(Replay, ASignalOvertakesNoPut) {
  // 1024 flits leave node 0 one a cycle, the signal behind them.
  const Replay result = run({{put(0, 1, 65536), signal(0, 1, 1, 8)}, {wait(0, 1, 8)}});
  EXPECT_EQ(result.thread_end[1], 1u + 1u + 1024u + 1u);
}

TEST(Replay, AGetIsARequestAndAnAnswer) {
  const Replay result = run({{get(0, 1, 128, 8), wait(0, 1, 8)}, {}});
  EXPECT_EQ(result.thread_end[0], (1u + 1u + 1u) + (1u + 1u + 2u));
}

TEST(Replay, QuietWaitsForEveryAcknowledgement) {
  // Delivered at 1 + 2 + 1 = 4, known two hops later.
  const Replay result = run({{put(0, 2, 64), quiet(0)}, {}, {}}, 7);
  EXPECT_EQ(result.thread_end[0], 4u + 2u + 7u);
  EXPECT_EQ(result.waiting.at(1).network, 6u);
  EXPECT_EQ(run({{put(0, 2, 64), quiet(1000)}, {}, {}}).thread_end[0], 1000u);
  EXPECT_EQ(run({{quiet(3)}}).thread_end[0], 3u);
}

TEST(Replay, AnHbmReadTakesItsLatencies) {
  const machine::Machine machine = machine::read_machine("d1");
  // Node 0 stands beside the edge: one hop. Request 1 + 1 + 200 + 1, answer 500 + 200 + 1 + 1.
  const Replay result = run({{get(0, fabric::interface_endpoint, 64), quiet(0)}});
  EXPECT_EQ(result.thread_end[0], 203u + 702u);
}

TEST(Replay, AThreadThatWaitsForEverEndsWhereItBlocked) {
  // The wait has no record, so the thread just ends; the other thread's time is not lost.
  EXPECT_EQ(run({{put(10, 1, 64, 8)}, {}}, 40).cycles, 50u);
}

TEST(Replay, TheOrderOfTracesInMemoryIsAllThatMatters) {
  // Random neighbour exchanges on the whole die: two replays are equal, and every thread's cycles add up to
  // the launch's.
  const machine::Machine machine = machine::read_machine("d1");
  const fabric::Topology topology(machine);
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
  const auto nothing = [](std::uint32_t, std::uint32_t) { return std::uint64_t{0}; };
  const Replay once = replay(machine, topology, traces, nothing),
               again = replay(machine, topology, traces, nothing);
  EXPECT_EQ(once, again);
  std::uint64_t waited = 0;
  for (const auto& [op, waiting] : once.waiting)
    waited += waiting.network + waiting.synchronisation + waiting.idle;
  EXPECT_EQ(worked + waited, 354 * once.cycles);
}

}  // namespace
}  // namespace dojo::system
