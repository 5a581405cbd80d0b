// Where in its node's memory an instruction is about to read and write.
//
// Works from the encoding and the registers alone, apart from the rows' own semantics, which it is tested
// against: an access that is not listed here may not be possible, one that is must be. What comes in from
// other nodes, and what a system call does, is none of these.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/block.h"

namespace dojo::debug {

struct MemoryAccess {
  std::uint64_t address = 0, bytes = 0;
  bool store = false;

  bool touches(std::uint64_t first, std::uint64_t count) const {
    return bytes != 0 && address < first + count && first < address + bytes;
  }
};

// The instruction at the hart's pc; one that traps if it cannot be fetched.
isa::Decoded next_instruction(const isa::Hart& hart);

// In the order of the elements; neighbours are one access. Empty for what touches no memory, and for element
// groups that the configuration does not allow.
std::vector<MemoryAccess> accesses_of(const isa::Hart& hart, const isa::Decoded& instruction);

// What a transfer does beside that: the data of a put and the source of a get where they are, and semaphores
// that are added to or, by a wait that can go on at once, taken from.
struct NodeAccess {
  std::uint32_t node = 0;
  MemoryAccess access;
};
std::vector<NodeAccess> transfer_accesses_of(const isa::Hart& hart, const isa::Decoded& instruction);

}  // namespace dojo::debug
