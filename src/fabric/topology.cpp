#include "fabric/topology.h"

#include <cstdlib>

#include "base/error.h"

namespace dojo::fabric {

namespace {

constexpr unsigned kinds_per_position = 6, kinds_per_row = 2, kinds_per_interface = 3;

// Of the enabled nodes, row by row.
std::vector<unsigned> positions_of(const machine::Mesh& mesh) {
  std::vector<bool> disabled(mesh.rows * mesh.columns);
  for (const std::uint64_t at : mesh.disabled) disabled[at] = true;
  std::vector<unsigned> positions;
  for (unsigned at = 0; at < disabled.size(); ++at)
    if (!disabled[at]) positions.push_back(at);
  return positions;
}

unsigned distance(unsigned a, unsigned b) { return a > b ? a - b : b - a; }

}  // namespace

Topology::Topology(const machine::Machine& machine)
    : rows_(static_cast<unsigned>(machine.mesh.rows)),
      columns_(static_cast<unsigned>(machine.mesh.columns)),
      interfaces_(static_cast<unsigned>(machine.interface.count)),
      positions_(positions_of(machine.mesh)) {
  if (interfaces_ > rows_)
    refuse(machine.name, "has {} interface processors for {} rows", interfaces_, rows_);
  for (unsigned position = 0; position < rows_ * columns_; ++position)
    places_.push_back({position / columns_, position % columns_});
}

unsigned Topology::edge_row(unsigned interface, unsigned node) const {
  const unsigned row = places_[positions_[node]].row;
  const unsigned first = interface * rows_ / interfaces_, last = (interface + 1) * rows_ / interfaces_;
  return row >= first && row < last ? row : first + row % (last - first);
}

unsigned Topology::hops(Endpoint source, Endpoint destination) const {
  if (machine::is_interface(source)) return hops(destination, source);
  const Place from = places_[positions_[source]];
  if (machine::is_interface(destination)) {
    const unsigned row = edge_row(machine::interface_of(destination), source);
    return from.column + distance(from.row, row) + 1;
  }
  const Place to = places_[positions_[destination]];
  return distance(from.column, to.column) + distance(from.row, to.row);
}

unsigned Topology::server_count() const {
  return rows_ * columns_ * kinds_per_position + rows_ * kinds_per_row + interfaces_ * kinds_per_interface;
}

unsigned Topology::server(ServerKind kind, unsigned index) const {
  const unsigned which = static_cast<unsigned>(kind);
  const unsigned row_base = rows_ * columns_ * kinds_per_position;
  if (which < kinds_per_position) return index * kinds_per_position + which;
  if (which < kinds_per_position + kinds_per_row)
    return row_base + index * kinds_per_row + (which - kinds_per_position);
  return row_base + rows_ * kinds_per_row + index * kinds_per_interface +
         (which - kinds_per_position - kinds_per_row);
}

unsigned Topology::step(unsigned& position, unsigned target_position, ServerKind last) const {
  const auto [row, column] = places_[position];
  const auto [to_row, to_column] = places_[target_position];
  const unsigned here = position;
  if (column < to_column) return position += 1, server(ServerKind::east, here);
  if (column > to_column) return position -= 1, server(ServerKind::west, here);
  if (row < to_row) return position += columns_, server(ServerKind::south, here);
  if (row > to_row) return position -= columns_, server(ServerKind::north, here);
  return server(last, last == ServerKind::edge_out ? row : here);
}

}  // namespace dojo::fabric
