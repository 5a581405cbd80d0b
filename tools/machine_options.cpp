#include "machine_options.h"

#include <algorithm>

#include "base/error.h"
#include "path_argument.h"
#include "whole_number.h"

namespace dojo::tools {
namespace {

constexpr std::uint64_t most_frames = 1'000'000;

}  // namespace

void add_machine_options(CLI::App& command, MachineArguments& a) {
  command.add_option("--machine", a.machine, "Name under machines/, or a .toml file")
      ->check(path_argument())
      ->capture_default_str();
  command.add_option("--nodes", a.nodes, "Use the first so many nodes; by default all")
      ->check(number_of_nodes());
  command
      .add_option("--formats", a.formats,
                  "fp32, bf16, or cfloat8: bf16 with activations and their gradients in one byte")
      ->capture_default_str();
  command
      .add_option("--batch", a.batch,
                  "Frames a step; by default one for each node, as far as there are frames")
      ->check(whole_number(1, most_frames));
  add_host_options(command, a.host);
  add_no_timing_flag(command, a.host);
}

unsigned nodes_of(const MachineArguments& arguments, const machine::Machine& machine) {
  if (arguments.nodes > machine.enabled_nodes())
    refuse("--nodes", "{} is more than the {} nodes of {}", arguments.nodes, machine.enabled_nodes(),
           machine.name);
  return arguments.nodes;
}

std::int64_t usual_batch(unsigned nodes, std::size_t frames) {
  return static_cast<std::int64_t>(std::min<std::size_t>(nodes, frames));
}

}  // namespace dojo::tools
