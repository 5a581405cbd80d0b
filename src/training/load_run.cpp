#include "data/split.h"
#include "training/active_run.h"
#include "training/unbounded.h"

namespace dojo::training {

void load_run(ActiveRun& run) {
  run.watcher.phase("storing the data set in HBM");
  const data::Examples& examples = run.prepared.data.examples;
  run.interrupted = !run.emulated.store_examples(examples, data::all_frames(examples.size()));
  if (const std::optional<SavedRun>& saved = run.prepared.saved) {
    run.totals = saved->totals;
    run.emulated.restore(saved->regions);
    keep_best_network(run);
  } else {
    run.emulated.load_parameters(run.prepared.network.initial);
  }
  run.unbounded = unbounded_numbers(run.emulated.regions());  // a file may hold some, which stay
}

}  // namespace dojo::training
