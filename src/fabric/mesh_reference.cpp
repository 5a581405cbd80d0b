#include "fabric/mesh_reference.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>

#include "base/error.h"

namespace dojo::fabric {

namespace {

struct FlitPacket {
  std::size_t message = 0;
  std::uint64_t flits = 0;
  bool last_of_message = false;
  std::vector<unsigned> way;  // servers, source port first
};

// A packet at a server: when its flits come, and how many have gone on.
struct Visit {
  std::size_t packet = 0, stage = 0;
  std::deque<Cycle> present_from;  // of the flits still here
  std::uint64_t passed = 0;
};

class FlitMesh {
public:
  FlitMesh(const machine::Machine& machine, const Topology& topology, std::span<const Injection> injections)
      : machine_(machine), topology_(topology), injections_(injections), delivered_(injections.size(), 0) {
    wide_ = machine.mesh.link_bytes_per_cycle / machine.mesh.network_port_bytes;
    DOJO_ENSURE(wide_ >= 1 && wide_ * machine.mesh.network_port_bytes == machine.mesh.link_bytes_per_cycle);
    std::vector<std::size_t> order(injections.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(injections_[i].cycle, i); });
    for (const std::size_t message : order) cut(message);
  }

  std::vector<Cycle> run() {
    for (Cycle now = 0; undelivered_ > 0; ++now)
      for (auto& [server, visits] : servers_) serve(server, visits, now);
    return delivered_;
  }

private:
  void cut(std::size_t message) {
    const Injection& injection = injections_[message];
    const std::uint64_t flit_bytes = machine_.mesh.network_port_bytes;
    const std::uint64_t largest = machine_.mesh.packet_bytes / flit_bytes;
    std::uint64_t flits = std::max<std::uint64_t>(1, (injection.bytes + flit_bytes - 1) / flit_bytes);
    while (flits > 0) {
      FlitPacket packet;
      packet.message = message;
      packet.flits = std::min(flits, largest);
      flits -= packet.flits;
      packet.last_of_message = flits == 0;
      packet.way = way(injection.source, injection.destination);
      Visit visit{packets_.size(), 0, std::deque<Cycle>(packet.flits, injection.cycle), 0};
      servers_[packet.way[0]].push_back(std::move(visit));
      packets_.push_back(std::move(packet));
    }
    ++undelivered_;
  }

  std::vector<unsigned> way(unsigned source, unsigned destination) const {
    unsigned position = topology_.position(source);
    const unsigned target = topology_.position(destination);
    std::vector<unsigned> servers{topology_.server(ServerKind::source_port, position)};
    do servers.push_back(topology_.step(position, target, ServerKind::destination_port));
    while (servers.back() != topology_.server(ServerKind::destination_port, target));
    return servers;
  }

  void serve(unsigned, std::vector<Visit>& visits, Cycle now) {
    if (visits.empty()) return;
    const FlitPacket& any = packets_[visits.front().packet];
    const bool is_port = visits.front().stage == 0 || visits.front().stage + 1 == any.way.size();
    std::uint64_t budget = is_port ? 1 : wide_;
    for (std::size_t i = 0; i < visits.size() && budget > 0; ++i)
      while (budget > 0 && !visits[i].present_from.empty() && visits[i].present_from.front() <= now) {
        pass(visits[i], now);
        --budget;
      }
    std::erase_if(visits, [&](const Visit& visit) { return visit.passed == packets_[visit.packet].flits; });
  }

  void pass(Visit& visit, Cycle now) {
    const FlitPacket& packet = packets_[visit.packet];
    visit.present_from.pop_front();
    ++visit.passed;
    if (visit.stage + 1 == packet.way.size()) {
      if (visit.passed < packet.flits || !packet.last_of_message) return;
      delivered_[packet.message] = now + 1;
      --undelivered_;
      return;
    }
    const Cycle arrival = now + (visit.stage == 0 ? 1 : machine_.mesh.hop_cycles);
    arrive(visit.packet, visit.stage + 1, arrival);
  }

  // Flits join their packet's visit; a head opens one, behind all heads that came earlier, or as early but of
  // older packets.
  void arrive(std::size_t packet, std::size_t stage, Cycle arrival) {
    std::vector<Visit>& visits = servers_[packets_[packet].way[stage]];
    for (Visit& visit : visits)
      if (visit.packet == packet && visit.stage == stage) {
        visit.present_from.push_back(arrival);
        return;
      }
    heads_[{packet, stage}] = arrival;
    const auto place = std::ranges::find_if(visits, [&](const Visit& other) {
      return std::pair(heads_[{other.packet, other.stage}], other.packet) > std::pair(arrival, packet);
    });
    visits.insert(place, Visit{packet, stage, std::deque<Cycle>{arrival}, 0});
  }

  const machine::Machine& machine_;
  const Topology& topology_;
  std::span<const Injection> injections_;
  std::vector<Cycle> delivered_;
  std::vector<FlitPacket> packets_;                 // in the order sent
  std::map<unsigned, std::vector<Visit>> servers_;  // visits in the order in which heads came
  std::map<std::pair<std::size_t, std::size_t>, Cycle> heads_;
  std::uint64_t wide_ = 1;
  std::size_t undelivered_ = 0;
};

}  // namespace

std::vector<Cycle> reference_deliveries(const machine::Machine& machine, const Topology& topology,
                                        std::span<const Injection> injections) {
  return FlitMesh(machine, topology, injections).run();
}

}  // namespace dojo::fabric
