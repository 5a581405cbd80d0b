#include "training/prediction_run.h"

#include <algorithm>

#include "base/error.h"
#include "data/split.h"
#include "training/prepared_run.h"

namespace dojo::training {
namespace {

// The frames that are asked about, numbered from 0: the others need no place in HBM.
class AskedFrames final : public data::Examples {
public:
  AskedFrames(const data::Examples& all, std::span<const std::uint32_t> frames)
      : all_(all), frames_(frames) {}
  std::size_t size() const override { return frames_.size(); }
  std::size_t input_elements() const override { return all_.input_elements(); }
  std::size_t target_elements() const override { return all_.target_elements(); }
  void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const override {
    all_.read(frames_[frame], inputs, targets);
  }
  void measured(std::size_t frame, std::span<float> values) const override {
    all_.measured(frames_[frame], values);
  }

private:
  const data::Examples& all_;
  std::span<const std::uint32_t> frames_;
};

}  // namespace

PredictionRun predict(const ForwardNetwork& network, const data::Examples& examples,
                      std::span<const std::uint32_t> frames, const machine::Machine& machine,
                      const codegen::Options& compiling, system::Host host,
                      const PredictionWatcher& watcher) {
  DOJO_ENSURE(examples.target_elements() == 0);
  watcher.phase("compiling");
  // Nothing is trained: the forward pass stands in for the step.
  const codegen::CompiledNetwork compiled =
      codegen::compile(network.predict, network.predict, machine, compiling);
  const AskedFrames asked(examples, frames);
  const std::vector<std::uint32_t> numbers = data::all_frames(asked.size());
  check_room(compiled.hbm, machine, asked.size());
  runtime::EmulatedNetwork emulated(machine, compiled, {}, output_names(network.predict), std::move(host));
  watcher.phase("storing the data set in HBM");
  PredictionRun run;
  run.interrupted = !emulated.store_examples(asked, numbers);
  if (run.interrupted) return run;
  emulated.load_parameters(network.initial);
  watcher.phase("predicting");
  run.nodes = compiled.nodes;
  run.outputs.resize(network.predict.outputs.size());
  const auto batch = static_cast<std::size_t>(compiled.batch);
  for (std::size_t first = 0; first < numbers.size(); first += batch, ++run.batches) {
    const auto part = std::span(numbers).subspan(first, std::min(batch, numbers.size() - first));
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
