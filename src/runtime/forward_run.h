// One forward pass of a network on the emulated machine: compiled, loaded with its parameters, launched once.
#pragma once

#include "codegen/compile.h"
#include "machine/ledger.h"
#include "machine/machine.h"

namespace dojo::runtime {

// Results by tensor name, [batch][elements of a sample] or one value. `samples`: the inputs by name, whole.
// Throws UserError if the network does not compile; a launch that does not
// finish says so in `stranded`.
struct ForwardRun {
  lowering::Tensors results;
  std::string stranded;
  unsigned nodes = 0;
  std::uint64_t cycles = 0;  // of the pass, parameters in place
  machine::Ledger ledger;    // likewise
};
ForwardRun run_forward(const graph::Graph& graph, const lowering::Tensors& samples,
                       const machine::Machine& machine, const codegen::Options& options);

}  // namespace dojo::runtime
