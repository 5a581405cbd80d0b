// About how long a node takes for what a lowered program says: figures that put plans in order, and that tell
// people what to expect. Measured on the emulated D1, of which they leave out all that a step's surroundings
// do to it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ir.h"
#include "machine/machine.h"

namespace dojo::lowering {

// Cycles.
constexpr double start_of_a_kernel = 500;
constexpr double start_of_a_box = 1000;  // of what a tile (or a turn) fetches, and of what it stores
constexpr double row_of_a_box = 20;   // elements that lie next to each other: what it takes to ask for them
constexpr double unit_of_hbm = 4096;  // bytes of an array in HBM, with each of which another row begins
constexpr double port_bytes_per_cycle = 64;

// Of a kernel on an op's box with these extents, by axis. `narrow`: the operands have 16 bits or fewer.
double compute_cycles(const graph::StructuredOp& op, const std::vector<std::int64_t>& size, bool narrow);

// What all nodes together get from the HBMs in a cycle: these and the rows' links over the die's edge bound
// it.
double hbm_bytes_per_cycle(const machine::Machine& machine);

}  // namespace dojo::lowering
