// What the compiler made of a network, in words and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "codegen/compile.h"
#include "machine/machine.h"
#include "training/explanation.h"

namespace dojo::report {

// A table with a row for each step, and below it what its words mean, where most of the time goes and what
// was tried. `name`: the network's. Ends with a line end.
std::string explanation_text(std::string_view name, const machine::Machine& machine,
                             const training::Explanation& explanation);
std::string explanation_json(std::string_view name, const machine::Machine& machine,
                             const training::Explanation& explanation);

// Of one program: {"spread", "nodes", "batch", ..., "ops": [{"id", "name", ..., "why"}]}.
nlohmann::ordered_json program_account_json(const codegen::CompiledNetwork& network,
                                            const codegen::CompiledProgram& program);

// Why a step is shared among the nodes as it is: one sentence.
std::string why(const codegen::StepAccount& step, const codegen::CompiledNetwork& network);

}  // namespace dojo::report
