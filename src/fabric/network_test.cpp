#include "fabric/network.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "fabric/mesh_reference.h"

namespace dojo::fabric {
namespace {

struct Sent {
  Cycle cycle;
  Endpoint source, destination;
  std::uint64_t bytes;
  bool request = false;
};

// When each message is delivered by the fast model.
std::vector<Cycle> deliveries(const machine::Machine& machine, const std::vector<Sent>& sent) {
  const Topology topology(machine);
  EventQueue queue;
  Network network(machine, topology, queue);
  for (std::uint32_t i = 0; i < sent.size(); ++i) queue.schedule(sent[i].cycle, {i, 0, i});
  std::vector<Cycle> delivered(sent.size(), 0);
  Cycle now = 0;
  for (auto batch = queue.take(now); !batch.empty(); batch = queue.take(now))
    for (const Event& event : batch) {
      const Sent& message = sent[event.kind == 0 ? event.item : 0];
      if (event.kind == Network::packet_event) network.handle(now, event);
      if (event.kind == Network::delivery_event) delivered[event.item] = now;
      if (event.kind == 0 && message.request)
        network.send_request(now, message.source, message.destination, event.item);
      if (event.kind == 0 && !message.request)
        network.send(now, message.source, message.destination, message.bytes, event.item);
    }
  return delivered;
}

std::vector<Injection> as_injections(const std::vector<Sent>& sent) {
  std::vector<Injection> injections;
  for (const Sent& message : sent)
    injections.push_back({message.cycle, message.source, message.destination, message.bytes});
  return injections;
}

machine::Machine small_die(unsigned rows, unsigned columns, std::uint64_t link_bytes) {
  machine::Machine machine = machine::read_machine("d1");
  machine.mesh.rows = rows;
  machine.mesh.columns = columns;
  machine.mesh.disabled.clear();
  machine.mesh.link_bytes_per_cycle = link_bytes;
  machine.interface.count = 1;
  return machine;
}

std::vector<Sent> random_traffic(const machine::Machine& machine, unsigned messages, std::uint64_t within,
                                 std::uint64_t seed) {
  Random random(seed);
  std::vector<Sent> sent;
  for (unsigned i = 0; i < messages; ++i)
    sent.push_back({random.below(within), static_cast<Endpoint>(random.below(machine.enabled_nodes())),
                    static_cast<Endpoint>(random.below(machine.enabled_nodes())), 1 + random.below(5000)});
  std::ranges::sort(sent, {}, &Sent::cycle);
  return sent;
}

TEST(Network, AnUncontendedMessageTakesItsHopsAndItsFlits) {
  const machine::Machine machine = machine::read_machine("d1");
  const Topology topology(machine);
  for (const Endpoint destination : {0u, 1u, 17u, 18u, 100u, 353u})
    for (const std::uint64_t bytes : {0u, 1u, 64u, 65u, 1024u, 1025u, 100'000u}) {
      const std::uint64_t flits = std::max<std::uint64_t>(1, (bytes + 63) / 64);
      const Cycle expected = 7 + 1 + topology.hops(0, destination) * machine.mesh.hop_cycles + flits;
      EXPECT_EQ(deliveries(machine, {{7, 0, destination, bytes}})[0], expected)
          << destination << " " << bytes;
    }
}

TEST(Network, ANeighbourIsOneHopOfOneCycle) {
  const machine::Machine machine = machine::read_machine("d1");
  const auto to_self = deliveries(machine, {{0, 40, 40, 64}});
  const auto to_next = deliveries(machine, {{0, 40, 41, 64}});
  EXPECT_EQ(to_next[0] - to_self[0], 1u);  // 0.5 ns at 2 GHz
  EXPECT_EQ(Topology(machine).hops(0, 353), 19u + 17u);
}

TEST(Network, EqualsTheFlitByFlitMeshOnRandomTrafficWhenLinksAreAsWideAsPorts) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const machine::Machine machine = small_die(3 + seed % 3, 2 + seed % 4, 64);
    const auto sent = random_traffic(machine, 150, 200 + 400 * (seed % 5), seed);
    const auto reference = reference_deliveries(machine, Topology(machine), as_injections(sent));
    EXPECT_EQ(deliveries(machine, sent), reference) << "seed " << seed;
  }
}

// With links four times as wide as ports the fast model lets a whole packet take the link's next free slots,
// the definition interleaves flits. The bound: no message differs by more than the flits of 4 packets, the
// mean by less than a fiftieth.
TEST(Network, StaysNearTheFlitByFlitMeshWhenLinksAreWider) {
  double worst_mean = 0;
  std::uint64_t worst = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const machine::Machine machine = small_die(4, 4, 256);
    const auto sent = random_traffic(machine, 150, 100 + 400 * (seed % 5), seed);
    const auto reference = reference_deliveries(machine, Topology(machine), as_injections(sent));
    const auto fast = deliveries(machine, sent);
    double sum = 0, sum_reference = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const std::uint64_t apart = std::max(fast[i], reference[i]) - std::min(fast[i], reference[i]);
      worst = std::max(worst, apart);
      sum += static_cast<double>(fast[i] - sent[i].cycle);
      sum_reference += static_cast<double>(reference[i] - sent[i].cycle);
    }
    worst_mean = std::max(worst_mean, std::abs(sum / sum_reference - 1));
  }
  RecordProperty("worst", static_cast<int>(worst));
  EXPECT_LE(worst, 4u * 16u);
  EXPECT_LT(worst_mean, 0.02);
}

TEST(Network, ASaturatedLinkCarriesExactlyItsBandwidth) {
  // Both senders' packets cross the link from column 1 to column 2.
  const machine::Machine machine = small_die(1, 3, 64);
  std::vector<Sent> sent;
  for (unsigned i = 0; i < 50; ++i) sent.push_back({0, i % 2, 2, 4096});
  const auto delivered = deliveries(machine, sent);
  // 50 * 64 flits over one link, one a cycle; the first comes out of node 1: port, hop, write.
  EXPECT_EQ(*std::ranges::max_element(delivered), 1u + 1u + 50u * 64u);
}

// V8: the cut through the middle of the die, every node of one half sending to its mirror image in the other.
void check_cut(std::uint64_t link_bytes, double expected_bytes_per_cycle) {
  machine::Machine machine = machine::read_machine("d1");
  machine.mesh.disabled.clear();
  machine.mesh.link_bytes_per_cycle = link_bytes;
  std::vector<Sent> sent;
  const std::uint64_t bytes = 65536;
  std::uint64_t crossing = 0;
  for (unsigned node = 0; node < 360; ++node)
    if (node % 18 < 9) {
      sent.push_back({0, node, node + 9, bytes});
      crossing += bytes;
    }
  const auto delivered = deliveries(machine, sent);
  const double rate =
      static_cast<double>(crossing) / static_cast<double>(*std::ranges::max_element(delivered));
  EXPECT_NEAR(rate / expected_bytes_per_cycle, 1.0, 0.01) << link_bytes;
}

TEST(Network, TheCutThroughTheDieCarriesTwentyLinks) {
  check_cut(64, 20 * 64);    // reading A: 2.56 TB/s at 2 GHz
  check_cut(256, 20 * 256);  // reading B: 10.24 TB/s
}

TEST(Network, MessagesBetweenTheSameTwoPlacesKeepTheirOrder) {
  for (const std::uint64_t link : {64u, 256u}) {
    const machine::Machine machine = small_die(4, 4, link);
    auto sent = random_traffic(machine, 400, 300, 5);
    for (std::size_t i = 0; i < sent.size(); i += 2) {
      sent[i].source = 1;
      sent[i].destination = 14;
    }
    const auto delivered = deliveries(machine, sent);
    for (std::size_t i = 2; i < sent.size(); i += 2)
      EXPECT_GT(delivered[i], delivered[i - 2]) << link << " " << i;
  }
}

TEST(Network, ReadingHbmTakesItsLatencyTheLinkAndTheHops) {
  const machine::Machine machine = machine::read_machine("d1");
  const Topology topology(machine);
  const unsigned node = 5;  // row 0, column 5: served by processor 0 in its own row
  const Endpoint hbm = machine::first_interface;
  ASSERT_EQ(topology.hops(hbm, node), 6u);
  // 250 ns + 100 ns at 2 GHz; edge and five links; one flit written.
  EXPECT_EQ(deliveries(machine, {{0, hbm, node, 64}})[0], 500u + 200u + 6u + 1u);
  // A request: port, six hops, the link; a flit of the link's 450 bytes a cycle takes less than one cycle.
  EXPECT_EQ(deliveries(machine, {{0, node, hbm, 16, true}})[0], 1u + 6u + 200u + 1u);
}

TEST(Network, HbmDeliversItsBandwidthToManyNodes) {
  const machine::Machine machine = machine::read_machine("d1");
  const Topology topology(machine);
  std::vector<Sent> sent;
  std::uint64_t bytes = 0;
  for (unsigned round = 0; round < 64; ++round)
    for (unsigned node = 0; node < 71;
         ++node) {  // rows 0 to 3 without the disabled node: all that processor 0 serves
      sent.push_back({0, machine::first_interface, node, 4096});
      bytes += 4096;
    }
  const auto delivered = deliveries(machine, sent);
  const double rate = static_cast<double>(bytes) / static_cast<double>(*std::ranges::max_element(delivered));
  // Four edge links of 64 B limit before the 400 B a cycle of HBM.
  EXPECT_NEAR(rate, 256 * 71.0 / 72, 5);  // 700 cycles of latency come on top
  machine::Machine wide = machine;
  wide.mesh.link_bytes_per_cycle = 256;
  const auto faster = deliveries(wide, sent);
  EXPECT_NEAR(static_cast<double>(bytes) / static_cast<double>(*std::ranges::max_element(faster)), 400, 12);
}

TEST(EventQueue, HandsOutEventsByCycleAndKeyWhateverTheOrderOfScheduling) {
  EventQueue queue;
  Random random(3);
  std::vector<std::pair<Cycle, std::uint64_t>> expected;
  for (std::uint64_t key = 0; key < 5000; ++key) {
    const Cycle cycle = random.below(key % 3 == 0 ? 100'000 : 900);
    queue.schedule(cycle, {key * 7919 % 5000, 0, static_cast<std::uint32_t>(key)});
    expected.emplace_back(cycle, key * 7919 % 5000);
  }
  std::ranges::sort(expected);
  std::vector<std::pair<Cycle, std::uint64_t>> found;
  Cycle now = 0;
  for (auto batch = queue.take(now); !batch.empty(); batch = queue.take(now)) {
    const Cycle at = now;
    for (const Event& event : batch) found.emplace_back(at, event.key);
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace dojo::fabric
