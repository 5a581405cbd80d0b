// A planned program for people and tests: what its kernels are going to do, and what lies where in SRAM.
#pragma once

#include <string>

#include "codegen/emit.h"

namespace dojo::codegen {

// Every compute step by its op id, with the plan of its kernel.
std::string kernels_text(const PlannedProgram& planned);

// Everything in SRAM by its address, with the ops between which it is alive.
std::string sram_text(const PlannedProgram& planned, const lowering::PersistentLayout& persistent);

}  // namespace dojo::codegen
