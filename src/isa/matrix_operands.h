// Where a matrix step finds its tile and its operands' rows, and when it may run at all. docs/matrix.md is
// the page of it.
#pragma once

#include "isa/matrix_step.h"
#include "isa/vector_config.h"
#include "isa/vector_operands.h"

namespace dojo::isa {

constexpr unsigned tile_register_bytes = 256;

inline std::uint8_t* tile_bytes(Hart& hart, unsigned tile) {
  return reinterpret_cast<std::uint8_t*>(hart.tiles.data()) + tile * tile_register_bytes;
}

inline bool is_matrix_configuration(const Hart& hart) { return !hart.vill && hart.tile_widen != 0; }

// Row k of an operand lies k * (8 / KMAX) registers above its first.
inline bool operand_is_legal(const Hart& hart, unsigned r) {
  return vector::group_is_legal(r, hart.lmul_log2) && (r & 7) < 8 / tile_k_max(hart.tile_widen);
}

// A step from elements of this width into a tile of 32-bit elements.
inline bool step_is_legal(const Hart& hart, const Decoded* d, unsigned sew) {
  return is_matrix_configuration(hart) && hart.sew == sew && hart.sew * hart.tile_widen == 32 &&
         (d->word >> 8 & 3) == 0 && operand_is_legal(hart, d->rs1) && operand_is_legal(hart, d->rs2);
}

inline const std::uint8_t* operand_row(Hart& hart, unsigned r, unsigned k) {
  return vector::group(hart, r + k * 8 / tile_k_max(hart.tile_widen));
}

// Runs a floating-point step whose operand rows `widen_a` and `widen_b` turn into FP32: widen(const
// std::uint8_t* from, float* to).
template <typename WidenA, typename WidenB>
const Decoded* run_matrix_step(Hart& hart, const Decoded* d, WidenA widen_a, WidenB widen_b) {
  MatrixOperands operands;
  operands.tm = hart.tile_m;
  operands.tn = static_cast<unsigned>(hart.vl);
  operands.tk = hart.tile_k;
  for (unsigned k = 0; k < operands.tk; ++k) {
    widen_a(operand_row(hart, d->rs2, k), operands.a[k].data());
    widen_b(operand_row(hart, d->rs1, k), operands.b[k].data());
  }
  matrix_step(reinterpret_cast<float*>(tile_bytes(hart, d->word >> 8 & 15)), operands, hart.fflags);
  return d + 1;
}

}  // namespace dojo::isa
