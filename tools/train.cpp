// dojo train: a network learns to steer on the emulated machine.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "course.h"
#include "graph/onnx_file.h"
#include "host_vectors.h"
#include "train_progress.h"
#include "train_report.h"
#include "trained_parameters.h"
#include "whole_number.h"

namespace dojo::tools {
namespace {

struct TrainArguments {
  std::string model, data, machine = "d1", formats = "bf16", optimizer = "adamw", out, resume;
  double learning_rate = 3e-3;
  std::int64_t batch = 0;
  std::uint64_t epochs = 8, steps = 0, seed = 1;
  unsigned nodes = 0, threads = 0;
  std::string host_vectors;
  bool initialise = false, untie = false, no_timing = false;
};

volatile std::sig_atomic_t interrupt_count = 0;

// The first Ctrl-C asks for a checkpoint, the second one ends the program at once.
void on_interrupt(int) {
  if (interrupt_count != 0) std::_Exit(130);
  interrupt_count = 1;
}

// All but the batch, which depends on the data set where it was not given.
training::TrainOptions options_from(const TrainArguments& arguments, const machine::Machine& machine) {
  training::TrainOptions options;
  if (arguments.nodes > machine.enabled_nodes())
    refuse("--nodes", "{} is more than the {} nodes of {}", arguments.nodes, machine.enabled_nodes(),
           machine.name);
  options.recipe = {.model = arguments.model,
                    .optimizer = training::optimizer_named(arguments.optimizer),
                    .batch = arguments.batch,
                    .initialise = arguments.initialise,
                    .seed = arguments.seed,
                    .untie = arguments.untie};
  options.learning_rate = arguments.learning_rate;
  options.epochs = arguments.epochs;
  options.steps = arguments.steps;
  options.nodes = arguments.nodes;
  options.formats = compiler::format_choice(arguments.formats);
  options.host_threads = arguments.threads;
  options.host_vectors = host_vectors_named(arguments.host_vectors);
  options.timing = !arguments.no_timing;
  options.out = arguments.out;
  if (!arguments.resume.empty()) options.resume = arguments.resume;
  if (arguments.out.empty()) options.out = options.resume.value_or("out");
  return options;
}

// One frame for each node, as far as there are frames.
std::int64_t usual_batch(unsigned nodes, std::size_t frames) {
  return static_cast<std::int64_t>(std::min<std::size_t>(nodes, frames));
}

// Makes a folder with those above it, so that a place that cannot be written is known before the long work.
// What it made and nobody put anything into is gone afterwards.
class OutputFolder {
public:
  explicit OutputFolder(const std::filesystem::path& folder) {
    std::error_code failure;
    for (std::filesystem::path above = std::filesystem::absolute(folder);
         !std::filesystem::exists(above, failure) && above != above.root_path(); above = above.parent_path())
      made_.push_back(above);
    std::filesystem::create_directories(folder, failure);
    if (failure) remove_empty();
    if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
    if (::access(folder.c_str(), W_OK) != 0)
      refuse(folder.string(), "cannot be written: {}", std::strerror(errno));
  }
  ~OutputFolder() { remove_empty(); }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

private:
  void remove_empty() const {
    std::error_code full;
    for (const std::filesystem::path& folder : made_) std::filesystem::remove(folder, full);
  }

  std::vector<std::filesystem::path> made_;  // innermost first
};

// Ctrl-C reaches the compiler's tools as well: what they then leave undone is no fault of the network.
training::RunReport run(const training::TrainOptions& options, const machine::Machine& machine,
                        DrivingCourse& course, const training::Watcher& watcher) {
  try {
    return training::train(
        options, machine,
        [&](const training::TrainableNetwork& network) {
          say_what_is_trained(network);
          return course.for_network(network);
        },
        watcher);
  } catch (const UserError& error) {
    if (interrupt_count == 0) throw;
    throw UserError("", fmt::format("interrupted ({})", error.what()));
  }
}

int train(const TrainArguments& arguments) {
  const machine::Machine machine = machine::read_machine(arguments.machine);
  compiler::check_machine(machine);
  training::TrainOptions options = options_from(arguments, machine);
  graph::onnx::read_model(options.recipe.model);  // refuse a bad file before the long work
  const OutputFolder folder(options.out);
  ProgressLine line;
  line.phase("reading the data set");
  DrivingCourse course(arguments.data, arguments.seed, arguments.threads);
  if (options.recipe.batch == 0)
    options.recipe.batch = usual_batch(options.nodes != 0 ? options.nodes : machine.enabled_nodes(),
                                       course.split().train.size());

  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  training::Watcher watcher;
  watcher.phase = [&](std::string_view what) { line.phase(what); };
  watcher.progress = [&](const training::Progress& progress) { line.show(progress); };
  watcher.interrupted = [] { return interrupt_count != 0; };
  const training::RunReport report = run(options, machine, course, watcher);
  line.finish();
  if (report.interrupted) {
    fmt::print(stderr, "interrupted after step {} of {}; go on with --resume {}\n", report.steps_done,
               report.steps, options.out.string());
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

namespace {

constexpr std::uint64_t most_frames = 1'000'000, most_steps = 1'000'000'000'000;

// As strict as whole_number().
CLI::Validator learning_rate() {
  return {[](const std::string& text) {
            double value = 0;
            const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
            const bool good =
                failure == std::errc() && end == text.data() + text.size() && value > 0 && value <= 1e6;
            return good ? "" : fmt::format("'{}' is no number above 0 and up to 1e6", text);
          },
          ""};
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  TrainArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("train", "Train a network on the emulated machine");
  command
      ->add_option(
          "MODEL", a.model,
          "The network, an .onnx file. Inputs: pictures, or one value named like a label. Outputs learn "
          "the label in their name, else angle, then throttle; two values learn both, more are scores "
          "of classes. Metadata can say otherwise: docs/notes/010-training-run.md")
      ->required();
  command->add_option("--data", a.data,
                      "A Donkeycar 4 tub; without it, rendered road scenes made from the seed");
  command->add_option("--machine", a.machine, "Name under machines/, or a .toml file")->capture_default_str();
  command
      ->add_option("--formats", a.formats,
                   "fp32, bf16, or cfloat8: bf16 with activations and their gradients in one byte")
      ->capture_default_str();
  command->add_option("--optimizer", a.optimizer, "sgd (momentum 0.9) or adamw")->capture_default_str();
  command->add_option("--lr", a.learning_rate, "Peak of the one-cycle schedule")
      ->check(learning_rate())
      ->capture_default_str();
  command
      ->add_option("--batch", a.batch,
                   "Frames a step; by default one for each node, as far as there are frames")
      ->check(whole_number(1, most_frames));
  auto* epochs = command->add_option("--epochs", a.epochs, "Times through the training frames")
                     ->check(whole_number(1, most_frames))
                     ->capture_default_str();
  command->add_option("--steps", a.steps, "This many steps instead of epochs")
      ->check(whole_number(1, most_steps))
      ->excludes(epochs);
  command->add_option("--seed", a.seed, "Of shuffling, rendered scenes and new weights")
      ->check(whole_number(0))
      ->capture_default_str();
  command->add_flag("--initialise", a.initialise, "Draw new weights instead of starting from the file's");
  command->add_flag(
      "--untie", a.untie,
      "Give every operator its own copy of a vector that several read: an exporter's merging undone");
  command->add_option("--nodes", a.nodes, "Use the first so many nodes; by default all")
      ->check(whole_number(1, most_nodes));
  command
      ->add_option("--threads", a.threads,
                   "Host threads; by default one for each core. Never changes a result")
      ->check(whole_number(1, most_threads));
  add_host_vectors_option(*command, a.host_vectors);
  command->add_flag("--no-timing", a.no_timing, "Same values, no cycles");
  command->add_option(
      "--out", a.out,
      "Folder for checkpoint, report, program and trained network; by default the resumed one, or out");
  command->add_option("--resume", a.resume, "Go on from the checkpoint in this folder");
  command->callback([arguments] {
    const int code = train(*arguments);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace dojo::tools
