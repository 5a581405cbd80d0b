#include "machine/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "machine/parameter_table.h"

namespace dojo::machine {

unsigned Machine::enabled_nodes() const {
  return static_cast<unsigned>(mesh.rows * mesh.columns - mesh.disabled.size());
}

std::pair<unsigned, unsigned> Machine::place(unsigned index) const {
  DOJO_ENSURE(index < enabled_nodes());
  const auto& off = mesh.disabled;
  for (std::uint64_t at = 0;; ++at) {
    if (std::find(off.begin(), off.end(), at) != off.end()) continue;
    if (index-- == 0)
      return {static_cast<unsigned>(at / mesh.columns), static_cast<unsigned>(at % mesh.columns)};
  }
}

double Machine::peak_flops_per_node() const {
  return 2.0 * static_cast<double>(node.matrix_macs) * node.clock_ghz * 1e9;
}

Machine with_parameter(Machine machine, std::string_view key, double value) {
  const auto row = std::ranges::find(parameter_rows(), key, &ParameterRow::name);
  const auto parameter = std::ranges::find(machine.parameters, key, &Parameter::key);
  DOJO_ENSURE(row != parameter_rows().end() && parameter != machine.parameters.end());
  DOJO_ENSURE(parameter->plausible.has_value());
  const auto [low, high] = std::minmax(parameter->plausible->fast, parameter->plausible->slow);
  DOJO_ENSURE(value >= low && value <= high);
  const Field field = row->field(machine);
  if (auto* whole = std::get_if<std::uint64_t*>(&field))
    **whole = static_cast<std::uint64_t>(value);
  else
    *std::get<double*>(field) = value;
  parameter->value = fmt::format("{}", value);
  return machine;
}

std::vector<std::pair<std::string, std::string>> identities(const Machine& machine) {
  const Node& node = machine.node;
  const double nodes = machine.enabled_nodes();
  const double hertz = node.clock_ghz * 1e9;
  const double fp32 = machine.peak_flops_per_node() / static_cast<double>(node.matrix_fp32_divisor);
  const auto ports = [&](std::uint64_t count) {  // with the mesh stop's port and the 64-bit scalar path
    return static_cast<double>(count * node.port_bytes + machine.mesh.network_port_bytes + 8) * hertz / 1e9;
  };
  const double link = static_cast<double>(machine.mesh.link_bytes_per_cycle) * hertz / 1e9;
  return {
      {"node, BF16 and CFloat8", fmt::format("{:.3f} TFLOPS", machine.peak_flops_per_node() / 1e12)},
      {"node, FP32", fmt::format("{:.0f} GFLOPS", fp32 / 1e9)},
      {"node, SRAM load", fmt::format("{:.0f} GB/s", ports(node.sram_load_ports))},
      {"node, SRAM store", fmt::format("{:.0f} GB/s", ports(node.sram_store_ports))},
      {"node, mesh link each way", fmt::format("{:.0f} GB/s", link)},
      {"die, enabled nodes", fmt::format("{}", machine.enabled_nodes())},
      {"die, BF16 and CFloat8", fmt::format("{:.1f} TFLOPS", machine.peak_flops_per_node() * nodes / 1e12)},
      {"die, FP32", fmt::format("{:.2f} TFLOPS", fp32 * nodes / 1e12)},
      {"die, SRAM", fmt::format("{:.1f} MB", static_cast<double>(node.sram_bytes) * nodes / (1 << 20))},
      {"die, cut between columns, each way",
       fmt::format("{:.2f} TB/s", link * static_cast<double>(machine.mesh.rows) / 1e3)},
      {"interface processors, HBM",
       fmt::format("{:.0f} GB at {:.1f} TB/s",
                   static_cast<double>(machine.interface.hbm_bytes * machine.interface.count) / (1 << 30),
                   machine.interface.hbm_gb_per_s * static_cast<double>(machine.interface.count) / 1e3)},
      {"interface processors, links to the die",
       fmt::format("{:.1f} TB/s",
                   machine.interface.link_gb_per_s * static_cast<double>(machine.interface.count) / 1e3)},
  };
}

}  // namespace dojo::machine
