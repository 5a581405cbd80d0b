#include "codegen/compile.h"

#include "base/error.h"
#include "base/sha256.h"
#include "codegen/fit.h"
#include "codegen/node_layout.h"
#include "codegen/plan_file.h"
#include "codegen/planned_text.h"
#include "lowering/lower.h"
#include "toolchain/disassembly.h"
#include "toolchain/toolchain.h"

namespace dojo::codegen {
namespace {

std::int64_t batch_of(const graph::Graph& graph) {
  for (const graph::Tensor& tensor : graph.tensors) {
    if (tensor.has_batch) return tensor.shape[0];
  }
  refuse(graph.name, "has no input with a batch");
}

// How many nodes are to run the programs.
unsigned check_request(const graph::Graph& train_step, const graph::Graph& predict,
                       const machine::Machine& machine, const Options& options) {
  check_machine(machine);
  if (options.nodes > machine.enabled_nodes())
    refuse("nodes", "{} wanted where '{}' has {}", options.nodes, machine.name, machine.enabled_nodes());
  if (batch_of(train_step) != batch_of(predict))
    refuse(predict.name, "has another batch than the training step");
  return options.nodes == 0 ? machine.enabled_nodes() : options.nodes;
}

CompiledProgram program_of(std::string name, BuiltProgram built) {
  CompiledProgram program;
  program.name = std::move(name);
  program.source = std::move(built.source);
  program.elf = std::move(built.elf);
  program.image_end = built.image_end;
  return program;
}

CompiledProgram program_of(std::string name, BuiltProgram built, const PlannedProgram& planned,
                           std::string plan) {
  CompiledProgram program = program_of(std::move(name), std::move(built));
  program.lowered = *planned.lowered;
  program.plan = std::move(plan);
  program.scratch_bytes = planned.memory.peak_bytes;
  return program;
}

std::string hash_of(const CompiledNetwork& network) {
  Sha256 hash;
  for (const CompiledProgram* program : {&network.train, &network.predict, &network.load, &network.store}) {
    hash.add(std::as_bytes(std::span(program->plan)));
    hash.add(program->elf);
  }
  return hash.hex();
}

std::string source_of(const BuiltProgram& program) { return program.source; }
std::string code_of(const BuiltProgram& program) {
  return toolchain::disassembly(toolchain::read_elf(program.elf, "the compiler's own"));
}

// What a pass made of both programs.
struct Shown {
  const StageSink& stages;

  template <typename Made, typename TextOf>
  void operator()(std::string_view name, std::string_view ending, const Made& train, const Made& predict,
                  TextOf text_of) const {
    stages.show("train", name, ending, [&] { return text_of(train); });
    stages.show("predict", name, ending, [&] { return text_of(predict); });
  }
};

}  // namespace

// The kernels count on as many elements in a register as the compiler's flags say.
void check_machine(const machine::Machine& machine) {
  const unsigned vlen_bits = toolchain::BuildOptions{}.vlen_bits;
  if (machine.node.vlen_bits != vlen_bits)
    refuse(machine.name, "'node.vlen_bits' is {}; networks are compiled for {} only", machine.node.vlen_bits,
           vlen_bits);
}

CompiledNetwork compile(const graph::Graph& train_step, const graph::Graph& predict,
                        const machine::Machine& machine, const Options& options) {
  const Shown show{options.stages};
  const auto words = [](const auto& made) { return to_text(made); };
  const unsigned nodes = check_request(train_step, predict, machine, options);

  const graph::Graph train_graph = assign_formats(train_step, options.formats);
  const graph::Graph predict_graph = assign_formats(predict, options.formats);
  show("formats", "txt", train_graph, predict_graph, words);

  lowering::Lowered train = lowering::lower(train_graph, nodes);
  lowering::Lowered inference = lowering::lower(predict_graph, nodes);
  show("lowered", "txt", train.program, inference.program, words);

  const lowering::PersistentLayout persistent =
      lay_out_sram(train.program, inference.program, train_graph, train_step, machine);
  const lowering::HbmLayout hbm = lay_out_hbm(train_graph, predict_graph, train, persistent, machine);
  FittedPrograms fitted = fit(train.program, inference.program, persistent, hbm, machine);
  show("kernels", "txt", fitted.train_plan, fitted.predict_plan, kernels_text);
  show("sram", "txt", fitted.train_plan, fitted.predict_plan,
       [&](const PlannedProgram& planned) { return sram_text(planned, persistent); });
  show("source", "cpp", fitted.train, fitted.predict, source_of);
  show("code", "s", fitted.train, fitted.predict, code_of);

  const PlanHeader header{train_step.name, machine.name, std::string(name(options.formats))};
  const auto plan_of = [&](const PlannedProgram& planned, const BuiltProgram& built) {
    return plan_json(header, planned, persistent, hbm, machine.node.program_base, built.image_end);
  };
  std::string train_plan = plan_of(fitted.train_plan, fitted.train);
  std::string predict_plan = plan_of(fitted.predict_plan, fitted.predict);
  show("plan", "json", train_plan, predict_plan, [](const std::string& plan) { return plan; });

  CompiledNetwork network;
  network.nodes = nodes;
  network.batch = train.program.batch;
  network.samples_per_node = train.program.samples_per_node;
  network.hbm = hbm;
  network.persistent = persistent;
  network.train = program_of("train", std::move(fitted.train), fitted.train_plan, std::move(train_plan));
  network.predict =
      program_of("predict", std::move(fitted.predict), fitted.predict_plan, std::move(predict_plan));
  network.load = program_of("load", std::move(fitted.load));
  network.store = program_of("store", std::move(fitted.store));
  network.sha256 = hash_of(network);
  return network;
}

}  // namespace dojo::codegen
