// dojo train --check: what a run would take, in words.
#pragma once

#include <string>

#include "course.h"
#include "machine/machine.h"
#include "training/rehearsal.h"

namespace dojo::tools {

// `reading_seconds`: of the data set, which the rehearsal has not seen.
std::string check_text(const training::TrainOptions& options, const machine::Machine& machine,
                       const training::TrainableNetwork& network, const DrivingCourse& course,
                       const training::Rehearsal& rehearsal, double reading_seconds);

}  // namespace dojo::tools
