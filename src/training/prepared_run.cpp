#include "training/prepared_run.h"

#include "base/error.h"

namespace dojo::training {
namespace {

// That every value of every output is going to be judged by a label.
void check_specifications(const TrainableNetwork& network, const TrainingData& data) {
  if (data.specifications.size() != network.targets.size())
    refuse("the data set", "knows {} outputs of {}", data.specifications.size(), network.targets.size());
  for (std::size_t i = 0; i < network.targets.size(); ++i) {
    const data::Signal& target = network.targets[i];
    const data::LabelSpecification& specification = data.specifications[i];
    const auto& shape = network.predict.at(network.predict.outputs[i]).shape;
    const std::int64_t values = graph::element_count({shape.begin() + 1, shape.end()});
    const auto judged = static_cast<std::int64_t>(specification.places) *
                        (specification.bins ? specification.bins->count
                                            : static_cast<std::int64_t>(specification.labels.size()));
    if (judged != values || specification.bins.has_value() != (target.classes != 0))
      refuse(fmt::format("output '{}'", target.name), "has {} values a sample, its labels {}", values,
             judged);
  }
}

// The checkpoint that the run goes on from, of its own past.
SavedRun saved_run(const TrainOptions& options, const machine::Machine& machine, const TrainingData& data,
                   const Watcher& watcher) {
  SavedRun saved = read_saved(*options.resume);
  check_same(*options.resume, saved, identity_of(options, machine, data));
  const std::uint64_t steps = steps_of(options, data);
  if (saved.totals.step > steps)
    refuse(checkpoint_in(*options.resume).string(), "is of step {}, behind the end of a run of {} steps",
           saved.totals.step, steps);
  watcher.resumed(saved.totals.step, saved.steps, steps);
  return saved;
}

}  // namespace

void check_room(const lowering::HbmLayout& hbm, const machine::Machine& machine, std::size_t frames) {
  const std::uint64_t room = machine.interface.hbm_bytes, needed = hbm.bytes_with(frames);
  if (needed <= room) return;
  const std::uint64_t before = hbm.bytes_with(0);
  const std::uint64_t fit = before < room ? (room - before) / hbm.record_bytes * hbm.interfaces : 0;
  refuse(
      machine.name,
      "has no room for the data set: {} frames of {} bytes need {} bytes of each HBM, {} over; {} would fit",
      frames, hbm.record_bytes, needed, needed - room, fit);
}

PreparedRun prepare(const TrainOptions& options, const machine::Machine& machine,
                    const TrainingDataFor& data_for, const Watcher& watcher) {
  watcher.phase("reading the network");
  TrainableNetwork network = read_network(options.recipe, options.stages);
  if (network.parameters.empty())
    refuse(options.recipe.model.string(), "has nothing to train: none of its {} initialisers is a parameter",
           network.file.graph.initialisers.size());
  TrainingData data = data_for(network);
  check_specifications(network, data);
  if (steps_per_epoch(options, data) == 0)
    refuse(Settings{{"batch"}}, "", "a batch of {} is more than the {} frames that there are to train on",
           options.recipe.batch, data.split.train.size());
  std::optional<SavedRun> saved;
  if (options.resume) saved = saved_run(options, machine, data, watcher);
  watcher.phase("compiling");
  codegen::CompiledNetwork compiled =
      codegen::compile(network.train_step, network.predict, machine,
                       {.nodes = options.nodes, .formats = options.formats, .stages = options.stages});
  if (saved && saved->program != compiled.sha256)
    refuse(checkpoint_in(*options.resume).string(),
           "belongs to another network, or to one that another version compiled");
  check_room(compiled.hbm, machine, data.examples.size());
  return {std::move(network), std::move(data), std::move(saved), std::move(compiled)};
}

}  // namespace dojo::training
