// The definition of the mesh's timing: every flit, every cycle, slowly.
//
// A flit is network_port_bytes. In each cycle a source port reads one flit of its oldest message, a link
// passes on up to link_bytes_per_cycle / network_port_bytes flits, and a destination port writes one. A port
// or link serves packets in the order in which their heads came to it (ties: the one sent first), and turns
// to a younger packet within a cycle only if the older have no flit there. A flit that a source port reads is
// at the router one cycle later; one that a link takes is at the next router hop_cycles later. Buffers have
// no limit. Nodes only: interface processors are held to closed forms instead.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fabric/event_queue.h"
#include "fabric/topology.h"

namespace dojo::fabric {

struct Injection {
  Cycle cycle = 0;
  unsigned source = 0, destination = 0;  // logical nodes
  std::uint64_t bytes = 0;
};

// The cycle at which the last byte of each message is visible. Messages of equal cycles are sent in the order
// given.
std::vector<Cycle> reference_deliveries(const machine::Machine& machine, const Topology& topology,
                                        std::span<const Injection> injections);

}  // namespace dojo::fabric
