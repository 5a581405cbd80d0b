// The plan file (docs/notes/004): what a program does and where, as JSON.
#pragma once

#include <string>

#include "codegen/emit.h"

namespace dojo::codegen {

struct PlanHeader {
  std::string network, machine, formats;
};

// What a step moves between this node and others or HBM, in bytes put by the node (gets for fetch).
std::int64_t bytes_moved(const lowering::LoweredProgram& program, const lowering::Step& step);

std::string plan_json(const PlanHeader& header, const PlannedProgram& planned,
                      const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
                      std::uint64_t program_base, std::uint64_t heap_start);

}  // namespace dojo::codegen
