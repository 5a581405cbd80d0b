// dojo train: a network learns to steer on the emulated machine.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "course.h"
#include "graph/onnx_file.h"
#include "output_folder.h"
#include "run_files.h"
#include "train_options.h"
#include "train_progress.h"
#include "train_report.h"
#include "trained_parameters.h"
#include "training/saved_run.h"

namespace dojo::tools {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;

// The first Ctrl-C asks for a checkpoint, the second one ends the program at once.
void on_interrupt(int) {
  if (interrupt_count != 0) std::_Exit(130);
  interrupt_count = 1;
}

// One frame for each node, as far as there are frames.
std::int64_t usual_batch(unsigned nodes, std::size_t frames) {
  return static_cast<std::int64_t>(std::min<std::size_t>(nodes, frames));
}

// For a shell: quoted where it has to be.
std::string word(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("/._-+=:,@%").find(static_cast<char>(letter)) != std::string_view::npos;
  });
  if (plain && !text.empty()) return text;
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

// The command line that goes on with this run.
std::string command_to_resume(const training::TrainOptions& options) {
  return fmt::format("{} train {} --resume {}", word(program_invocation_name),
                     word(options.recipe.model.string()), word(options.out.string()));
}

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

// What one reads on stderr while a run works.
training::Watcher watcher_for(ProgressLine& line, const training::TrainOptions& options) {
  training::Watcher watcher;
  watcher.phase = [&](std::string_view what) { line.phase(what); };
  watcher.progress = [&](const training::Progress& progress) { line.show(progress); };
  watcher.interrupted = [] { return interrupt_count != 0; };
  watcher.writing = [&] {
    std::error_code none;
    const bool goes_on = options.resume && std::filesystem::equivalent(*options.resume, options.out, none);
    clear_earlier_run(options.out, goes_on);
  };
  watcher.resumed = [&](std::uint64_t done, std::uint64_t meant, std::uint64_t steps) {
    fmt::print(stderr, "going on behind step {} of {}\n", done, steps);
    if (meant != steps)
      fmt::print(
          stderr,
          "the run was meant to have {} steps: from here on the learning rate is that of a run of {}, not "
          "what it would have been had it had them from the start\n",
          meant, steps);
  };
  return watcher;
}

void write_results(const training::TrainOptions& options, const machine::Machine& machine,
                   const training::RunReport& report, const DrivingCourse& course) {
  graph::onnx::write_model(options.out / "trained.onnx", report.trained);
  write_text(options.out / "run.json", run_json(options, machine, report, course.data().name()));
  const std::string text = run_text(machine, report);
  write_text(options.out / "report.txt", text);
  fmt::print(
      "{}\nwritten: {}\n", text,
      (options.out / "{run.json, report.txt, trained.onnx, best.onnx, history.csv, program/}").string());
}

int diverged(const training::TrainOptions& options, const training::RunReport& report) {
  std::error_code none;
  const bool saved = std::filesystem::exists(options.out / "checkpoint.dojo", none);
  fmt::print(stderr, "dojo: stopped at step {}: {}; {}, try a lower --lr\n", report.divergence->step,
             report.divergence->what,
             saved ? fmt::format("{} is of an earlier step, when all was finite",
                                 (options.out / "checkpoint.dojo").string())
                   : std::string("no checkpoint had been written yet"));
  return exit_guest_stranded;
}

int train(TrainArguments& arguments, CLI::App& command) {
  if (!arguments.resume.empty()) take_from(training::read_saved(arguments.resume).asked, command);
  if (arguments.model.empty()) refuse("dojo train", "names no network: MODEL is missing");
  const machine::Machine machine = machine::read_machine(arguments.machine);
  compiler::check_machine(machine);
  training::TrainOptions options = options_from(arguments, machine);
  options.asked = asked_by(command);
  const unsigned nodes = options.nodes != 0 ? options.nodes : machine.enabled_nodes();
  training::Recipe sketch = options.recipe;  // a bad file is refused before the long work
  if (sketch.batch == 0) sketch.batch = nodes;
  const training::TrainableNetwork network = training::read_network(sketch);
  const OutputFolder folder(options.out);
  ProgressLine line;
  line.phase("reading the data set");
  DrivingCourse course(arguments.data, arguments.seed, arguments.threads);
  const std::size_t frames = course.for_network(network).split.train.size();
  if (options.recipe.batch == 0) options.recipe.batch = usual_batch(nodes, frames);

  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const training::RunReport report = run(options, machine, course, watcher_for(line, options));
  line.finish();
  if (report.divergence) return diverged(options, report);
  if (report.interrupted) {
    fmt::print(stderr, "interrupted after step {} of {}; to go on: {}\n", report.steps_done, report.steps,
               command_to_resume(options));
    return exit_interrupted;
  }
  write_results(options, machine, report, course);
  return 0;
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand("train", "Train a network on the emulated machine");
  add_train_options(*command, *arguments);
  command->footer(
      "Exit code: 2 for what is refused, 3 if the loss or the weights are no longer finite, 130 after "
      "Ctrl-C");
  command->callback([arguments, command] {
    const int code = train(*arguments, *command);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace dojo::tools
