// Lowering for what no node's SRAM holds: every tensor has its home in HBM, whole, and op after op its box is
// cut into tiles, which the nodes share (docs/notes/014).
//
// Outline:
//   1. inputs and labels are copied from their records to their homes;
//   2. each op becomes tiles (tile_plan.h). A tile fetches the boxes of its operands that its part of the box
//      reads, computes on these alone, and stores its box of the result; then all nodes wait for each other.
//      A long chain goes in turns within a tile, or in parts on different nodes, whose results a second op
//      reduces in their order;
//   3. new values are written over the old ones where nothing reads these any more, else copied at the end.
// It needs no batch, and knows samples only where an op reduces over them.
#pragma once

#include "lowering/lower.h"
#include "lowering/tile_plan.h"

namespace dojo::lowering {

// `graph` has its formats assigned. Throws UserError naming op or tensor.
Lowered lower_in_boxes(const graph::Graph& graph, const TileLimits& limits);

}  // namespace dojo::lowering
