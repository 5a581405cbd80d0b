#include "training/session.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/stopwatch.h"
#include "machine/rates.h"
#include "onnx/export.h"
#include "runtime/emulated_network.h"
#include "training/batches.h"
#include "training/history.h"
#include "training/run_folder.h"

namespace dojo::training {
namespace {

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string hash_of(const lowering::Tensors& tensors) {
  Sha256 hash;
  for (const auto& [name, values] : tensors) {
    hash.add(std::as_bytes(std::span(name)));
    hash.add(std::as_bytes(std::span(values)));
  }
  return hash.hex();
}

// Words of the persistent regions that are FP32 infinities or not numbers. All that lies there is FP32.
std::size_t unbounded(const std::vector<std::vector<std::byte>>& regions) {
  std::size_t count = 0;
  for (const auto& region : regions)
    for (std::size_t at = 0; at + 4 <= region.size(); at += 4) {
      std::uint32_t word;
      std::memcpy(&word, region.data() + at, sizeof word);
      count += (word & 0x7f800000) == 0x7f800000 ? 1 : 0;
    }
  return count;
}

class Session {
public:
  Session(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& run,
          const Watcher& watcher)
      : options_(options),
        machine_(machine),
        network_(run.network),
        compiled_(run.compiled),
        data_(run.data),
        watcher_(watcher),
        emulated_(machine, run.compiled, output_names(network_.train_step), output_names(network_.predict),
                  options.host),
        batches_(data_.split.train, options.recipe.seed, static_cast<std::uint64_t>(options.recipe.batch)),
        steps_(steps_of(options, data_)) {}

  // Starts from `saved` where there is one.
  RunReport go(const std::optional<SavedRun>& saved) {
    watcher_.phase("storing the data set in HBM");
    const bool stored = emulated_.store_examples(data_.examples, data::all_frames(data_.examples.size()));
    if (saved) {
      totals_ = saved->totals;
      emulated_.restore(saved->regions);
      keep_best(*options_.resume);
    } else {
      emulated_.load_parameters(network_.initial);
    }
    open_history();
    unbounded_ = unbounded(emulated_.regions());
    if (stored && !saved) save();  // from here on a kill leaves a run that can go on
    watcher_.phase("training");
    const bool whole = stored && train_steps();
    if (divergence_) return report(false);
    save();
    if (whole && validation_.empty()) {  // there was no step to do
      watcher_.phase("validating");
      validation_ = validate();
    }
    return report(whole && !validation_.empty());
  }

private:
  void save() {
    history_->sync();
    write_saved(options_.out, {.identity = identity_of(options_, machine_, data_),
                               .asked = options_.asked,
                               .steps = steps_,
                               .program = compiled_.sha256,
                               .totals = totals_,
                               .regions = emulated_.regions()});
    last_saved_ = Stopwatch();
  }

  void open_history() {
    std::vector<std::string> values, outputs;
    for (std::size_t i = 0; i < network_.targets.size(); ++i) {
      outputs.push_back(network_.targets[i].name);
      for (const std::string& label : data_.specifications[i].labels)
        values.push_back(column({.output = network_.targets[i].name, .label = label}));
    }
    history_.emplace(options_.out, outputs, values, options_.resume.value_or(options_.out) / history_file,
                     totals_.step);
  }

  // The best parameters so far lie in a file; a run that goes on in another folder takes it along.
  void keep_best(const std::filesystem::path& from) {
    std::error_code none;
    if (!std::filesystem::exists(best_in(from), none)) totals_.best.reset();
    if (!totals_.best || std::filesystem::equivalent(from, options_.out, none)) return;
    write_file(best_in(options_.out), read_file(best_in(from)));
  }

  static std::filesystem::path best_in(const std::filesystem::path& folder) { return folder / best_file; }

  onnx::Model model_of(const lowering::Tensors& values) const {
    onnx::Model model = onnx::with_values(network_.file, values);
    model.producer = "OpenDojo";
    return model;
  }

  // False if interrupted or diverged; the totals then count the completed steps only, and the machine holds
  // their state (after a divergence: nobody's).
  bool train_steps() {
    const Stopwatch began;
    const std::uint64_t first = totals_.step;
    last_saved_ = Stopwatch();
    while (totals_.step < steps_) {
      if (options_.host.interrupted()) return false;
      const auto before = emulated_.regions();
      const RunTotals done = totals_;
      HistoryRow row;
      if (!train_step(row)) {
        emulated_.restore(before);
        return false;
      }
      find_divergence(row);
      const bool epoch_over = totals_.step % batches_.steps_per_epoch() == 0,
                 run_over = totals_.step == steps_;
      if (!divergence_ && (epoch_over || run_over)) {
        validation_ = row.validation = validate();
        if (validation_.empty()) {
          emulated_.restore(before);
          totals_ = done;
          return false;
        }
        note_best(row);
      }
      history_->add(row);
      if (divergence_) return false;
      announce(row, began.seconds() / static_cast<double>(totals_.step - first));
      if (!run_over && (epoch_over || last_saved_.seconds() > options_.checkpoint_seconds)) save();
    }
    return true;
  }

  // One step, counted in the totals; false if interrupted, and then nothing is counted.
  bool train_step(HistoryRow& row) {
    const Stopwatch wall;
    const double cpu = process_cpu_seconds();
    row.learning_rate = options_.schedule.at(options_.learning_rate, totals_.step, steps_);
    row.step = totals_.step + 1;
    row.epoch = totals_.step / batches_.steps_per_epoch() + 1;
    const std::vector<std::uint32_t> frames = batches_.of_step(totals_.step);
    const runtime::StepResult result =
        emulated_.step(frames, row.step, options_.recipe.seed,
                       graph::optimizer_scalars(options_.recipe.optimizer, row.step, row.learning_rate));
    if (result.interrupted) return false;
    totals_.step = row.step;
    totals_.frames += frames.size();
    totals_.cycles += row.cycles = result.cycles;
    totals_.losses = row.losses = result.values;
    totals_.ledger.add(result.ledger);
    totals_.cpu_seconds += process_cpu_seconds() - cpu;
    totals_.wall_seconds += wall.seconds();
    row.frames_per_second = static_cast<double>(frames.size()) / wall.seconds();
    utilisation_ = machine::matrix_utilisation(machine_, compiled_.nodes, result.ledger, result.cycles);
    return true;
  }

  void find_divergence(const HistoryRow& row) {
    for (const float loss : row.losses)
      if (!std::isfinite(loss)) {
        divergence_ = {row.step, fmt::format("its loss is {}", loss), row.step == 1};
        return;
      }
    if (const std::size_t now = unbounded(emulated_.regions()); now > unbounded_)
      divergence_ = {row.step, fmt::format("it left {} weights infinite or not a number", now - unbounded_),
                     false};
  }

  void note_best(const HistoryRow& row) {
    const Score score = score_of(row.validation);
    if (totals_.best && !score.is_better_than(totals_.best->score)) return;
    onnx::write_model(best_in(options_.out), model_of(emulated_.parameters()));
    totals_.best = {row.step, row.epoch, score};
  }

  void announce(const HistoryRow& row, double seconds_per_step) const {
    watcher_.progress({.step = totals_.step,
                       .steps = steps_,
                       .loss = row.losses.front(),
                       .seconds_left = seconds_per_step * static_cast<double>(steps_ - totals_.step),
                       .frames_per_second = row.frames_per_second,
                       .simulated_seconds_per_step = machine::simulated_seconds(machine_, row.cycles),
                       .matrix_utilisation = utilisation_});
  }

  // Nothing if interrupted.
  std::vector<OutputQuality> validate() {
    const std::vector<std::uint32_t>& frames = data_.split.validation;
    const runtime::Predictions predictions = emulated_.predict(frames);
    if (predictions.interrupted) return {};
    return judge(network_.targets, data_.specifications, measured_values(data_.examples, frames),
                 predictions.outputs);
  }

  RunReport report(bool whole) {
    RunReport report;
    report.steps = steps_;
    report.steps_done = totals_.step;
    report.frames = totals_.frames;
    report.train_frames = data_.split.train.size();
    report.validation_frames = data_.split.validation.size();
    report.losses = totals_.losses;
    report.cycles = totals_.cycles;
    report.simulated_seconds = machine::simulated_seconds(machine_, totals_.cycles);
    report.matrix_utilisation =
        machine::matrix_utilisation(machine_, compiled_.nodes, totals_.ledger, totals_.cycles);
    report.ledger = totals_.ledger;
    report.nodes = compiled_.nodes;
    report.samples_per_node = compiled_.samples_per_node;
    report.program_sha256 = compiled_.sha256;
    report.cpu_seconds = totals_.cpu_seconds;
    report.wall_seconds = totals_.wall_seconds;
    report.interrupted = !whole && !divergence_;
    report.best = totals_.best;
    report.divergence = divergence_;
    if (whole) {
      const lowering::Tensors values = emulated_.parameters();
      report.validation = validation_;
      report.weights_sha256 = hash_of(values);
      report.trained = model_of(values);
    }
    report.peak_bytes = peak_bytes();
    return report;
  }

  const TrainOptions& options_;
  const machine::Machine& machine_;
  const TrainableNetwork& network_;
  const codegen::CompiledNetwork& compiled_;
  const TrainingData& data_;
  const Watcher& watcher_;
  runtime::EmulatedNetwork emulated_;
  Batches batches_;
  std::uint64_t steps_;
  RunTotals totals_;
  std::optional<History> history_;
  std::vector<OutputQuality> validation_;  // of the last epoch's end
  std::optional<Divergence> divergence_;
  std::size_t unbounded_ = 0;  // a file may hold infinite weights, which stay
  double utilisation_ = 0;     // of the last step
  Stopwatch last_saved_;
};

}  // namespace

RunReport run_session(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& run,
                      const Watcher& watcher) {
  return Session(options, machine, run, watcher).go(run.saved);
}

}  // namespace dojo::training
