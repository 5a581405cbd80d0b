// What the plausible variants of a machine do to a program, in words and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "machine/sensitivity.h"
#include "runtime/sensitivity.h"

namespace dojo::report {

// A program's runs, by variant; the first is on the machine as its file says.
struct Sensitivity {
  std::span<const machine::Variant> variants;
  std::span<const runtime::ProgramRun> runs;
  unsigned nodes = 1;
};

// What does not follow from program and input alone: one clause each, such as "the program's output depends
// on timing: it differs with node.alu_cycles = 2 and 3 others". Empty for most programs.
std::vector<std::string> timing_dependences(const Sensitivity& all);

std::string sensitivity_text(const Sensitivity& all);  // these clauses at its end
nlohmann::ordered_json sensitivity_json(const Sensitivity& all);

}  // namespace dojo::report
