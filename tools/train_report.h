// A finished training run in words, tables and JSON.
#pragma once

#include <string>

#include "machine/machine.h"
#include "training/trainer.h"

namespace dojo::tools {

// DIR/run.json: everything that a later reader needs, the machine's parameters included.
std::string run_json(const training::TrainOptions& options, const machine::Machine& machine,
                     const training::RunReport& report, const std::string& data_name);

// The report on the screen.
std::string run_text(const machine::Machine& machine, const training::RunReport& report);

}  // namespace dojo::tools
