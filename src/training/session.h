// The steps of a run on the emulated machine, from its start or a checkpoint to its report.
#pragma once

#include "training/prepared_run.h"

namespace dojo::training {

// options.out may be written to. Starts from `run.saved` where there is one.
RunReport run_session(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& run,
                      const Watcher& watcher);

}  // namespace dojo::training
