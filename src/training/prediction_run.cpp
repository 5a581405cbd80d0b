#include "training/prediction_run.h"

#include <algorithm>

#include "base/error.h"
#include "training/prepared_run.h"

namespace dojo::training {

PredictionRun predict(const ForwardNetwork& network, const data::Examples& examples,
                      std::span<const std::uint32_t> frames, const machine::Machine& machine,
                      const codegen::Options& compiling, system::Host host,
                      const PredictionWatcher& watcher) {
  DOJO_ENSURE(examples.target_elements() == 0);
  watcher.phase("compiling");
  // Nothing is trained: the forward pass stands in for the step.
  const codegen::CompiledNetwork compiled =
      codegen::compile(network.predict, network.predict, machine, compiling);
  check_room(compiled.hbm, machine, examples.size());
  runtime::EmulatedNetwork emulated(machine, compiled, {}, output_names(network.predict), std::move(host));
  watcher.phase("storing the data set in HBM");
  PredictionRun run;
  run.interrupted = !emulated.store_examples(examples, frames);
  if (run.interrupted) return run;
  emulated.load_parameters(network.initial);
  watcher.phase("predicting");
  run.nodes = compiled.nodes;
  run.outputs.resize(network.predict.outputs.size());
  const auto batch = static_cast<std::size_t>(compiled.batch);
  for (std::size_t first = 0; first < frames.size(); first += batch, ++run.batches) {
    const auto part = frames.subspan(first, std::min(batch, frames.size() - first));
    const runtime::Predictions said = emulated.predict(part);
    run.interrupted = said.interrupted;
    if (run.interrupted) return run;
    run.cycles += said.cycles;
    for (std::size_t i = 0; i < run.outputs.size(); ++i)
      run.outputs[i].insert(run.outputs[i].end(), said.outputs[i].begin(), said.outputs[i].end());
    watcher.progress(first + part.size(), frames.size());
  }
  return run;
}

}  // namespace dojo::training
