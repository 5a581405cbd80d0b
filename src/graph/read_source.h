// Where a value comes from that an op only copied or concatenated.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "graph/ir.h"

namespace dojo::graph {

// Whether an index of the access has the axis in it.
bool is_along(const Access& access, std::size_t axis);

// A read of what `maker` computes, over a box, as a read of the input whose values these are: of a copy, or
// of a concatenation if one part alone lies there. Nothing if the op does more, or the read may lie outside.
std::optional<Access> source_of(const Graph& graph, const StructuredOp& maker, const Access& read,
                                const std::vector<Axis>& box);

}  // namespace dojo::graph
