#include "machine_options.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "machine/machine_file.h"

namespace dojo::tools {

Option nodes_option(unsigned& nodes, std::string help) {
  return {.name = "--nodes",
          .into = &nodes,
          .help = std::move(help),
          .least = 1,
          .most = 1'000'000,  // more than anybody has
          .most_is = "the nodes of the machine",
          .kept = Kept::as_given};
}

Option machine_option(std::string& machine, std::string help) {
  return {.name = "--machine",
          .into = &machine,
          .help = std::move(help),
          .is_path = true,
          .offers = machine::machine_names,
          .kept = Kept::as_machine};
}

Option formats_option(std::string& formats) {
  return {.name = "--formats",
          .into = &formats,
          .help = "fp32, bf16, or cfloat8: bf16 with activations and their gradients in one byte",
          .offers = [] { return std::vector<std::string>{"fp32", "bf16", "cfloat8"}; },
          .kept = Kept::as_given};
}

std::vector<Option> machine_options(MachineArguments& a) {
  return joined({{machine_option(a.machine),
                  nodes_option(a.nodes, "Use the first so many nodes; by default all"),
                  formats_option(a.formats),
                  {.name = "--batch",
                   .into = &a.batch,
                   .help = "Frames a step; by default one for each node, as far as there are frames",
                   .least = 1,
                   .most = 1'000'000,
                   .kept = Kept::as_given}},
                 host_options(a.host),
                 {no_timing_flag(a.host)}});
}

unsigned nodes_of(unsigned asked, const machine::Machine& machine) {
  if (asked > machine.enabled_nodes())
    refuse("--nodes", "{} is more than the {} nodes of {}", asked, machine.enabled_nodes(), machine.name);
  return asked;
}

std::int64_t usual_batch(unsigned nodes, std::size_t frames) {
  return static_cast<std::int64_t>(std::min<std::size_t>(nodes, frames));
}

}  // namespace dojo::tools
