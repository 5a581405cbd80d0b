// dojo explain: what the compiler makes of a network, op by op, and why.
#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "codegen/compile.h"
#include "commands.h"
#include "machine_options.h"
#include "report/explanation.h"
#include "say.h"
#include "train_options.h"
#include "train_progress.h"

namespace dojo::tools {
namespace {

struct ExplainArguments {
  std::string model, machine = "d1", formats = "fp32", optimizer = "adamw", json;
  std::vector<std::string> losses;
  std::int64_t batch = 0;
  unsigned nodes = 0;
};

int explain(const ExplainArguments& arguments) {
  const machine::Machine machine = machine::read_machine(arguments.machine);
  codegen::check_machine(machine);
  training::ExplainOptions options;
  options.asking = {.batch = arguments.batch,
                    .nodes = nodes_of(arguments.nodes, machine),
                    .formats = lowering::format_choice(arguments.formats)};
  options.trains = !arguments.losses.empty();
  options.recipe.model = arguments.model;
  options.recipe.optimizer = graph::optimizer_named(arguments.optimizer);
  options.recipe.choices = choices_of("--train", arguments.losses);
  ProgressLine line;
  const training::Explanation explanation =
      training::explain(options, machine, [&](std::string_view what) { line.phase(what); });
  line.finish();
  fmt::print("{}", report::explanation_text(arguments.model, machine, explanation));
  if (!arguments.json.empty())
    write_text(arguments.json, report::explanation_json(arguments.model, machine, explanation));
  if (!explanation.refused) return 0;
  say("dojo: {}", explanation.refused->what());
  return exit_user_error;
}

}  // namespace

Command explain_command() {
  auto arguments = std::make_shared<ExplainArguments>();
  ExplainArguments& a = *arguments;
  return {.name = "explain",
          .summary = "Say what the compiler makes of a network, op by op, and why",
          .options = {{.name = "MODEL",
                       .into = &a.model,
                       .help = "Network as an ONNX file",
                       .is_path = true,
                       .required = true},
                      machine_option(a.machine),
                      nodes_option(a.nodes, "Nodes to use; 0: all of the machine"),
                      {.name = "--batch",
                       .into = &a.batch,
                       .help = "Samples of a pass or a step; by default one for each node",
                       .least = 1,
                       .most = 1'000'000},
                      formats_option(a.formats),
                      loss_option("--train", a.losses,
                                  "Explain a training step instead of a forward pass: how outputs learn"),
                      optimizer_option(a.optimizer),
                      {.name = "--json",
                       .into = &a.json,
                       .help = "Write all of it into this file, for programs",
                       .is_path = true}},
          .footer = "Exit code: 2 for a network that is refused; what was tried so that it fits is printed",
          .run = [arguments](Command&) { return explain(*arguments); }};
}

}  // namespace dojo::tools
