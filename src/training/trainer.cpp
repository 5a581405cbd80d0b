#include "training/trainer.h"

#include "base/error.h"
#include "training/program_folder.h"
#include "training/saved_run.h"
#include "training/session.h"

namespace dojo::training {
namespace {

void check_room(const compiler::HbmLayout& hbm, const machine::Machine& machine, std::size_t frames) {
  const std::uint64_t needed =
      hbm.data_set + (frames + hbm.interfaces - 1) / hbm.interfaces * hbm.record_bytes;
  if (needed > machine.interface.hbm_bytes)
    refuse(machine.name,
           "has no room for the data set: {} frames of {} bytes need {} bytes of each HBM, {} over", frames,
           hbm.record_bytes, needed, needed - machine.interface.hbm_bytes);
}

// That every value of every output is going to be judged by a label.
void check_meanings(const TrainableNetwork& network, const Course& course) {
  if (course.meanings.size() != network.targets.size())
    refuse("the data set", "knows {} outputs of {}", course.meanings.size(), network.targets.size());
  for (std::size_t i = 0; i < network.targets.size(); ++i) {
    const Signal& target = network.targets[i];
    const Meaning& meaning = course.meanings[i];
    const auto& shape = network.predict.at(network.predict.outputs[i]).shape;
    const std::int64_t values = graph::element_count({shape.begin() + 1, shape.end()});
    const auto judged = meaning.bins ? meaning.bins->count : static_cast<std::int64_t>(meaning.labels.size());
    if (judged != values || meaning.bins.has_value() != (target.classes != 0))
      refuse(fmt::format("output '{}'", target.name), "has {} values a sample, its labels {}", values,
             judged);
  }
}

}  // namespace

RunReport train(const TrainOptions& options, const machine::Machine& machine, const CourseFor& course_for,
                const Watcher& watcher) {
  watcher.phase("reading the network");
  const TrainableNetwork network = read_network(options.recipe);
  if (network.parameters.empty())
    refuse(options.recipe.model.string(), "has nothing to train: none of its {} initialisers is a parameter",
           network.file.graph.initialisers.size());
  const Course course = course_for(network);
  check_meanings(network, course);
  if (steps_per_epoch(options, course) == 0)
    refuse("--batch", "{} is more than the {} frames there are to train on", options.recipe.batch,
           course.split.train.size());
  std::optional<SavedRun> saved;
  if (options.resume) {
    saved = read_saved(*options.resume);
    check_same(*options.resume, *saved, identity_of(options, machine, course));
    const std::uint64_t steps = steps_of(options, course);
    if (saved->tally.step > steps)
      refuse(checkpoint_in(*options.resume).string(), "is of step {}, behind the end of a run of {} steps",
             saved->tally.step, steps);
    watcher.resumed(saved->tally.step, saved->steps, steps);
  }
  watcher.phase("compiling");
  const compiler::CompiledNetwork compiled =
      compiler::compile(network.train_step, network.predict, machine,
                        {.nodes = options.nodes, .formats = options.formats, .build_folder = {}});
  if (saved && saved->program != compiled.sha256)
    refuse(checkpoint_in(*options.resume).string(),
           "belongs to another network, or to one that another version compiled");
  check_room(compiled.hbm, machine, course.examples.size());
  watcher.writing();
  write_program(options.out / "program", compiled);
  try {
    return run_session(options, machine, network, compiled, course, watcher, saved);
  } catch (const UserError&) {
    std::error_code ignored;
    if (!std::filesystem::exists(checkpoint_in(options.out), ignored))
      std::filesystem::remove_all(options.out / "program", ignored);
    throw;
  }
}

}  // namespace dojo::training
