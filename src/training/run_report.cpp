#include <sys/resource.h>

#include "machine/rates.h"
#include "training/active_run.h"

namespace dojo::training {
namespace {

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

RunReport report_of_nothing() {
  RunReport report;
  report.interrupted = true;
  return report;
}

RunReport run_report(const ActiveRun& run, std::optional<TrainedNetwork> trained) {
  const RunTotals& totals = run.totals;
  const codegen::CompiledNetwork& compiled = run.prepared.compiled;
  RunReport report;
  report.interrupted = run.interrupted;
  report.steps = run.steps;
  report.steps_done = totals.step;
  report.frames = totals.frames;
  report.train_frames = run.prepared.data.split.train.size();
  report.validation_frames = run.prepared.data.split.validation.size();
  report.losses = totals.losses;
  report.best = totals.best;
  report.divergence = run.divergence;
  report.cycles = totals.cycles;
  report.simulated_seconds = machine::simulated_seconds(run.machine, totals.cycles);
  report.matrix_utilisation =
      machine::matrix_utilisation(run.machine, compiled.nodes, totals.ledger, totals.cycles);
  report.ledger = totals.ledger;
  report.nodes = compiled.nodes;
  report.samples_per_node = compiled.samples_per_node;
  report.program_sha256 = compiled.sha256;
  report.host = run.host;
  report.host.peak_bytes = peak_bytes();
  if (!trained) return report;
  report.validation = run.validation;
  report.trained = std::move(trained->model);
  report.weights_sha256 = std::move(trained->weights_sha256);
  return report;
}

}  // namespace dojo::training
