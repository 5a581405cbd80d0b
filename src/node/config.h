// The vector configuration of a hart, as far as a block's time and its translation depend on it.
#pragma once

#include <bit>
#include <cstdint>

#include "isa/hart.h"

namespace dojo::node {

// What timing needs to know of a hart's vector configuration. Constant inside a block.
struct Config {
  std::uint16_t vl = 0;
  std::uint8_t sew_log2 = 3;  // of bits
  std::int8_t lmul_log2 = 0;
  std::uint8_t widen = 0;  // XSfmm twiden
  std::uint8_t tile_m = 0, tile_k = 0;

  bool operator==(const Config&) const = default;
};

inline Config config_of(const isa::Hart& hart) {
  return {.vl = static_cast<std::uint16_t>(hart.vl),
          .sew_log2 = static_cast<std::uint8_t>(std::countr_zero(hart.sew)),
          .lmul_log2 = hart.lmul_log2,
          .widen = hart.tile_widen,
          .tile_m = hart.tile_m,
          .tile_k = hart.tile_k};
}

// The same as the hart's own words hold it, vl below vtype: asked for at every block with vector
// instructions, so not taken apart before somebody wants to know.
struct ConfigWord {
  std::uint64_t bits = 0;

  Config decode() const;
  bool operator==(const ConfigWord&) const = default;
};

// vill, vtype's uppermost bit, comes to stand above the lower ones.
inline ConfigWord config_word_of(const isa::Hart& hart) {
  return {(hart.vtype | hart.vtype >> 32) << 32 | hart.vl};
}

}  // namespace dojo::node
