// One forward pass of a network on the emulated machine: compiled, loaded with its parameters, launched once.
#pragma once

#include "codegen/compile.h"
#include "machine/machine.h"

namespace dojo::runtime {

// Results by tensor name, [batch][elements of a sample] or one value. `samples`: the inputs by name, whole.
// Throws UserError if the network does not compile; a launch that does not finish says so in `stranded`.
struct ForwardRun {
  lowering::Tensors results;
  std::string stranded;
};
ForwardRun run_forward(const graph::Graph& graph, const lowering::Tensors& samples,
                       const machine::Machine& machine, lowering::FormatChoice formats);

}  // namespace dojo::runtime
