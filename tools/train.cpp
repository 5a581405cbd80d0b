// dojo train: a network learns to steer on the emulated machine.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "course.h"
#include "graph/onnx_file.h"
#include "train_progress.h"
#include "train_report.h"

namespace dojo::tools {
namespace {

struct TrainArguments {
  std::string model, data, machine = "d1", formats = "bf16", optimizer = "adamw", out = "out", resume;
  double learning_rate = 3e-3;
  std::int64_t batch = 0;
  std::uint64_t epochs = 8, steps = 0, seed = 1;
  unsigned nodes = 0, threads = 0;
  bool initialise = false, no_timing = false;
};

volatile std::sig_atomic_t interrupt_count = 0;

// The first Ctrl-C asks for a checkpoint, the second one ends the program at once.
void on_interrupt(int) {
  if (interrupt_count != 0) std::_Exit(130);
  interrupt_count = 1;
}

training::TrainOptions options_from(const TrainArguments& arguments, const machine::Machine& machine) {
  training::TrainOptions options;
  const unsigned nodes = arguments.nodes != 0 ? arguments.nodes : machine.enabled_nodes();
  if (nodes > machine.enabled_nodes())
    refuse("--nodes", "{} is more than the {} nodes of {}", nodes, machine.enabled_nodes(), machine.name);
  options.recipe = {.model = arguments.model,
                    .optimizer = training::optimizer_named(arguments.optimizer),
                    .batch = arguments.batch != 0 ? arguments.batch : static_cast<std::int64_t>(nodes),
                    .initialise = arguments.initialise,
                    .seed = arguments.seed};
  options.learning_rate = arguments.learning_rate;
  options.epochs = arguments.epochs;
  options.steps = arguments.steps;
  options.nodes = arguments.nodes;
  options.formats = compiler::format_choice(arguments.formats);
  options.host_threads = arguments.threads;
  options.timing = !arguments.no_timing;
  options.out = arguments.out;
  if (!arguments.resume.empty()) options.resume = arguments.resume;
  return options;
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
}

int train(const TrainArguments& arguments) {
  const machine::Machine machine = machine::read_machine(arguments.machine);
  const training::TrainOptions options = options_from(arguments, machine);
  graph::onnx::read_model(options.recipe.model);  // refuse a bad file before the long work
  ProgressLine line;
  line.phase("reading the data set");
  DrivingCourse course(arguments.data, arguments.seed, arguments.threads);
  make_folder(options.out / "program");

  std::signal(SIGINT, on_interrupt);
  training::Watcher watcher;
  watcher.phase = [&](std::string_view what) { line.phase(what); };
  watcher.progress = [&](const training::Progress& progress) { line.show(progress); };
  watcher.interrupted = [] { return interrupt_count != 0; };
  const training::RunReport report = training::train(
      options, machine,
      [&](const training::TrainableNetwork& network) { return course.for_network(network); }, watcher);
  line.finish();
  if (report.interrupted) {
    fmt::print(stderr, "interrupted after step {} of {}; go on with --resume {}\n", report.steps_done,
               report.steps, arguments.out);
    return 130;
  }
  graph::onnx::write_model(options.out / "trained.onnx", report.trained);
  write_text(options.out / "run.json", run_json(options, machine, report, course.data().name()));
  const std::string text = run_text(machine, report);
  write_text(options.out / "report.txt", text);
  fmt::print("{}\nwritten: {}\n", text,
             (options.out / "{run.json, report.txt, trained.onnx, program/}").string());
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  TrainArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("train", "Train a network on the emulated machine");
  command->add_option("MODEL", a.model, "The network, an .onnx file")->required();
  command->add_option("--data", a.data,
                      "A Donkeycar 4 tub; without it, rendered road scenes made from the seed");
  command->add_option("--machine", a.machine, "Name under machines/, or a .toml file")->capture_default_str();
  command->add_option("--formats", a.formats, "cfloat8, bf16 or fp32")->capture_default_str();
  command->add_option("--optimizer", a.optimizer, "sgd (momentum 0.9) or adamw")->capture_default_str();
  command->add_option("--lr", a.learning_rate, "Peak of the one-cycle schedule")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--batch", a.batch, "Frames a step; by default one for each node")
      ->check(CLI::PositiveNumber);
  auto* epochs = command->add_option("--epochs", a.epochs, "Times through the training frames")
                     ->check(CLI::PositiveNumber)
                     ->capture_default_str();
  command->add_option("--steps", a.steps, "This many steps instead of epochs")
      ->check(CLI::PositiveNumber)
      ->excludes(epochs);
  command->add_option("--seed", a.seed, "Of shuffling, rendered scenes and new weights")
      ->capture_default_str();
  command->add_flag("--initialise", a.initialise, "Draw new weights instead of starting from the file's");
  command->add_option("--nodes", a.nodes, "Use the first so many nodes; by default all")
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", a.threads,
                      "Host threads; by default one for each core. Never changes a result");
  command->add_flag("--no-timing", a.no_timing, "Same values, no cycles");
  command->add_option("--out", a.out, "Folder for checkpoint, report, program and trained network")
      ->capture_default_str();
  command->add_option("--resume", a.resume, "Go on from the checkpoint in this folder")
      ->check(CLI::ExistingDirectory);
  command->callback([arguments] {
    const int code = train(*arguments);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace dojo::tools
