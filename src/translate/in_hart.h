// Where translated code finds things: the hart, and the frame of a chain on the stack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa/hart.h"
#include "translate/assembler.h"

namespace dojo::translate {

// The hart's address is in bp, 128 bytes further on, so that one signed byte reaches all x registers.
constexpr std::int32_t hart_offset = 128;
constexpr Mem in_hart(std::size_t offset) {
  return {Reg::bp, static_cast<std::int32_t>(offset) - hart_offset};
}

// No block begins at an odd address: where a jump's target is asked for, this one says that it is not known
// yet.
constexpr std::uint64_t in_pc = 1;

// At multiples of 16 bytes.
constexpr std::int32_t chain_on_stack = 8, buffer_on_stack = 16, frame_bytes = buffer_on_stack + 256 + 8;

}  // namespace dojo::translate
