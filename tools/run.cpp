// dojo run: one forward pass of a network on arrays, on the emulated machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "commands.h"
#include "data/array.h"
#include "machine/rates.h"
#include "machine_options.h"
#include "runtime/network_run.h"
#include "say.h"

namespace dojo::tools {
namespace {

struct RunArguments {
  std::string model, inputs, out = "outputs.npz", machine = "d1", formats = "fp32", spread = "automatic",
                             dump_stages;
  unsigned nodes = 0;
};

int run_on_arrays(const RunArguments& arguments) {
  runtime::NetworkRunOptions options{machine::read_machine(arguments.machine),
                                     {.nodes = arguments.nodes,
                                      .spread = codegen::spread_named(arguments.spread),
                                      .formats = lowering::format_choice(arguments.formats)}};
  if (!arguments.dump_stages.empty()) options.compiling.stages = stages_into(arguments.dump_stages);
  const onnx::Model model = onnx::read_model(arguments.model);
  const data::Arrays inputs = data::read_arrays(arguments.inputs);
  const runtime::NetworkRun run =
      runtime::run_network(model, arguments.model, inputs, arguments.inputs, options);
  if (!run.stranded.empty()) {
    say("dojo: {}", run.stranded);
    return exit_guest_stranded;
  }
  data::write_npz(arguments.out, run.outputs);
  const double seconds = machine::simulated_seconds(options.machine, run.cycles);
  fmt::print("{} samples on {} nodes: {} cycles, {:.3g} ms, {:.1f} % of the matrix peak\n", run.batch,
             run.nodes, run.cycles, 1e3 * seconds,
             100 * machine::matrix_utilisation(options.machine, run.nodes, run.ledger, run.cycles));
  for (const auto& [name, array] : run.outputs)
    fmt::print("{} [{}]\n", printable(name), fmt::join(array.shape, ", "));
  fmt::print("in {}\n", printable(arguments.out));
  return 0;
}

}  // namespace

Command run_command() {
  auto arguments = std::make_shared<RunArguments>();
  RunArguments& a = *arguments;
  return {
      .name = "run",
      .summary = "Run a network once on arrays, on the emulated machine",
      .options =
          {{.name = "MODEL",
            .into = &a.model,
            .help = "Network as an ONNX file",
            .is_path = true,
            .required = true},
           {.name = "--inputs",
            .into = &a.inputs,
            .help = "Arrays by the names of the network's inputs: an .npz file, a folder of .npy files, or "
                    "one .npy file; dimension 0 counts samples",
            .is_path = true,
            .required = true},
           {.name = "--out", .into = &a.out, .help = "Where the outputs go, an .npz file", .is_path = true},
           machine_option(a.machine),
           {.name = "--formats", .into = &a.formats, .help = "fp32, bf16 or cfloat8"},
           nodes_option(a.nodes, "Nodes to use; 0: all of the machine"),
           {.name = "--spread",
            .into = &a.spread,
            .help =
                "What the nodes share: samples, tiles of every operation with tensors in HBM, or automatic"},
           {.name = "--dump-stages",
            .into = &a.dump_stages,
            .help = "Write what every pass of the compiler made into this empty or new folder, a file each",
            .is_path = true}},
      .run = [arguments](Command&) { return run_on_arrays(*arguments); }};
}

}  // namespace dojo::tools
