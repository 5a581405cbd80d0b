// dojo train --check: what a run would take, in words.
#pragma once

#include <string>

#include "driving_data.h"
#include "machine/machine.h"
#include "training/dry_run.h"

namespace dojo::tools {

// `reading_seconds`: of the data set, which the dry run has not seen.
std::string check_text(const training::TrainOptions& options, const machine::Machine& machine,
                       const training::TrainableNetwork& network, const DrivingData& data,
                       const training::DryRun& dry_run, double reading_seconds);

}  // namespace dojo::tools
