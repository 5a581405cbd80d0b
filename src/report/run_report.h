// A finished training run in words and as JSON.
#pragma once

#include <string>
#include <string_view>

#include "machine/machine.h"
#include "training/trainer.h"

namespace dojo::report {

// run.json: everything that a later reader needs, the machine's parameters included. `version`: of this
// program.
std::string run_json(const training::TrainOptions& options, const machine::Machine& machine,
                     const training::RunReport& report, std::string_view data_name, std::string_view version);

// report.txt.
std::string run_text(const machine::Machine& machine, const training::RunReport& report);

}  // namespace dojo::report
