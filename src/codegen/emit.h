// From a lowered program to the C++ of a node and its plan.
#pragma once

#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/memory.h"
#include "lowering/layout.h"
#include "lowering/lowered.h"

namespace dojo::codegen {

// A step with its op id (1, 2, ... in program order, loop bodies included) and, for compute steps, the plan
// of its kernel.
struct PlannedStep {
  const lowering::Step* step = nullptr;
  unsigned id = 0;
  KernelPlan kernel;
  std::vector<PlannedStep> body;  // of a loop or of tiles
};

struct PlannedProgram {
  const lowering::LoweredProgram* lowered = nullptr;
  const lowering::PersistentLayout* persistent = nullptr;
  std::vector<PlannedStep> steps;
  MemoryPlan memory;
};

std::uint64_t scratch_bytes(const PlannedStep& step);  // of its kernel, or the most of a loop's

// Plans of kernels, and of SRAM with their scratch.
PlannedProgram plan_program(const lowering::LoweredProgram& program,
                            const lowering::PersistentLayout& persistent, std::int64_t panel_bytes);

// The whole C++ file.
std::string emit_program(const PlannedProgram& planned, const lowering::HbmLayout& hbm);

// The programs that move the persistent region between SRAM and its image in HBM.
std::string emit_load(const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm);
std::string emit_store(const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm);

}  // namespace dojo::codegen
