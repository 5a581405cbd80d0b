#include "training/active_run.h"

namespace dojo::training {

void save_run(ActiveRun& run) {
  run.history->sync();
  write_saved(run.options.out, {.identity = identity_of(run.options, run.machine, run.prepared.data),
                                .asked = run.options.asked,
                                .steps = run.steps,
                                .program = run.prepared.compiled.sha256,
                                .totals = run.totals,
                                .regions = run.emulated.regions()});
}

}  // namespace dojo::training
