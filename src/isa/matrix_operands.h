// Where a matrix step finds its tile and its operands' rows, and when it may run at all. docs/matrix.md is
// the page of it.
#pragma once

#include <bit>
#include <utility>

#include "isa/float_host.h"
#include "isa/matrix_step.h"
#include "isa/vector_config.h"
#include "isa/vector_operands.h"

namespace dojo::isa {

constexpr unsigned tile_register_bytes = 256;

inline std::uint8_t* tile_bytes(Hart& hart, unsigned tile) {
  return reinterpret_cast<std::uint8_t*>(hart.tiles.data()) + tile * tile_register_bytes;
}

// Whether begin_floats set the host to nearest even.
constexpr bool rounds_to_nearest(unsigned frm) { return frm == rne || frm >= rmm; }

inline bool is_matrix_configuration(const Hart& hart) { return !hart.vill && hart.tile_widen != 0; }

constexpr VectorOperands step_operands = {.vs2 = {Extent::step_rows}, .vs1 = {Extent::step_rows}};

// A step from elements of this width into a tile of 32-bit elements.
template <unsigned sew>
bool step_is_legal(const Hart& hart, const Decoded* d) {
  constexpr unsigned depth = 32 / sew, log2 = static_cast<unsigned>(std::countr_zero(sew)) - 3;
  constexpr unsigned widen = static_cast<unsigned>(std::countr_zero(depth)) + 1;
  constexpr std::uint64_t altfmt = sew == 16 ? 0 : 1u << 8;  // elsewhere it is reserved
  constexpr std::uint64_t considered = vill_bit | 3u << 9 | altfmt | 7u << 3;
  const unsigned misplaced = step_operands.vs2.misplaced_bits({log2, static_cast<int>(hart.vtype & 7)});
  return (hart.vtype & considered) == (widen << 9 | log2 << 3) && (d->word >> 8 & 3) == 0 &&
         ((d->rs1 | d->rs2) & misplaced) == 0;
}

// Row k of an operand lies k * (8 / KMAX) registers above its first.
template <unsigned sew>
const std::uint8_t* operand_row(Hart& hart, unsigned r, unsigned k) {
  return vector::group(hart, r + k * (sew / 4));
}

// One row of `tile_edge` elements to FP32: widen(const std::uint8_t* from, float* to). Exact and without
// flags.
template <unsigned sew, typename WidenA, typename WidenB>
[[gnu::noinline]] void multiply_widened(Hart& hart, const Decoded* d, const WidenA& widen_a,
                                        const WidenB& widen_b) {
  MatrixOperands operands;
  operands.tm = hart.tile_m;
  operands.tn = static_cast<unsigned>(hart.vl);
  operands.tk = hart.tile_k;
  operands.first = std::exchange(hart.tile_first, std::uint8_t{0});
  for (unsigned k = 0; k < operands.tk; ++k) {
    widen_a(operand_row<sew>(hart, d->rs2, k), operands.a[k].data());
    widen_b(operand_row<sew>(hart, d->rs1, k), operands.b[k].data());
  }
  auto* tile = reinterpret_cast<float*>(tile_bytes(hart, d->word >> 8 & 15));
  rounds_to_nearest(hart.frm) ? matrix_step(tile, operands, hart.fflags)
                              : matrix_step_nearest(tile, operands, hart.fflags);
}

// Runs a floating-point step whose operands have elements of this width.
template <unsigned sew, typename WidenA, typename WidenB>
const Decoded* run_matrix_step(Hart& hart, const Decoded* d, const WidenA& widen_a, const WidenB& widen_b) {
  if (!step_is_legal<sew>(hart, d)) return vector::illegal(hart, d);
  multiply_widened<sew>(hart, d, widen_a, widen_b);
  return proceed(hart, d);
}

}  // namespace dojo::isa
