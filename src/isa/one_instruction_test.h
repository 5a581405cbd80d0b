// One instruction without a program around it.
#pragma once

#include <array>

#include "isa/block.h"

namespace dojo::isa {

// Executes it as if a jump followed, which ends its block.
inline void execute_alone(Hart& hart, const Decoded& instruction) {
  constexpr std::uint32_t jump_here = 0x0000006f;                            // jal zero, 0
  const std::array<Decoded, 3> code{instruction, decode(jump_here, 4), {}};  // a jump looks behind itself
  code[0].execute(hart, code.data());
}

}  // namespace dojo::isa
