#include "training/active_run.h"

namespace dojo::training {

ActiveRun::ActiveRun(const TrainOptions& asked, const machine::Machine& on, const PreparedRun& ready,
                     const Watcher& watching)
    : options(asked),
      machine(on),
      prepared(ready),
      watcher(watching),
      emulated(on, ready.compiled, output_names(ready.network.train_step),
               output_names(ready.network.predict), asked.host),
      batches(ready.data.split.train, asked.recipe.seed, static_cast<std::uint64_t>(asked.recipe.batch)),
      steps(steps_of(asked, ready.data)) {}

}  // namespace dojo::training
