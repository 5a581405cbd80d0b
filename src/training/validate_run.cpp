#include "training/active_run.h"

namespace dojo::training {

std::vector<OutputQuality> validation_of(ActiveRun& run) {
  const TrainingData& data = run.prepared.data;
  const std::vector<std::uint32_t>& frames = data.split.validation;
  const runtime::Predictions predictions = run.emulated.predict(frames);
  if (predictions.interrupted) return {};
  return judge(run.prepared.network.targets, data.specifications, measured_values(data.examples, frames),
               predictions.outputs);
}

void validate_run(ActiveRun& run) {
  if (!run.goes_on() || !run.validation.empty()) return;
  run.watcher.phase("validating");
  run.validation = validation_of(run);
  run.interrupted = run.validation.empty();
}

}  // namespace dojo::training
