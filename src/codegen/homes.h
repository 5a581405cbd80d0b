// Where tensors that live in HBM lie there (docs/notes/014): parameters and states in their images, results
// where the host reads them, everything else in a region of its own, from its first to its last step.
#pragma once

#include <cstdint>
#include <vector>

#include "lowering/layout.h"
#include "lowering/lowered.h"

namespace dojo::codegen {

// Byte b of an array lies in unit b / hbm_unit_bytes; unit u in HBM u % interfaces, at
// begin + u / interfaces * hbm_unit_bytes.
struct HbmArray {
  std::uint64_t begin = 0;
  unsigned interfaces = 1;
};

// Of each HBM, for the homes of a program.
std::uint64_t bytes_of_homes(const lowering::LoweredProgram& program, unsigned interfaces);

// By buffer; nothing of note for what is not in HBM.
std::vector<HbmArray> place_homes(const lowering::LoweredProgram& program,
                                  const lowering::PersistentLayout& persistent,
                                  const lowering::HbmLayout& hbm);

}  // namespace dojo::codegen
