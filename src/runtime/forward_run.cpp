#include "runtime/forward_run.h"

#include <cstring>

#include "base/error.h"
#include "numerics/convert.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::runtime {
namespace {

using codegen::CompiledNetwork;
using lowering::HbmField;
using machine::HbmPlace;

void write_samples(system::Computer& computer, const CompiledNetwork& network,
                   const lowering::Tensors& samples) {
  for (std::int64_t sample = 0; sample < network.batch; ++sample) {
    std::vector<std::byte> record(network.hbm.record_bytes);
    for (const HbmField& field : network.hbm.record) {
      const std::size_t elements = field.bytes / numerics::storage_bytes(field.format);
      const float* values = samples.at(field.name).data() + static_cast<std::size_t>(sample) * elements;
      std::byte* const place = record.data() + field.offset;
      if (field.format == numerics::Format::fp32) {
        std::memcpy(place, values, field.bytes);
      } else if (field.format == numerics::Format::bf16) {
        numerics::to_bf16({values, elements}, {reinterpret_cast<std::uint16_t*>(place), elements});
      } else {
        throw UserError(field.name, fmt::format("an input in {}", numerics::name(field.format)),
                        Refusal::not_yet);
      }
    }
    const HbmPlace place = network.hbm.place_of_record(static_cast<std::uint64_t>(sample));
    computer.write_hbm(place.interface, place.offset, record);
    const HbmPlace entry = network.hbm.table_entry(static_cast<unsigned>(sample / network.samples_per_node),
                                                   sample % network.samples_per_node);
    const std::uint64_t address = place.global();
    computer.write_hbm(entry.interface, entry.offset, std::as_bytes(std::span(&address, 1)));
  }
}

void write_launch(system::Computer& computer, const CompiledNetwork& network) {
  std::vector<std::byte> block(network.hbm.launch_bytes);
  const std::uint64_t words[3] = {1, static_cast<std::uint64_t>(network.batch), 0};
  std::memcpy(block.data(), words, sizeof words);
  for (unsigned d = 0; d < network.hbm.interfaces; ++d)
    computer.write_hbm(d, network.hbm.launch_block, block);
}

system::LaunchResult launch(system::Computer& computer, const CompiledNetwork& network,
                            const codegen::CompiledProgram& program) {
  return computer.launch(system::Program::parse(program.elf, program.name), network.persistent.begin,
                         network.persistent.end, {});
}

// What kept the launch from finishing; empty if nothing did.
std::string stranded(const system::LaunchResult& result, const codegen::CompiledProgram& program) {
  if (result.outcome == system::Outcome::finished) return {};
  if (result.stranded.empty()) return program.name + " did not finish";
  const auto& thread = result.stranded.front();
  return fmt::format("{}: node {} at {} {}: {}", program.name, thread.node, thread.symbol, thread.disassembly,
                     thread.reason);
}

}  // namespace

ForwardRun run_forward(const graph::Graph& graph, const lowering::Tensors& samples,
                       const machine::Machine& machine, lowering::FormatChoice formats, unsigned nodes) {
  codegen::Options options;
  options.formats = formats;
  options.nodes = nodes;
  const CompiledNetwork network = codegen::compile(graph, graph, machine, options);
  system::Computer computer(machine, network.nodes);
  lowering::Tensors parameters;
  for (const graph::Tensor& tensor : graph.tensors)
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;
  const auto images = lowering::pack_parameters(network.persistent, parameters);
  for (unsigned node = 0; node < network.nodes; ++node) {
    const HbmPlace place = network.hbm.parameter_image(node);
    computer.write_hbm(place.interface, place.offset, images[node]);
  }
  write_samples(computer, network, samples);
  write_launch(computer, network);

  ForwardRun run;
  run.nodes = network.nodes;
  run.stranded = stranded(launch(computer, network, network.load), network.load);
  if (!run.stranded.empty()) return run;
  const system::LaunchResult pass = launch(computer, network, network.predict);
  run.stranded = stranded(pass, network.predict);
  run.cycles = pass.cycles;
  run.ledger = pass.ledger;
  if (!run.stranded.empty()) return run;
  for (const HbmField& field : network.hbm.results) {
    const auto count = static_cast<std::uint64_t>(field.per_sample ? network.batch : 1);
    const std::vector<std::byte> read = computer.read_hbm(0, field.offset, field.bytes * count);
    std::vector<float>& values = run.results[field.name];
    values.resize(read.size() / sizeof(float));
    std::memcpy(values.data(), read.data(), read.size());
  }
  return run;
}

}  // namespace dojo::runtime
