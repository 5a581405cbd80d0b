#include "codegen/compile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "codegen/emit.h"
#include "codegen/plan.h"
#include "lowering/formats.h"
#include "lowering/lower.h"
#include "toolchain/elf.h"
#include "toolchain/toolchain.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t smallest_panel_bytes = 16 * 1024;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

// Persistent tensors of both programs; they must agree. What `graph` has beyond `source` is the compiler's
// own.
lowering::PersistentLayout persistent_layout(const lowering::LoweredProgram& train,
                                             const lowering::LoweredProgram& predict,
                                             const graph::Graph& graph, const graph::Graph& source,
                                             const machine::Machine& machine) {
  for (const auto& [name, shard] : predict.shards) {
    if (!train.shards.contains(name))
      refuse(name, "is used for prediction but not known to the training step");
  }
  std::vector<lowering::PersistentTensor> tensors;
  for (const auto& [name, shard] : train.shards) {
    const graph::Tensor& tensor = graph.at(graph.find(name));
    const bool given = source.find(name) != graph::no_tensor;
    tensors.push_back({name, tensor.shape, shard, 0, given ? std::vector<float>{} : tensor.data});
  }
  return place_persistent(std::move(tensors), train.mesh, machine.node.sram_bytes - stack_bytes);
}

lowering::HbmField sample_field(const graph::Tensor& tensor) {
  lowering::HbmField field;
  field.name = tensor.name;
  field.shape.assign(tensor.shape.begin() + 1, tensor.shape.end());
  field.format = tensor.format;
  field.bytes = numerics::storage_bytes(tensor.format);
  for (const std::int64_t extent : field.shape) field.bytes *= static_cast<std::uint64_t>(extent);
  return field;
}

lowering::HbmField result_field(const graph::Tensor& tensor) {
  lowering::HbmField field;
  field.name = tensor.name;
  field.per_sample = tensor.has_batch;
  field.shape.assign(tensor.shape.begin() + (tensor.has_batch ? 1 : 0), tensor.shape.end());
  field.bytes = 4;
  for (const std::int64_t extent : field.shape) field.bytes *= static_cast<std::uint64_t>(extent);
  return field;
}

lowering::HbmLayout hbm_layout(const graph::Graph& train, const graph::Graph& predict,
                               const lowering::Lowered& lowered, const lowering::PersistentLayout& persistent,
                               const machine::Machine& machine) {
  lowering::HbmLayout hbm;
  hbm.nodes = persistent.mesh.nodes();
  hbm.interfaces = static_cast<unsigned>(machine.interface.count);
  hbm.samples_per_node = lowered.program.samples_per_node;
  const std::uint64_t rows = (hbm.nodes + hbm.interfaces - 1) / hbm.interfaces;
  hbm.scalars = lowered.scalars;
  hbm.launch_bytes = round_up(3 * 8 + 4 * hbm.scalars.size(), 64);
  std::uint64_t next = hbm.launch_bytes;
  hbm.sample_table = next;
  next = round_up(next + rows * static_cast<std::uint64_t>(hbm.samples_per_node) * 8, 64);

  for (const graph::Role role : {graph::Role::input, graph::Role::label}) {
    for (const graph::Tensor& tensor : train.tensors) {
      if (tensor.role != role) continue;
      hbm.record.push_back(sample_field(tensor));
      hbm.record.back().offset = hbm.record_bytes;
      hbm.record_bytes = round_up(hbm.record_bytes + hbm.record.back().bytes, 8);
    }
  }
  hbm.record_bytes = round_up(hbm.record_bytes, 64);

  for (const graph::Graph* graph : {&train, &predict}) {
    for (const graph::TensorId id : graph->outputs) {
      const graph::Tensor& tensor = graph->at(id);
      const auto same = [&](const lowering::HbmField& field) { return field.name == tensor.name; };
      if (std::any_of(hbm.results.begin(), hbm.results.end(), same)) continue;
      hbm.results.push_back(result_field(tensor));
      hbm.results.back().offset = next;
      const std::uint64_t values =
          tensor.has_batch ? static_cast<std::uint64_t>(hbm.samples_per_node) * hbm.nodes : 1;
      next = round_up(next + values * hbm.results.back().bytes, 64);
    }
  }
  hbm.parameters = next;
  hbm.parameter_stride = round_up(persistent.bytes(), 64);
  hbm.data_set = round_up(next + rows * hbm.parameter_stride, 4096);
  if (hbm.data_set > machine.interface.hbm_bytes)
    refuse(train.name, "needs {} bytes of each HBM before any data", hbm.data_set);
  return hbm;
}

// The first address behind the program's image that a buffer may have.
std::uint64_t image_end(const std::vector<std::byte>& elf, const std::string& name) {
  return round_up(toolchain::read_elf(elf, name).end(), 64);
}

std::int64_t batch_of(const graph::Graph& graph) {
  for (const graph::Tensor& tensor : graph.tensors) {
    if (tensor.has_batch) return tensor.shape[0];
  }
  refuse(graph.name, "has no input with a batch");
}

std::vector<PlannedProgram> plan_both(const CompiledNetwork& network, std::int64_t panel_bytes) {
  return {plan_program(network.train.lowered, network.persistent, panel_bytes),
          plan_program(network.predict.lowered, network.persistent, panel_bytes)};
}

// The next smaller size of kernel panels that takes less SRAM than `planned` does; 0 if there is none.
std::int64_t smaller_panels(const CompiledNetwork& network, const std::vector<PlannedProgram>& planned,
                            std::int64_t panel_bytes) {
  while ((panel_bytes /= 2) >= smallest_panel_bytes) {
    const std::vector<PlannedProgram> smaller = plan_both(network, panel_bytes);
    for (std::size_t k = 0; k < planned.size(); ++k) {
      if (smaller[k].memory.peak_bytes < planned[k].memory.peak_bytes) return panel_bytes;
    }
  }
  return 0;
}

// Plans, emits and builds all programs with kernel panels of `panel_bytes`. Returns 0 if they fit, otherwise
// the size of panels to try next. If there is none the network is refused: the images are measured, so the
// refusal is exact.
std::int64_t build_with_panels(CompiledNetwork& network, const std::string& network_name,
                               const machine::Machine& machine, const Options& options,
                               std::int64_t panel_bytes) {
  const std::vector<PlannedProgram> planned = plan_both(network, panel_bytes);
  const bool hopeless = std::any_of(planned.begin(), planned.end(), [&](const PlannedProgram& program) {
    return program.memory.lowest < machine.node.program_base;
  });
  const std::int64_t next = hopeless ? smaller_panels(network, planned, panel_bytes) : 0;
  if (next != 0) return next;

  CompiledProgram* const all[] = {&network.train, &network.predict, &network.load, &network.store};
  std::vector<std::vector<toolchain::SourceText>> sources;
  for (std::size_t k = 0; k < std::size(all); ++k) {
    if (k < planned.size()) all[k]->source = emit_program(planned[k], network.hbm);
    sources.push_back({{all[k]->name + ".cpp", all[k]->source}});
    if (!options.build_folder.empty())
      write_text(options.build_folder / (all[k]->name + ".cpp"), all[k]->source);
  }
  toolchain::BuildOptions build;
  build.program_base = machine.node.program_base;
  build.extra_flags = {"-O2", "-fno-unroll-loops", "-Wno-pass-failed"};
  std::vector<std::vector<std::byte>> elves = build_programs(sources, build);
  for (std::size_t k = 0; k < planned.size(); ++k) {
    const std::uint64_t heap_start = image_end(elves[k], all[k]->name);
    if (planned[k].memory.lowest < heap_start) {
      const std::int64_t smaller = smaller_panels(network, planned, panel_bytes);
      if (smaller == 0) check_fits(*planned[k].lowered, planned[k].memory, network.persistent, heap_start);
      return smaller;
    }
    all[k]->plan = plan_json({network_name, machine.name, std::string(name(options.formats))}, planned[k],
                             network.persistent, network.hbm, machine.node.program_base, heap_start);
    all[k]->scratch_bytes = planned[k].memory.peak_bytes;
  }
  for (std::size_t k = 0; k < elves.size(); ++k) {
    all[k]->image_end = image_end(elves[k], all[k]->name);
    all[k]->elf = std::move(elves[k]);
  }
  return 0;
}

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
  check_machine(machine);
  CompiledNetwork network;
  network.nodes = options.nodes == 0 ? machine.enabled_nodes() : options.nodes;
  if (network.nodes > machine.enabled_nodes())
    refuse("nodes", "{} wanted where '{}' has {}", network.nodes, machine.name, machine.enabled_nodes());
  if (batch_of(train_step) != batch_of(predict))
    refuse(predict.name, "has another batch than the training step");

  const graph::Graph train_graph = assign_formats(train_step, options.formats);
  const graph::Graph predict_graph = assign_formats(predict, options.formats);
  lowering::Lowered train = lowering::lower(train_graph, network.nodes),
                    inference = lowering::lower(predict_graph, network.nodes);
  network.batch = train.program.batch;
  network.samples_per_node = train.program.samples_per_node;
  network.persistent = persistent_layout(train.program, inference.program, train_graph, train_step, machine);
  network.hbm = hbm_layout(train_graph, predict_graph, train, network.persistent, machine);

  network.train.name = "train";
  network.predict.name = "predict";
  network.load.name = "load";
  network.store.name = "store";
  network.train.lowered = std::move(train.program);
  network.predict.lowered = std::move(inference.program);
  network.load.source = emit_load(network.persistent, network.hbm);
  network.store.source = emit_store(network.persistent, network.hbm);

  // Smaller panels are slower, and the way out when a network nearly fits.
  std::int64_t panel_bytes = default_panel_bytes;
  while (panel_bytes != 0)
    panel_bytes = build_with_panels(network, train_step.name, machine, options, panel_bytes);

  Sha256 hash;
  for (const CompiledProgram* program : {&network.train, &network.predict, &network.load, &network.store}) {
    hash.add(std::as_bytes(std::span(program->plan)));
    hash.add(program->elf);
    if (options.build_folder.empty()) continue;
    write_file(options.build_folder / (program->name + ".elf"), program->elf);
    if (!program->plan.empty())
      write_text(options.build_folder / (program->name + ".plan.json"), program->plan);
  }
  network.sha256 = hash.hex();
  return network;
}

}  // namespace dojo::codegen
