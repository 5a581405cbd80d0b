// What a training run would take, in words.
#pragma once

#include <string>

#include "data/dataset.h"
#include "machine/machine.h"
#include "training/dry_run.h"

namespace dojo::report {

// `frames`: that the network can use; `reading_seconds`: of the data set, which the dry run has not seen.
std::string dry_run_text(const training::TrainOptions& options, const machine::Machine& machine,
                         const training::TrainableNetwork& network, const data::Dataset& frames,
                         const training::DryRun& dry_run, double reading_seconds);

}  // namespace dojo::report
