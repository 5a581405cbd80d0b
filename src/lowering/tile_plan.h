// How an op on tensors of any size is cut into tiles of its box, so that one node can do a tile with what its
// SRAM holds, and all nodes have tiles to do. A pure decision: lower_boxes.cpp turns it into steps.
//
// What each axis allows follows from the maps (docs/notes/014):
//   * `shared`: its pieces write boxes of the output that do not touch and together are all of it: the
//     pieces are done by different nodes;
//   * `in_turns`: the sum over it can go piece by piece: a node adds one piece after the other to an FP32
//   sum;
//   * `whole`: it stays in one piece.
// A chain axis may also be cut into parts that different nodes reduce, each from the identity; the parts'
// results are reduced in their order afterwards.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ir.h"

namespace dojo::lowering {

enum class Cutting : std::uint8_t { whole, shared, in_turns };

std::vector<Cutting> ways_to_cut(const graph::StructuredOp& op, const std::vector<graph::Tensor>& tensors);

// A range of one dimension of a tensor: what a tile of the box reads or writes there. It begins at `low`
// plus, for every axis, coefficient * the first point of the tile along it.
struct BoxRange {
  std::int64_t low = 0, extent = 1;
  std::vector<std::int64_t> coefficients;  // by axis; 0 for what does not move it
};
using BoxImage = std::vector<BoxRange>;  // by dimension

// `size`: of the tile, by axis of the box. Of an operand: the image of the tile under its map, but the whole
// dimension where the index is computed.
BoxImage image_read(const graph::StructuredOp& op, const graph::Access& access,
                    const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& size);
// Of the output: the elements that are this tile's; the whole dimension where no cut axis reaches it.
BoxImage image_written(const graph::StructuredOp& op, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& size);
std::int64_t elements(const BoxImage& image);

struct TilePlan {
  std::vector<Cutting> ways;       // by axis
  std::vector<std::int64_t> size;  // by axis: points of one tile (and turn)
  int parted = -1;                 // a chain axis whose parts different nodes reduce
  std::int64_t part = 0;           // points of it in a part, a multiple of its size
  bool in_turns = false;           // some axis is done in more than one turn within a tile (or part)
  bool ahead = false;              // operands are fetched while what comes before them is computed

  std::int64_t turns_of(const graph::StructuredOp& op, std::size_t axis) const;  // pieces within a part
  std::int64_t parts(const graph::StructuredOp& op) const;                       // 1 without a parted axis
};

struct TileLimits {
  unsigned nodes = 1;
  std::int64_t bytes = 0;              // of one tile's operands and results
  double hbm_bytes_per_cycle = 400.0;  // of all interfaces together
};

// Throws UserError naming the op where even the smallest tile does not fit.
TilePlan plan_tiles(const graph::StructuredOp& op, const std::vector<graph::Tensor>& tensors,
                    const TileLimits& limits);

}  // namespace dojo::lowering
