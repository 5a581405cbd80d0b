// dojo train: a network learns to steer on the emulated machine.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "commands.h"
#include "data_options.h"
#include "output_folder.h"
#include "report/divergence_text.h"
#include "report/dry_run_text.h"
#include "report/run_files.h"
#include "report/run_report.h"
#include "say.h"
#include "shell_word.h"
#include "stop_request.h"
#include "train_options.h"
#include "train_progress.h"
#include "trained_parameters.h"
#include "training/array_data.h"
#include "training/dry_run.h"
#include "training/run_folder.h"
#include "training/saved_run.h"
#include "version.h"

namespace dojo::tools {
namespace {

// The command line that goes on with this run.
std::string command_to_resume(const training::TrainOptions& options) {
  return fmt::format("{} train {} --resume {}", shell_word(program_invocation_name),
                     shell_word(options.recipe.model.string()), shell_word(options.out.string()));
}

// What one reads on stderr while a run works. `writes` becomes true when it begins to.
training::Watcher watcher_for(ProgressLine& line, const training::TrainOptions& options, bool& writes) {
  training::Watcher watcher;
  watcher.phase = [&](std::string_view what) { line.phase(what); };
  watcher.progress = [&](const training::Progress& progress) { line.show(progress); };
  watcher.writing = [&](const std::vector<std::string_view>& removed) {
    writes = true;
    if (!removed.empty())
      say("{}: replaces an earlier run (removed: {})", options.out.string(), fmt::join(removed, ", "));
  };
  watcher.resumed = [&](std::uint64_t done, std::uint64_t meant, std::uint64_t steps) {
    say("going on behind step {} of {}", done, steps);
    if (meant != steps)
      say("the run was meant to have {} steps: from here on the learning rate is that of a run of {}, not "
          "what it would have been had it had them from the start",
          meant, steps);
  };
  return watcher;
}

void write_results(const training::TrainOptions& options, const machine::Machine& machine,
                   const training::RunReport& report, const training::DataSource& data) {
  const std::string json = report::run_json(options, machine, report, data.name(), version());
  const std::string text = report::run_text(machine, report);
  report::write_run_files(options.out, report, data.frames(), data.split().validation, json, text);
  fmt::print("{}\nwritten: {}\n", text, printable(training::written_by_a_run(options.out)));
}

constexpr std::string_view nothing_trained = "nothing was trained or written";

// What was asked for, with its files read.
struct Task {
  training::TrainOptions options;
  machine::Machine machine;
  training::TrainableNetwork network;
  std::unique_ptr<training::DataSource> data;
  double reading_seconds = 0;  // of the data set

  training::TrainingData data_for(const training::TrainableNetwork& read) const {
    say_what_is_trained(read);
    return data->for_training(read);
  }
};

// What the arrays are, and by that what the outputs learn.
std::unique_ptr<training::DataSource> open_arrays(const TrainArguments& arguments, training::Recipe& recipe) {
  auto data = std::make_unique<training::ArrayData>(data::read_arrays(arguments.data.arrays),
                                                    arguments.data.arrays, onnx::read_model(recipe.model),
                                                    recipe.model.string(), recipe.choices);
  for (const std::string& note : data->notes()) say("{}", note);
  recipe.choices = data->choices();
  return data;
}

Task task_from(TrainArguments& arguments, Command& command, ProgressLine& line,
               std::optional<OutputFolder>& folder) {
  if (!arguments.resume.empty()) take_from(training::read_saved(arguments.resume).asked, command);
  if (arguments.model.empty()) refuse("dojo train", "names no network: MODEL is missing");
  Task task;
  task.machine = machine::read_machine(arguments.machine);
  codegen::check_machine(task.machine);
  training::TrainOptions& options = task.options = options_from(arguments, task.machine);
  options.asked = asked_by(command);
  const unsigned nodes = options.nodes != 0 ? options.nodes : task.machine.enabled_nodes();
  if (!arguments.data.arrays.empty()) task.data = open_arrays(arguments, options.recipe);
  training::Recipe sketch = options.recipe;  // a bad file is refused before the long work
  if (sketch.batch == 0) sketch.batch = nodes;
  task.network = training::read_network(sketch);
  if (arguments.check) {
    refuse_unusable_folder(options.out);
  } else {
    folder.emplace(options.out);
  }
  training::refuse_to_lose(options.out, options.recipe.model);
  line.phase("reading the data set");
  const Stopwatch reading;
  if (task.data == nullptr)
    task.data = std::make_unique<driving::DrivingData>(
        open_data(arguments.data, arguments.seed, arguments.host.threads, nothing_trained));
  const std::size_t frames = task.data->for_training(task.network).split.train.size();
  if (options.recipe.batch == 0) options.recipe.batch = usual_batch(nodes, frames);
  task.reading_seconds = reading.seconds();
  return task;
}

int check(const Task& task, ProgressLine& line) {
  bool writes = false;  // it never does
  const training::Watcher watcher = watcher_for(line, task.options, writes);
  const training::DryRun dry_run = unless_stopped(nothing_trained, [&] {
    return training::dry_run(
        task.options, task.machine, [&](const auto& read) { return task.data_for(read); }, watcher);
  });
  if (dry_run.interrupted) end_if_stopped(nothing_trained);
  fmt::print("{}", report::dry_run_text(task.options, task.machine, task.network, task.data->frames(),
                                        dry_run, task.reading_seconds));
  return 0;
}

training::RunReport trained(const Task& task, ProgressLine& line) {
  bool writes = false;
  const training::Watcher watcher = watcher_for(line, task.options, writes);
  try {
    return training::train(
        task.options, task.machine, [&](const auto& read) { return task.data_for(read); }, watcher);
  } catch (const UserError&) {
    if (!writes) end_if_stopped(nothing_trained);  // Ctrl-C reaches the compiler as well
    throw;
  }
}

int run(const Task& task, ProgressLine& line) {
  const training::RunReport report = trained(task, line);
  line.finish();
  if (report.divergence) {
    say("dojo: {}{}",
        report::divergence_text(*report.divergence, task.network.file,
                                training::checkpoint_in(task.options.out)),
        report.divergence->untrained ? "" : " (--lr)");
    report::write_loss_picture(task.options.out);
    return exit_guest_stranded;
  }
  if (report.interrupted && report.steps == 0) end_if_stopped(nothing_trained);
  if (report.interrupted) {
    say("interrupted after step {} of {}; to go on: {}", report.steps_done, report.steps,
        command_to_resume(task.options));
    report::write_loss_picture(task.options.out);
    return exit_interrupted;
  }
  write_results(task.options, task.machine, report, *task.data);
  return 0;
}

int train(TrainArguments& arguments, Command& command) {
  ProgressLine line;
  std::optional<OutputFolder> folder;
  listen_for_stop_requests();
  const Task task = task_from(arguments, command, line, folder);
  return arguments.check ? check(task, line) : run(task, line);
}

}  // namespace

Command train_command() {
  auto arguments = std::make_shared<TrainArguments>();
  return {
      .name = "train",
      .summary = "Train a network on the emulated machine",
      .options = train_options(*arguments),
      .footer =
          "Exit code: 2 for what is refused, 3 if the loss or the weights are no longer finite, 130 after "
          "Ctrl-C",
      .run = [arguments](Command& command) { return train(*arguments, command); }};
}

}  // namespace dojo::tools
