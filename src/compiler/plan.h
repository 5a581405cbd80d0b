// The plan file (docs/notes/004): what a program does and where, as JSON.
#pragma once

#include <string>

#include "compiler/emit.h"

namespace dojo::compiler {

struct PlanHeader {
  std::string network, machine, formats;
};

std::string plan_json(const PlanHeader& header, const PlannedProgram& planned,
                      const PersistentLayout& persistent, const HbmLayout& hbm, std::uint64_t program_base,
                      std::uint64_t heap_start);

}  // namespace dojo::compiler
