#include "runtime/forward_run.h"

#include "runtime/resident_network.h"

namespace dojo::runtime {

ForwardRun run_forward(const graph::Graph& graph, const lowering::Tensors& samples,
                       const machine::Machine& machine, const codegen::Options& options) {
  ResidentNetwork network(machine, codegen::compile(graph, graph, machine, options));
  lowering::Tensors parameters;
  for (const graph::Tensor& tensor : graph.tensors)
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;

  ForwardRun run;
  run.nodes = network.network().nodes;
  run.stranded = network.load(parameters);
  if (!run.stranded.empty()) return run;
  ResidentRun pass = network.run(ResidentNetwork::Program::predict, samples);
  run.results = std::move(pass.results);
  run.stranded = std::move(pass.stranded);
  run.cycles = pass.cycles;
  run.ledger = std::move(pass.ledger);
  return run;
}

}  // namespace dojo::runtime
