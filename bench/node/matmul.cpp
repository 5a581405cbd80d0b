// C = A B, 64 x 64 x 64 in FP32 with vector instructions: four rows of C in registers, a row of B at a time.
#include <riscv_vector.h>
#include <stddef.h>

namespace {
constexpr size_t edge = 64;
alignas(64) float a[edge][edge], b[edge][edge], c[edge][edge];

struct Filled {
  Filled() {
    for (size_t i = 0; i < edge; ++i)
      for (size_t j = 0; j < edge; ++j) {
        a[i][j] = static_cast<float>((i * 7 + j) % 13) - 6;
        b[i][j] = static_cast<float>((i + j * 5) % 11) - 5;
      }
  }
} filled;
}  // namespace

unsigned kernel() {
  const size_t vl = __riscv_vsetvl_e32m4(edge);
  for (size_t i = 0; i < edge; i += 4) {
    vfloat32m4_t c0 = __riscv_vfmv_v_f_f32m4(0, vl), c1 = c0, c2 = c0, c3 = c0;
#pragma clang loop unroll_count(4)
    for (size_t k = 0; k < edge; ++k) {
      const vfloat32m4_t row = __riscv_vle32_v_f32m4(b[k], vl);
      c0 = __riscv_vfmacc_vf_f32m4(c0, a[i][k], row, vl);
      c1 = __riscv_vfmacc_vf_f32m4(c1, a[i + 1][k], row, vl);
      c2 = __riscv_vfmacc_vf_f32m4(c2, a[i + 2][k], row, vl);
      c3 = __riscv_vfmacc_vf_f32m4(c3, a[i + 3][k], row, vl);
    }
    __riscv_vse32_v_f32m4(c[i], c0, vl);
    __riscv_vse32_v_f32m4(c[i + 1], c1, vl);
    __riscv_vse32_v_f32m4(c[i + 2], c2, vl);
    __riscv_vse32_v_f32m4(c[i + 3], c3, vl);
  }
  return static_cast<unsigned>(static_cast<int>(c[3][5]));
}
