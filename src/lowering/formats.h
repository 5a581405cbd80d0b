// Which number format each tensor has.
//
// fp32: everything FP32. bf16: activations and their gradients are bf16, and so is the copy of a weight (rank
// >= 2) that is gathered for computing; master parameters, optimizer state, parameter gradients, statistics,
// losses and anything of at most `always_fp32_elements` elements a sample stay FP32. cfloat8: as bf16, except
// that a training step stores what it may of activations and their gradients as CFloat8 (cfloat_storage.h).
// Accumulation is FP32 in any case (graph/ir.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "graph/ir.h"

namespace dojo::lowering {

enum class FormatChoice : std::uint8_t { fp32, bf16, cfloat8 };
FormatChoice format_choice(std::string_view name);  // UserError for anything but "fp32", "bf16", "cfloat8"
std::string_view name(FormatChoice choice);

constexpr std::int64_t always_fp32_elements = 64;

// The graph with formats set. A narrow weight is a copy "NAME.bf16" of its parameter, made by an op, so that
// the graph's own interpreter rounds where the nodes round.
graph::Graph assign_formats(const graph::Graph& graph, FormatChoice choice);

}  // namespace dojo::lowering
