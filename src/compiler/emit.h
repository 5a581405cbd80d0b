// From a lowered program to the C++ of a node and its plan.
#pragma once

#include <string>
#include <vector>

#include "compiler/kernel.h"
#include "compiler/layout.h"
#include "compiler/lowered.h"
#include "compiler/memory.h"

namespace dojo::compiler {

// A step with its op id (1, 2, ... in program order, loop bodies included) and, for compute steps, its
// kernel.
struct PlannedStep {
  const Step* step = nullptr;
  unsigned id = 0;
  Kernel kernel;
  std::vector<PlannedStep> body;  // of a loop
};

struct PlannedProgram {
  const LoweredProgram* lowered = nullptr;
  std::vector<PlannedStep> steps;
  MemoryPlan memory;
};

// Kernels, their scratch and the SRAM plan.
PlannedProgram plan_program(const LoweredProgram& program, const PersistentLayout& persistent,
                            std::int64_t panel_bytes);

// The whole C++ file.
std::string emit_program(const PlannedProgram& planned, const HbmLayout& hbm);

// The programs that move the persistent region between SRAM and its image in HBM.
std::string emit_load(const PersistentLayout& persistent, const HbmLayout& hbm);
std::string emit_store(const PersistentLayout& persistent, const HbmLayout& hbm);

}  // namespace dojo::compiler
