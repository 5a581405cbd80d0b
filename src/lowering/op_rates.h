// About how long a node takes for what a lowered program says: figures that put plans in order, and that tell
// people what to expect. Measured on the emulated D1, of which they leave out all that a step's surroundings
// do to it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ir.h"

namespace dojo::lowering {

// Cycles.
constexpr double start_of_a_kernel = 500;
constexpr double start_of_a_box = 1000;  // of what a tile (or a turn) fetches, and of what it stores
constexpr double row_of_a_box = 8;       // elements that lie next to each other
constexpr double port_bytes_per_cycle = 64;
constexpr double hbm_share = 0.9;  // of the published rate, that is to be had

// Of an op's box with these extents, by axis. `narrow`: the operands have 16 bits or fewer. The matrix unit
// works on tiles of 16 x 16; everything else is vectors.
double points_per_cycle(const graph::StructuredOp& op, const std::vector<std::int64_t>& size, bool narrow);

}  // namespace dojo::lowering
