// Programs that fit a node's SRAM: plans, C++ and ELF files for the largest panels of kernels with which they
// do.
//
// Smaller panels are slower, and the way out when a network nearly fits. How much room there is follows from
// the images, whose size does not depend on the plan: so a network that is refused is refused by the exact
// number of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "codegen/emit.h"
#include "machine/machine.h"

namespace dojo::codegen {

struct BuiltProgram {
  std::string source;  // C++
  std::vector<std::byte> elf;
  std::uint64_t image_end = 0;  // the first address behind the program's image that a buffer may have
};

struct FittedPrograms {
  PlannedProgram train_plan, predict_plan;  // of the programs that fit() was given
  BuiltProgram train, predict, load, store;
};

// Or why they do not fit even with the smallest panels: naming the largest tensor, and without counting the
// programs themselves where the tensors alone are too much.
std::variant<FittedPrograms, UserError> try_to_fit(const lowering::LoweredProgram& train,
                                                   const lowering::LoweredProgram& predict,
                                                   const lowering::PersistentLayout& persistent,
                                                   const lowering::HbmLayout& hbm,
                                                   const machine::Machine& machine);

// The same, but throws UserError then, with the exact number of bytes.
FittedPrograms fit(const lowering::LoweredProgram& train, const lowering::LoweredProgram& predict,
                   const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
                   const machine::Machine& machine);

}  // namespace dojo::codegen
