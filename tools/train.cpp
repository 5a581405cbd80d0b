// dojo train: a network learns to steer on the emulated machine.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "commands.h"
#include "divergence_text.h"
#include "driving_data.h"
#include "onnx/file.h"
#include "output_folder.h"
#include "report/run_pictures.h"
#include "run_files.h"
#include "say.h"
#include "shell_word.h"
#include "stop_request.h"
#include "train_check.h"
#include "train_options.h"
#include "train_progress.h"
#include "train_report.h"
#include "trained_parameters.h"
#include "training/history.h"
#include "training/predictions.h"
#include "training/run_folder.h"
#include "training/saved_run.h"

namespace dojo::tools {
namespace {

// The command line that goes on with this run.
std::string command_to_resume(const training::TrainOptions& options) {
  return fmt::format("{} train {} --resume {}", shell_word(program_invocation_name),
                     shell_word(options.recipe.model.string()), shell_word(options.out.string()));
}

// What one reads on stderr while a run works.
training::Watcher watcher_for(ProgressLine& line, const training::TrainOptions& options) {
  training::Watcher watcher;
  watcher.phase = [&](std::string_view what) { line.phase(what); };
  watcher.progress = [&](const training::Progress& progress) { line.show(progress); };
  watcher.writing = [&] {
    std::error_code none;
    const bool goes_on = options.resume && std::filesystem::equivalent(*options.resume, options.out, none);
    clear_earlier_run(options.out, goes_on);
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

// Also of a run that is not over: it shows why one stopped it, or how it went wrong.
void draw_loss(const training::TrainOptions& options) {
  write_text(options.out / training::loss_picture_file,
             report::loss_picture(training::read_history(options.out / training::history_file)));
}

void write_results(const training::TrainOptions& options, const machine::Machine& machine,
                   const training::RunReport& report, const DrivingData& data) {
  draw_loss(options);
  write_text(options.out / training::predictions_picture_file,
             report::predictions_picture(report.validation, data.split().validation, "held-out frames"));
  write_text(options.out / training::predictions_file,
             training::predictions_csv(data.frames(), data.split().validation, report.validation));
  onnx::write_model(options.out / training::trained_file, report.trained);
  write_text(options.out / training::run_file, run_json(options, machine, report, data.data().name()));
  const std::string text = run_text(machine, report);
  write_text(options.out / training::report_file, text);
  fmt::print("{}\nwritten: {}\n", text, printable(written_by_a_run(options.out)));
}

constexpr std::string_view nothing_written = "nothing was trained or written";

// What was asked for, with its files read.
struct Task {
  training::TrainOptions options;
  machine::Machine machine;
  training::TrainableNetwork network;
  std::unique_ptr<DrivingData> data;
  double reading_seconds = 0;  // of the data set

  training::TrainingData data_for(const training::TrainableNetwork& read) const {
    say_what_is_trained(read);
    return data->for_network(read);
  }
};

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
  training::Recipe sketch = options.recipe;  // a bad file is refused before the long work
  if (sketch.batch == 0) sketch.batch = nodes;
  task.network = training::read_network(sketch);
  if (arguments.check) {
    refuse_unusable_folder(options.out);
  } else {
    folder.emplace(options.out);
  }
  refuse_to_lose(options.out, options.recipe.model);
  line.phase("reading the data set");
  const Stopwatch reading;
  task.data = std::make_unique<DrivingData>(arguments.data, arguments.seed, arguments.host.threads);
  end_if_stopped(nothing_written);
  const std::size_t frames = task.data->for_network(task.network).split.train.size();
  if (options.recipe.batch == 0) options.recipe.batch = usual_batch(nodes, frames);
  task.reading_seconds = reading.seconds();
  return task;
}

int check(const Task& task, const training::Watcher& watcher) {
  const training::DryRun dry_run = unless_stopped([&] {
    return training::dry_run(
        task.options, task.machine, [&](const auto& read) { return task.data_for(read); }, watcher);
  });
  if (dry_run.interrupted) end_if_stopped(nothing_written);
  fmt::print("{}",
             check_text(task.options, task.machine, task.network, *task.data, dry_run, task.reading_seconds));
  return 0;
}

int run(const Task& task, ProgressLine& line, const training::Watcher& watcher) {
  const training::RunReport report = unless_stopped([&] {
    return training::train(
        task.options, task.machine, [&](const auto& read) { return task.data_for(read); }, watcher);
  });
  line.finish();
  if (report.divergence) {
    say("dojo: {}",
        divergence_text(*report.divergence, task.network.file, training::checkpoint_in(task.options.out)));
    draw_loss(task.options);
    return exit_guest_stranded;
  }
  if (report.interrupted) {
    say("interrupted after step {} of {}; to go on: {}", report.steps_done, report.steps,
        command_to_resume(task.options));
    draw_loss(task.options);
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
  const training::Watcher watcher = watcher_for(line, task.options);
  return arguments.check ? check(task, watcher) : run(task, line, watcher);
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
