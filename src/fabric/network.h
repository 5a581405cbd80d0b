// Moving packets in simulated time: the fast model.
//
// Virtual cut-through with unbounded buffers: a packet's head goes on as soon as the next link is free, its
// tail follows flit by flit. Every port and link serves packets whole, in the order in which their heads
// arrive (ties: the one sent first). Where links are as wide as the network ports this equals the
// flit-by-flit model of mesh_reference.h cycle for cycle; where they are wider, a link carries several
// packets at once and the two agree within the bound that network_test.cpp states.
//
// Uncontended, from the cycle a message of f flits in one packet is sent until its last byte is visible over
// h hops:
//   1 (SRAM port) + h * hop_cycles + f.
#pragma once

#include <cstdint>
#include <vector>

#include "fabric/event_queue.h"
#include "fabric/topology.h"

namespace dojo::fabric {

// Bytes of a signal or of a get's request: they occupy one flit.
constexpr std::uint32_t control_bytes = 16;

class Network {
public:
  // Event kinds that the network schedules; the owner of the queue hands `packet_event` back to it. Kinds
  // below are the owner's.
  enum EventKind : std::uint32_t { packet_event = 16, delivery_event = 17 };

  Network(const machine::Machine& machine, const Topology& topology, EventQueue& queue);

  // Sends a message at cycle `now`. When its last byte is visible, a `delivery_event` with item `token`
  // happens. One end is a node. From an interface processor the bytes come out of HBM, with its bandwidth and
  // latency; towards one, they go in.
  void send(Cycle now, Endpoint source, Endpoint destination, std::uint64_t bytes, std::uint32_t token);
  // The same, without touching HBM at the processor's end: a request that is answered.
  void send_request(Cycle now, Endpoint source, Endpoint destination, std::uint32_t token);

  // Handles a `packet_event`.
  void handle(Cycle now, const Event& event);

private:
  static constexpr std::uint64_t ticks = 1024;  // per cycle: rates of links need not divide a cycle
  struct Server {
    std::uint64_t free = 0;        // tick from which it can take another packet
    std::uint32_t flit_ticks = 0;  // per flit
    std::uint32_t delay = 0;       // cycles from here to the next place
  };
  struct Message {
    std::uint64_t flits = 0;     // not yet cut into packets
    std::uint64_t sequence = 0;  // of its next packet
    std::uint32_t token = 0;
    std::uint32_t pace = 0;  // ticks per flit at its source
    std::uint32_t first_server = 0,
                  entry = 0;      // where its packets appear: a router's link, or the processor's link
    std::uint32_t target = 0;     // position of the last router
    std::uint32_t interface = 0;  // processor at either end
    ServerKind last{};            // destination_port or edge_out
    bool request = false;
  };
  struct Packet {
    std::uint64_t head = 0, tail = 0;  // ticks at which its first and last flit are at `server`
    std::uint64_t sequence = 0;
    std::uint32_t server = 0, position = 0;  // position: the router behind `server`
    std::uint32_t flits = 0, message = 0;
    bool first_stop = true, is_last = false;
  };

  void begin(Cycle now, Endpoint source, Endpoint destination, std::uint64_t bytes, std::uint32_t token,
             bool request);
  void enter(std::uint32_t message, std::uint64_t head);
  void finish(std::uint32_t index, std::uint64_t done);
  unsigned next_server(Packet& packet, const Message& message) const;
  void set(ServerKind kind, unsigned count, double bytes_per_cycle, std::uint64_t delay);

  const Topology& topology_;
  EventQueue& queue_;
  std::uint32_t flit_bytes_, packet_flits_;
  std::vector<Server> servers_;
  std::vector<ServerKind> kinds_;  // of servers_
  std::vector<Message> messages_;
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_messages_, free_packets_;
  std::uint64_t sequence_ = std::uint64_t{1} << 40;  // after every key of the owner's
};

}  // namespace dojo::fabric
