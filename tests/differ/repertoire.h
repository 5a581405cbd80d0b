// The rows that random programs for an oracle are made of, by how they have to be used.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "isa/instruction.h"
#include "oracle.h"

namespace dojo::differ {

using Rows = std::vector<const isa::Row*>;

// Vector rows, and in which configurations each is an instruction: the SEW and LMUL at which its operand
// groups exist and its handler takes it.
struct VectorRows {
  struct Use {
    const isa::Row* row;
    std::vector<std::uint64_t> vtypes;
  };
  std::vector<Use> all;
  std::map<std::uint64_t, Rows> in;  // by vtype
};

struct Repertoire {
  explicit Repertoire(Oracle oracle);

  Oracle oracle;
  Rows arithmetic, accesses, cache_blocks, atomics, floats, branches;
  VectorRows vectors, vector_accesses;
};

// Made on first use: the tables are complete only when main runs.
const Repertoire& repertoire_of(Oracle oracle);

// SEW and LMUL of a vtype; its other bits say what happens to elements that are not written.
constexpr std::uint64_t element_type_bits = 0x3f;

// A descriptor that Xdojo's conversions take at this vtype.
constexpr std::uint64_t descriptor_at(std::uint64_t vtype) {
  constexpr std::uint64_t bytes = 0, words = 2;
  return ((vtype >> 3 & 7) == 0 ? bytes : words) << 8;
}
constexpr bool takes_descriptor(const isa::Row& row) { return row.extension == "Xdojo"; }

}  // namespace dojo::differ
