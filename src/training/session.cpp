#include "training/session.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "graph/onnx_export.h"
#include "training/emulated_network.h"
#include "training/history.h"

namespace dojo::training {
namespace {

using WallClock = std::chrono::steady_clock;

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_since(WallClock::time_point start) {
  return std::chrono::duration<double>(WallClock::now() - start).count();
}

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string hash_of(const compiler::Tensors& tensors) {
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
  Session(const TrainOptions& options, const machine::Machine& machine, const TrainableNetwork& network,
          const compiler::CompiledNetwork& compiled, const Course& course, const Watcher& watcher)
      : options_(options),
        machine_(machine),
        network_(network),
        compiled_(compiled),
        course_(course),
        watcher_(watcher),
        emulated_(machine, compiled, names_of(network.train_step), names_of(network.predict),
                  {.threads = options.host_threads,
                   .vectors = options.host_vectors,
                   .timing = options.timing,
                   .interrupted = watcher.interrupted}),
        batch_(static_cast<std::uint64_t>(options.recipe.batch)),
        steps_per_epoch_(steps_per_epoch(options, course)),
        steps_(steps_of(options, course)),
        schedule_(options.schedule, options.learning_rate, steps_) {}

  // Starts from `saved` where there is one.
  RunReport go(const std::optional<SavedRun>& saved) {
    watcher_.phase("storing the data set in HBM");
    const bool stored = emulated_.store_examples(course_.examples);
    if (saved) {
      tally_ = saved->tally;
      emulated_.restore(saved->regions);
      keep_best(*options_.resume);
    } else {
      emulated_.load_parameters(network_.initial);
    }
    open_history();
    unbounded_ = unbounded(emulated_.regions());
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
  static std::vector<std::string> names_of(const graph::Graph& graph) {
    std::vector<std::string> names;
    for (const graph::TensorId output : graph.outputs) names.push_back(graph.at(output).name);
    return names;
  }

  void save() {
    history_->sync();
    write_saved(options_.out, {.identity = identity_of(options_, machine_, course_),
                               .asked = options_.asked,
                               .steps = steps_,
                               .program = compiled_.sha256,
                               .tally = tally_,
                               .regions = emulated_.regions()});
    last_saved_ = WallClock::now();
  }

  void open_history() {
    std::vector<std::string> values, outputs;
    for (std::size_t i = 0; i < network_.targets.size(); ++i) {
      outputs.push_back(network_.targets[i].name);
      for (const std::string& label : course_.meanings[i].labels)
        values.push_back(column({network_.targets[i].name, label, {}}));
    }
    history_.emplace(options_.out, outputs, values, options_.resume.value_or(options_.out) / "history.csv",
                     tally_.step);
  }

  // The best parameters so far lie in a file; a run that goes on in another folder takes it along.
  void keep_best(const std::filesystem::path& from) {
    std::error_code none;
    if (!std::filesystem::exists(best_in(from), none)) tally_.best.reset();
    if (!tally_.best || std::filesystem::equivalent(from, options_.out, none)) return;
    write_file(best_in(options_.out), read_file(best_in(from)));
  }

  static std::filesystem::path best_in(const std::filesystem::path& folder) { return folder / "best.onnx"; }

  graph::onnx::Model model_of(const compiler::Tensors& values) const {
    graph::onnx::Model model = graph::onnx::with_values(network_.file, values);
    model.producer = "OpenDojo";
    return model;
  }

  std::vector<std::uint32_t> frames_of(std::uint64_t step) {
    const std::uint64_t epoch = step / steps_per_epoch_, place = step % steps_per_epoch_;
    if (order_.empty() || epoch != order_epoch_) {
      order_ = shuffled(course_.split.train, options_.recipe.seed, epoch);
      order_epoch_ = epoch;
    }
    const std::uint64_t first = place * batch_, last = std::min<std::uint64_t>(first + batch_, order_.size());
    return {order_.begin() + static_cast<std::ptrdiff_t>(first),
            order_.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  // False if interrupted or diverged; the tally then counts the completed steps only, and the machine holds
  // their state (after a divergence: nobody's).
  bool train_steps() {
    const WallClock::time_point began = WallClock::now();
    const std::uint64_t first = tally_.step;
    last_saved_ = began;
    while (tally_.step < steps_) {
      if (watcher_.interrupted()) return false;
      const auto before = emulated_.regions();
      const Tally done = tally_;
      HistoryRow row;
      if (!train_step(row)) {
        emulated_.restore(before);
        return false;
      }
      find_divergence(row);
      const bool epoch_over = tally_.step % steps_per_epoch_ == 0, run_over = tally_.step == steps_;
      if (!divergence_ && (epoch_over || run_over)) {
        validation_ = row.validation = validate();
        if (validation_.empty()) {
          emulated_.restore(before);
          tally_ = done;
          return false;
        }
        note_best(row);
      }
      history_->add(row);
      if (divergence_) return false;
      announce(row, seconds_since(began) / static_cast<double>(tally_.step - first));
      if (!run_over && (epoch_over || seconds_since(last_saved_) > options_.checkpoint_seconds)) save();
    }
    return true;
  }

  // One step, counted in the tally; false if interrupted, and then nothing is counted.
  bool train_step(HistoryRow& row) {
    const WallClock::time_point wall = WallClock::now();
    const double cpu = process_cpu_seconds();
    row.learning_rate = schedule_.at(tally_.step);
    row.step = tally_.step + 1;
    row.epoch = tally_.step / steps_per_epoch_ + 1;
    const auto scalars = std::visit(
        [&](const auto& rule) {
          return graph::optimizer_scalars(rule, static_cast<std::int64_t>(row.step),
                                          static_cast<float>(row.learning_rate));
        },
        options_.recipe.optimizer);
    const std::vector<std::uint32_t> frames = frames_of(tally_.step);
    const StepResult result = emulated_.step(frames, row.step, options_.recipe.seed, scalars);
    if (result.interrupted) return false;
    tally_.step = row.step;
    tally_.frames += frames.size();
    tally_.cycles += row.cycles = result.cycles;
    tally_.losses = row.losses = result.values;
    tally_.ledger.add(result.ledger);
    tally_.cpu_seconds += process_cpu_seconds() - cpu;
    tally_.wall_seconds += seconds_since(wall);
    row.frames_per_second = static_cast<double>(frames.size()) / seconds_since(wall);
    utilisation_ = utilisation(result.ledger, result.cycles);
    return true;
  }

  void find_divergence(const HistoryRow& row) {
    for (const float loss : row.losses)
      if (!std::isfinite(loss)) {
        divergence_ = {row.step, fmt::format("its loss is {}", loss)};
        return;
      }
    if (const std::size_t now = unbounded(emulated_.regions()); now > unbounded_)
      divergence_ = {row.step, fmt::format("it left {} weights infinite or not a number", now - unbounded_)};
  }

  void note_best(const HistoryRow& row) {
    const Score score = score_of(row.validation);
    if (tally_.best && !score.is_better_than(tally_.best->score)) return;
    graph::onnx::write_model(best_in(options_.out), model_of(emulated_.parameters()));
    tally_.best = {row.step, row.epoch, score};
  }

  void announce(const HistoryRow& row, double seconds_per_step) const {
    watcher_.progress({.step = tally_.step,
                       .steps = steps_,
                       .loss = row.losses.front(),
                       .seconds_left = seconds_per_step * static_cast<double>(steps_ - tally_.step),
                       .frames_per_second = row.frames_per_second,
                       .simulated_seconds_per_step = seconds_of(row.cycles),
                       .matrix_utilisation = utilisation_});
  }

  double seconds_of(std::uint64_t cycles) const {
    return static_cast<double>(cycles) / (machine_.node.clock_ghz * 1e9);
  }

  double utilisation(const machine::Ledger& ledger, std::uint64_t cycles) const {
    if (cycles == 0) return 0;
    const double peak =
        static_cast<double>(cycles) * compiled_.nodes * static_cast<double>(machine_.node.matrix_macs);
    return static_cast<double>(ledger.total("nodes", "matrix.macs")) / peak;
  }

  // Nothing if interrupted.
  std::vector<OutputQuality> validate() {
    const std::vector<std::uint32_t>& frames = course_.split.validation;
    const Predictions predictions = emulated_.predict(frames);
    if (predictions.interrupted) return {};
    return judge(network_.targets, course_.meanings, course_.examples, frames, predictions.outputs);
  }

  RunReport report(bool whole) {
    RunReport report;
    report.steps = steps_;
    report.steps_done = tally_.step;
    report.frames = tally_.frames;
    report.train_frames = course_.split.train.size();
    report.validation_frames = course_.split.validation.size();
    report.losses = tally_.losses;
    report.cycles = tally_.cycles;
    report.simulated_seconds = seconds_of(tally_.cycles);
    report.matrix_utilisation = utilisation(tally_.ledger, tally_.cycles);
    report.ledger = tally_.ledger;
    report.nodes = compiled_.nodes;
    report.samples_per_node = compiled_.samples_per_node;
    report.program_sha256 = compiled_.sha256;
    report.cpu_seconds = tally_.cpu_seconds;
    report.wall_seconds = tally_.wall_seconds;
    report.interrupted = !whole && !divergence_;
    report.best = tally_.best;
    report.divergence = divergence_;
    if (whole) {
      const compiler::Tensors values = emulated_.parameters();
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
  const compiler::CompiledNetwork& compiled_;
  const Course& course_;
  const Watcher& watcher_;
  EmulatedNetwork emulated_;
  std::uint64_t batch_, steps_per_epoch_, steps_;
  Schedule schedule_;
  Tally tally_;
  std::optional<History> history_;
  std::vector<OutputQuality> validation_;  // of the last epoch's end
  std::optional<Divergence> divergence_;
  std::size_t unbounded_ = 0;  // a file may hold infinite weights, which stay
  double utilisation_ = 0;     // of the last step
  std::vector<std::uint32_t> order_;
  std::uint64_t order_epoch_ = 0;
  WallClock::time_point last_saved_;
};

}  // namespace

RunReport run_session(const TrainOptions& options, const machine::Machine& machine,
                      const TrainableNetwork& network, const compiler::CompiledNetwork& compiled,
                      const Course& course, const Watcher& watcher, const std::optional<SavedRun>& saved) {
  return Session(options, machine, network, compiled, course, watcher).go(saved);
}

}  // namespace dojo::training
