// Where everything sits on the die, and the way a packet takes from one place to another.
//
// Routers form a grid; a disabled position keeps its router. A packet goes along its row first, then along
// its column (XY), so two packets from the same source to the same destination take the same way and keep
// their order. Interface processors stand on the west edge: processor d of n serves an equal share of the
// rows, and every row has its own edge link to it. Traffic between a processor and a node crosses the edge in
// the node's own row if the processor serves it, otherwise in the row of its share that the node's row
// selects.
#pragma once

#include <cstdint>
#include <vector>

#include "machine/address.h"
#include "machine/machine.h"

namespace dojo::fabric {

using machine::Endpoint;

// Something that moves flits one after another at a given rate: what packets queue for.
enum class ServerKind : std::uint8_t {
  source_port,       // SRAM to the mesh stop, one per position
  destination_port,  // mesh stop to SRAM, one per position
  east,
  west,
  north,
  south,  // links out of a position
  edge_in,
  edge_out,  // west edge, one each per row
  interface_out,
  interface_in,  // link between die and processor d
  hbm,           // the memory of processor d
};

class Topology {
public:
  explicit Topology(const machine::Machine& machine);

  unsigned nodes() const { return static_cast<unsigned>(positions_.size()); }
  unsigned interfaces() const { return interfaces_; }
  unsigned rows() const { return rows_; }
  unsigned columns() const { return columns_; }
  bool valid(Endpoint endpoint) const {
    return machine::is_interface(endpoint) ? machine::interface_of(endpoint) < interfaces_
                                           : endpoint < nodes();
  }

  // Row * columns + column of a logical node.
  unsigned position(unsigned node) const { return positions_[node]; }
  // The row in which traffic between this processor and this node crosses the west edge.
  unsigned edge_row(unsigned interface, unsigned node) const;

  // Links crossed between two endpoints, edge links included.
  unsigned hops(Endpoint source, Endpoint destination) const;

  unsigned server_count() const;
  // `index` is a position, a row or a processor, as the kind asks.
  unsigned server(ServerKind kind, unsigned index) const;

  // The next server after leaving the router at `position` towards `destination`; `position` becomes the
  // router it leads to. The way ends with a destination_port or an edge_out.
  unsigned step(unsigned& position, unsigned target_position, ServerKind last) const;

private:
  struct Place {
    unsigned row, column;
  };
  unsigned rows_, columns_, interfaces_;
  std::vector<unsigned> positions_;
  std::vector<Place> places_;  // by position
};

}  // namespace dojo::fabric
