// Where the parameters of a network and what passes between host and nodes lie, in SRAM and in HBM.
#pragma once

#include "graph/ir.h"
#include "lowering/layout.h"
#include "lowering/lower.h"
#include "machine/machine.h"

namespace dojo::codegen {

// Persistent tensors of both programs, which must agree; the same on every node. `graph` has formats
// assigned: what it has beyond `source` is the compiler's own. Throws UserError.
lowering::PersistentLayout lay_out_sram(const lowering::LoweredProgram& train,
                                        const lowering::LoweredProgram& predict, const graph::Graph& graph,
                                        const graph::Graph& source, const machine::Machine& machine);

// Launch block, records, results, parameter images, `home_bytes` for homes. Throws UserError where HBM has no
// room for any data behind them.
lowering::HbmLayout lay_out_hbm(const graph::Graph& train, const graph::Graph& predict,
                                const lowering::Lowered& lowered,
                                const lowering::PersistentLayout& persistent, std::uint64_t home_bytes,
                                const machine::Machine& machine);

}  // namespace dojo::codegen
