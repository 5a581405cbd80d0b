#include "codegen/compile.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/error.h"
#include "base/sha256.h"
#include "codegen/account.h"
#include "codegen/fit.h"
#include "codegen/homes.h"
#include "codegen/memory.h"
#include "codegen/node_layout.h"
#include "codegen/plan_file.h"
#include "codegen/planned_text.h"
#include "lowering/lower.h"
#include "lowering/lower_boxes.h"
#include "lowering/op_rates.h"
#include "toolchain/disassembly.h"
#include "toolchain/toolchain.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t most_parts = 6;  // of SRAM, one of which is for a tile

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
                           std::string plan, const machine::Machine& machine) {
  CompiledProgram program = program_of(std::move(name), std::move(built));
  program.account = account_of(planned, machine);
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

// What is compiled, formats assigned, and for what.
struct Source {
  const graph::Graph &train, &predict, &step;  // the step as it was given
  const machine::Machine& machine;
  unsigned nodes;
};

struct LoweredPrograms {
  lowering::Lowered train, predict;
  lowering::PersistentLayout persistent;
  lowering::HbmLayout hbm;
};

LoweredPrograms lay_out(const Source& source, lowering::Lowered train, lowering::Lowered predict) {
  LoweredPrograms lowered{std::move(train), std::move(predict), {}, {}};
  const auto interfaces = static_cast<unsigned>(source.machine.interface.count);
  lowered.persistent =
      lay_out_sram(lowered.train.program, lowered.predict.program, source.train, source.step, source.machine);
  const std::uint64_t homes = std::max(bytes_of_homes(lowered.train.program, interfaces),
                                       bytes_of_homes(lowered.predict.program, interfaces));
  lowered.hbm =
      lay_out_hbm(source.train, source.predict, lowered.train, lowered.persistent, homes, source.machine);
  return lowered;
}

// How large the image is turns out when it is built; tiles begin with what a guess of it leaves, and become
// smaller while the programs do not fit.
FittedPrograms fit_tiles(const Source& source, LoweredPrograms& lowered) {
  const auto room = static_cast<std::int64_t>(source.machine.node.sram_bytes - stack_bytes);
  lowering::TileLimits limits{source.nodes, 0, lowering::hbm_bytes_per_cycle(source.machine)};
  for (std::int64_t parts = 2;; ++parts) {
    limits.bytes = room / parts;
    lowered = lay_out(source, lowering::lower_in_boxes(source.train, limits),
                      lowering::lower_in_boxes(source.predict, limits));
    const auto& [train, predict, persistent, hbm] = lowered;
    if (parts == most_parts) return fit(train.program, predict.program, persistent, hbm, source.machine);
    auto fitted = try_to_fit(train.program, predict.program, persistent, hbm, source.machine);
    if (auto* programs = std::get_if<FittedPrograms>(&fitted)) return std::move(*programs);
  }
}

void lower_samples(const Source& source, LoweredPrograms& lowered) {
  lowered = lay_out(source, lowering::lower(source.train, source.nodes),
                    lowering::lower(source.predict, source.nodes));
}

using Fitted = std::variant<FittedPrograms, UserError>;

// What `fit` gives, or why it refuses.
template <typename Fit>
Fitted tried(Fit fit) {
  try {
    return fit();
  } catch (const UserError& refused) {
    return refused;
  }
}

Fitted try_samples(const Source& source, LoweredPrograms& lowered) {
  return tried([&]() -> Fitted {
    lower_samples(source, lowered);
    return try_to_fit(lowered.train.program, lowered.predict.program, lowered.persistent, lowered.hbm,
                      source.machine);
  });
}

struct Way {
  Spread spread;
  FittedPrograms programs;
  std::optional<UserError> not_samples = std::nullopt;
};

// Where neither way will do, the refusal is that of samples, which says what would help.
Way fit_some_way(const Source& source, Spread wanted, LoweredPrograms& lowered) {
  std::optional<UserError> not_samples;
  if (wanted == Spread::automatic) {
    Fitted samples = try_samples(source, lowered);
    if (auto* programs = std::get_if<FittedPrograms>(&samples))
      return {Spread::samples, std::move(*programs)};
    not_samples = std::get<UserError>(samples);
  }
  if (wanted != Spread::samples) {
    if (wanted == Spread::tiles) return {Spread::tiles, fit_tiles(source, lowered)};
    Fitted tiles = tried([&]() -> Fitted { return fit_tiles(source, lowered); });
    if (auto* programs = std::get_if<FittedPrograms>(&tiles))
      return {Spread::tiles, std::move(*programs), std::move(not_samples)};
  }
  lower_samples(source, lowered);
  return {Spread::samples, fit(lowered.train.program, lowered.predict.program, lowered.persistent,
                               lowered.hbm, source.machine)};
}

}  // namespace

Spread spread_named(std::string_view name) {
  for (const auto& [known, spread] :
       {std::pair{"automatic", Spread::automatic}, {"samples", Spread::samples}, {"tiles", Spread::tiles}})
    if (name == known) return spread;
  refuse("", "'{}' is no spread; there are automatic, samples, tiles", name);
}

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

  const Source source{train_graph, predict_graph, train_step, machine, nodes};
  LoweredPrograms lowered;
  auto [spread, fitted, not_samples] = fit_some_way(source, options.spread, lowered);
  show("lowered", "txt", lowered.train.program, lowered.predict.program, words);
  const lowering::PersistentLayout& persistent = lowered.persistent;
  const lowering::HbmLayout& hbm = lowered.hbm;
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
  network.spread = spread;
  network.not_samples = std::move(not_samples);
  network.batch = lowered.train.program.batch;
  network.samples_per_node = lowered.train.program.samples_per_node;
  network.hbm = hbm;
  network.persistent = persistent;
  network.train =
      program_of("train", std::move(fitted.train), fitted.train_plan, std::move(train_plan), machine);
  network.predict =
      program_of("predict", std::move(fitted.predict), fitted.predict_plan, std::move(predict_plan), machine);
  network.load = program_of("load", std::move(fitted.load));
  network.store = program_of("store", std::move(fitted.store));
  network.sha256 = hash_of(network);
  return network;
}

std::optional<UserError> refusal_of_samples(const graph::Graph& train_step, const graph::Graph& predict,
                                            const machine::Machine& machine, const Options& options) {
  const unsigned nodes = check_request(train_step, predict, machine, options);
  const graph::Graph train_graph = assign_formats(train_step, options.formats);
  const graph::Graph predict_graph = assign_formats(predict, options.formats);
  LoweredPrograms lowered;
  Fitted fitted = try_samples({train_graph, predict_graph, train_step, machine, nodes}, lowered);
  if (auto* refused = std::get_if<UserError>(&fitted)) return std::move(*refused);
  return std::nullopt;
}

}  // namespace dojo::codegen
