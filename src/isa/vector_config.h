// vtype and vl: what a configuration instruction asks for and what the hart grants.
//
// vtype holds, from bit 0: LMUL (3 bits), SEW (3), tail and mask policy (2, both ignored: always
// undisturbed), and for XSfmm altfmt (bit 8), TWIDEN (2), tk (3, from bit 11) and tm (14, from bit 16).
// TWIDEN = 0 means a plain vector configuration.
#pragma once

#include <cstdint>

#include "isa/hart.h"

namespace dojo::isa {

constexpr std::uint64_t vill_bit = std::uint64_t{1} << 63;

// The edge of a tile whose elements are SEW * TWIDEN bits: 16, or 8 for 64-bit elements (a tile of 16 x 16 x
// 32 bits has room for two).
constexpr unsigned effective_tile_edge(unsigned sew, unsigned widen) {
  return sew * widen > 32 ? tile_edge / 2 : tile_edge;
}

// Rows of A and B that one matrix step consumes at most.
constexpr unsigned tile_k_max(unsigned widen) { return widen; }

// Takes over `vtype`, or sets vill if it asks for what does not exist. vl is not touched.
void set_vtype(Hart& hart, std::uint64_t vtype);

// VLMAX, or the effective tile edge in a matrix configuration; 0 if vill.
std::uint64_t vector_length_limit(const Hart& hart);

const Decoded* set_vtype_and_length(Hart& hart, const Decoded* d);  // vsetvli and sf.vsettnt

}  // namespace dojo::isa
