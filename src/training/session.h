// The steps of a run on the emulated machine, from its start or a checkpoint to its report.
#pragma once

#include <optional>

#include "compiler/compile.h"
#include "training/saved_run.h"
#include "training/trainer.h"

namespace dojo::training {

// Everything is known to be good, and options.out may be written to. Starts from `saved` where there is one.
RunReport run_session(const TrainOptions& options, const machine::Machine& machine,
                      const TrainableNetwork& network, const compiler::CompiledNetwork& compiled,
                      const Course& course, const Watcher& watcher, const std::optional<SavedRun>& saved);

}  // namespace dojo::training
