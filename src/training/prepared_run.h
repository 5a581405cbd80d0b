// What a run needs before its first step: all that was asked for is read, known to be good, and compiled.
#pragma once

#include <optional>

#include "codegen/compile.h"
#include "training/saved_run.h"
#include "training/trainer.h"

namespace dojo::training {

struct PreparedRun {
  TrainableNetwork network;
  TrainingData data;
  std::optional<SavedRun> saved;  // if options.resume names one
  codegen::CompiledNetwork compiled;
};

// Refuses what the network, the options, the compiler, the room in SRAM and HBM, or a checkpoint of another
// run stand against. Writes nothing.
PreparedRun prepare(const TrainOptions& options, const machine::Machine& machine,
                    const TrainingDataFor& data_for, const Watcher& watcher);

// Refuses records of so many frames where HBM has no room for them.
void check_room(const lowering::HbmLayout& hbm, const machine::Machine& machine, std::size_t frames);

}  // namespace dojo::training
