#include <fmt/format.h>
#include <time.h>

#include <cmath>

#include "base/stopwatch.h"
#include "machine/rates.h"
#include "training/active_run.h"
#include "training/unbounded.h"

namespace dojo::training {
namespace {

double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What a step came to, beside its row.
struct StepDone {
  HistoryRow row;
  double matrix_utilisation = 0;
};

// Counted in the totals; nothing if interrupted, and then nothing is counted.
std::optional<StepDone> train_step(ActiveRun& run) {
  const Stopwatch wall;
  const double cpu = process_cpu_seconds();
  const TrainOptions& options = run.options;
  StepDone done;
  HistoryRow& row = done.row;
  row.learning_rate = options.schedule.at(options.learning_rate, run.totals.step, run.steps);
  row.step = run.totals.step + 1;
  row.epoch = run.totals.step / run.batches.steps_per_epoch() + 1;
  const std::vector<std::uint32_t> frames = run.batches.of_step(run.totals.step);
  const runtime::StepResult result =
      run.emulated.step(frames, row.step, options.recipe.seed,
                        graph::optimizer_scalars(options.recipe.optimizer, row.step, row.learning_rate));
  if (result.interrupted) return std::nullopt;
  run.totals.step = row.step;
  run.totals.frames += frames.size();
  run.totals.cycles += row.cycles = result.cycles;
  run.totals.losses = row.losses = result.values;
  run.totals.ledger.add(result.ledger);
  run.host.cpu_seconds += process_cpu_seconds() - cpu;
  run.host.wall_seconds += wall.seconds();
  run.host.frames += frames.size();
  row.frames_per_second = static_cast<double>(frames.size()) / wall.seconds();
  done.matrix_utilisation =
      machine::matrix_utilisation(run.machine, run.prepared.compiled.nodes, result.ledger, result.cycles);
  return done;
}

std::optional<Divergence> divergence_at(const ActiveRun& run, const HistoryRow& row) {
  for (const float loss : row.losses)
    if (!std::isfinite(loss)) return Divergence{row.step, fmt::format("its loss is {}", loss), row.step == 1};
  const std::size_t now = unbounded_numbers(run.emulated.regions());
  if (now <= run.unbounded) return std::nullopt;
  return Divergence{row.step, fmt::format("it left {} weights infinite or not a number", now - run.unbounded),
                    false};
}

// False if interrupted.
bool validate_step(ActiveRun& run, HistoryRow& row) {
  run.validation = row.validation = validation_of(run);
  if (run.validation.empty()) return false;
  note_best_network(run, row);
  return true;
}

void announce(const ActiveRun& run, const StepDone& done, double seconds_per_step) {
  const HistoryRow& row = done.row;
  run.watcher.progress({.step = row.step,
                        .steps = run.steps,
                        .loss = row.losses.front(),
                        .seconds_left = seconds_per_step * static_cast<double>(run.steps - row.step),
                        .frames_per_second = row.frames_per_second,
                        .simulated_seconds_per_step = machine::simulated_seconds(run.machine, row.cycles),
                        .matrix_utilisation = done.matrix_utilisation});
}

}  // namespace

void train_steps(ActiveRun& run) {
  run.watcher.phase("training");
  const Stopwatch began;
  Stopwatch since_saved;
  const std::uint64_t first = run.totals.step;
  while (run.goes_on() && run.totals.step < run.steps) {
    run.interrupted = run.options.host.interrupted();
    if (run.interrupted) return;
    const auto regions_before = run.emulated.regions();
    const RunTotals totals_before = run.totals;
    std::optional<StepDone> done = train_step(run);
    if (done) run.divergence = divergence_at(run, done->row);
    const bool run_over = run.totals.step == run.steps;
    const bool epoch_over = run.totals.step % run.batches.steps_per_epoch() == 0;
    const bool validates = done && !run.divergence && (epoch_over || run_over);
    run.interrupted = !done || (validates && !validate_step(run, done->row));
    if (run.interrupted) {
      run.emulated.restore(regions_before);
      run.totals = totals_before;
      return;
    }
    run.history->add(done->row);
    if (run.divergence) return;
    announce(run, *done, began.seconds() / static_cast<double>(run.totals.step - first));
    if (run_over || !(epoch_over || since_saved.seconds() > run.options.checkpoint_seconds)) continue;
    save_run(run);
    since_saved = Stopwatch();
  }
}

}  // namespace dojo::training
