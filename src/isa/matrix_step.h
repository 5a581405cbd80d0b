// One step of the matrix unit on one tile: docs/matrix.md gives the arithmetic.
#pragma once

#include <array>
#include <cstdint>

#include "isa/hart.h"

namespace dojo::isa {

constexpr unsigned max_tile_k = 4;

// A[k][m] and B[k][n] widened to FP32. Rows from tk on are not looked at, and what the elements from tm or tn
// on hold changes nothing.
struct MatrixOperands {
  alignas(64) std::array<std::array<float, tile_edge>, max_tile_k> a, b;
  unsigned tm = 0, tn = 0, tk = 0;
  unsigned first = 0;  // rows of the tile below this one are left alone
};

// tile[m][n] = fma(a[k][m], b[k][n], tile[m][n]) for k = 0..tk-1, first <= m < tm, n < tn; NaN results
// canonical. MXCSR must be the hart's (float_host.h) and round to nearest even. Exceptions go to the host's
// flags and, where the host's differ, to `hart_flags`.
void matrix_step(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags);

// The same with whatever rounding mode MXCSR holds.
void matrix_step_nearest(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags);

// The same again, without the host's vectors.
void matrix_step_portable(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags);

// The same element by element: the definition.
void matrix_step_defined(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags);

}  // namespace dojo::isa
