#include "fabric/network.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace dojo::fabric {

namespace {

template <typename Thing>
std::uint32_t take_slot(std::vector<Thing>& pool, std::vector<std::uint32_t>& unused) {
  if (unused.empty()) {
    pool.emplace_back();
    return static_cast<std::uint32_t>(pool.size() - 1);
  }
  const std::uint32_t slot = unused.back();
  unused.pop_back();
  pool[slot] = Thing{};
  return slot;
}

std::uint64_t cycles_of(double nanoseconds, const machine::Machine& machine) {
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::llround(nanoseconds * machine.node.clock_ghz)));
}

}  // namespace

Network::Network(const machine::Machine& machine, const Topology& topology, EventQueue& queue)
    : topology_(topology),
      queue_(queue),
      flit_bytes_(static_cast<std::uint32_t>(machine.mesh.network_port_bytes)),
      packet_flits_(static_cast<std::uint32_t>(
          std::max<std::uint64_t>(1, machine.mesh.packet_bytes / machine.mesh.network_port_bytes))),
      servers_(topology.server_count()),
      kinds_(topology.server_count()) {
  const unsigned positions = topology.rows() * topology.columns();
  const double port = static_cast<double>(machine.mesh.network_port_bytes);
  const double link = static_cast<double>(machine.mesh.link_bytes_per_cycle);
  const std::uint64_t hop = std::max<std::uint64_t>(1, machine.mesh.hop_cycles);
  const std::uint64_t link_latency = cycles_of(machine.interface.link_latency_ns, machine);
  const double interface_link = machine.interface.link_gb_per_s / machine.node.clock_ghz;
  const double hbm = machine.interface.hbm_gb_per_s / machine.node.clock_ghz;
  // clang-format off
  set(ServerKind::source_port,      positions,             port,           1);
  set(ServerKind::destination_port, positions,             port,           0);
  set(ServerKind::east,             positions,             link,           hop);
  set(ServerKind::west,             positions,             link,           hop);
  set(ServerKind::north,            positions,             link,           hop);
  set(ServerKind::south,            positions,             link,           hop);
  set(ServerKind::edge_in,          topology.rows(),       link,           hop);
  set(ServerKind::edge_out,         topology.rows(),       link,           hop);
  set(ServerKind::interface_out,    topology.interfaces(), interface_link, link_latency);
  set(ServerKind::interface_in,     topology.interfaces(), interface_link, link_latency);
  set(ServerKind::hbm,              topology.interfaces(), hbm,            cycles_of(machine.interface.hbm_latency_ns, machine));
  // clang-format on
}

void Network::set(ServerKind kind, unsigned count, double bytes_per_cycle, std::uint64_t delay) {
  const double flit_ticks = std::ceil(static_cast<double>(ticks) * flit_bytes_ / bytes_per_cycle);
  for (unsigned i = 0; i < count; ++i) {
    const unsigned index = topology_.server(kind, i);
    servers_[index] = {0, static_cast<std::uint32_t>(flit_ticks), static_cast<std::uint32_t>(delay)};
    kinds_[index] = kind;
  }
}

void Network::send(Cycle now, Endpoint source, Endpoint destination, std::uint64_t bytes,
                   std::uint32_t token) {
  begin(now, source, destination, bytes, token, false);
}

void Network::send_request(Cycle now, Endpoint source, Endpoint destination, std::uint32_t token) {
  begin(now, source, destination, control_bytes, token, true);
}

void Network::begin(Cycle now, Endpoint source, Endpoint destination, std::uint64_t bytes,
                    std::uint32_t token, bool request) {
  DOJO_ENSURE(!(machine::is_interface(source) && machine::is_interface(destination)));
  const std::uint32_t index = take_slot(messages_, free_messages_);
  Message& message = messages_[index];
  message.flits = std::max<std::uint64_t>(1, (bytes + flit_bytes_ - 1) / flit_bytes_);
  message.token = token;
  message.request = request;
  message.sequence = sequence_;
  sequence_ += (message.flits + packet_flits_ - 1) / packet_flits_;

  unsigned source_server = 0;
  if (machine::is_interface(source)) {
    message.interface = machine::interface_of(source);
    const unsigned row = topology_.edge_row(message.interface, destination);
    source_server = topology_.server(ServerKind::hbm, message.interface);
    message.first_server = topology_.server(ServerKind::interface_out, message.interface);
    message.entry = row * topology_.columns();
  } else {
    const unsigned position = topology_.position(source);
    source_server = topology_.server(ServerKind::source_port, position);
    message.entry = position;
  }
  if (machine::is_interface(destination)) {
    message.interface = machine::interface_of(destination);
    message.target = topology_.edge_row(message.interface, source) * topology_.columns();
    message.last = ServerKind::edge_out;
  } else {
    message.target = topology_.position(destination);
    message.last = ServerKind::destination_port;
  }

  Server& server = servers_[source_server];
  const std::uint64_t start = std::max(now * ticks, server.free);
  server.free = start + message.flits * server.flit_ticks;
  message.pace = server.flit_ticks;
  enter(index, start + server.delay * ticks);
}

// The next packet of the message appears where it leaves its source, its head at tick `head`.
void Network::enter(std::uint32_t message_index, std::uint64_t head) {
  const std::uint32_t index = take_slot(packets_, free_packets_);
  Message& message = messages_[message_index];
  Packet& packet = packets_[index];
  packet.message = message_index;
  packet.flits = static_cast<std::uint32_t>(std::min<std::uint64_t>(packet_flits_, message.flits));
  message.flits -= packet.flits;
  packet.is_last = message.flits == 0;
  packet.sequence = message.sequence++;
  packet.head = head;
  packet.tail = head + std::uint64_t{packet.flits - 1} * message.pace;
  packet.position = message.entry;
  packet.server = kinds_[message.first_server] == ServerKind::interface_out
                      ? message.first_server
                      : topology_.step(packet.position, message.target, message.last);
  queue_.schedule(head / ticks, {packet.sequence, packet_event, index});
}

void Network::handle(Cycle, const Event& event) {
  const std::uint32_t index = event.item;
  if (packets_[index].first_stop) {
    packets_[index].first_stop = false;
    const Packet packet = packets_[index];  // a copy: entering another may move the pool
    const Message& message = messages_[packet.message];
    if (!packet.is_last) enter(packet.message, packet.head + std::uint64_t{packet.flits} * message.pace);
  }
  Packet& packet = packets_[index];
  const Message& message = messages_[packet.message];
  Server& server = servers_[packet.server];
  const ServerKind kind = kinds_[packet.server];

  const std::uint64_t start = std::max(packet.head, server.free);
  server.free = start + std::uint64_t{packet.flits} * server.flit_ticks;
  const std::uint64_t last_leaves = std::max(server.free - server.flit_ticks, packet.tail);
  if (kind == ServerKind::destination_port || kind == ServerKind::hbm) {
    server.free = last_leaves + server.flit_ticks;
    return finish(index, server.free);
  }
  packet.head = start + server.delay * ticks;
  packet.tail = last_leaves + server.delay * ticks;
  if (kind == ServerKind::interface_in && message.request)
    return finish(index, packet.tail + server.flit_ticks);
  packet.server = next_server(packet, message);
  queue_.schedule(packet.head / ticks, {packet.sequence, packet_event, index});
}

unsigned Network::next_server(Packet& packet, const Message& message) const {
  switch (kinds_[packet.server]) {
    case ServerKind::interface_out:
      return topology_.server(ServerKind::edge_in, message.entry / topology_.columns());
    case ServerKind::edge_out:
      return topology_.server(ServerKind::interface_in, message.interface);
    case ServerKind::interface_in:
      return topology_.server(ServerKind::hbm, message.interface);
    default:
      return topology_.step(packet.position, message.target, message.last);
  }
}

void Network::finish(std::uint32_t index, std::uint64_t done) {
  const Packet& packet = packets_[index];
  if (packet.is_last) {
    queue_.schedule((done + ticks - 1) / ticks,
                    {packet.sequence, delivery_event, messages_[packet.message].token});
    free_messages_.push_back(packet.message);
  }
  free_packets_.push_back(index);
}

}  // namespace dojo::fabric
