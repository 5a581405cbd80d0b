// y += s x, then x . y, over 4096 floats.
#include <riscv_vector.h>
#include <stddef.h>

namespace {
constexpr size_t count = 4096;
alignas(64) float x[count], y[count];

struct Filled {
  Filled() {
    for (size_t i = 0; i < count; ++i) {
      x[i] = static_cast<float>(i % 17) - 8;
      y[i] = static_cast<float>(i % 5);
    }
  }
} filled;

void saxpy(float s) {
  for (size_t i = 0; i < count;) {
    const size_t vl = __riscv_vsetvl_e32m8(count - i);
    const vfloat32m8_t sum =
        __riscv_vfmacc_vf_f32m8(__riscv_vle32_v_f32m8(y + i, vl), s, __riscv_vle32_v_f32m8(x + i, vl), vl);
    __riscv_vse32_v_f32m8(y + i, sum, vl);
    i += vl;
  }
}

float dot() {
  const size_t all = __riscv_vsetvlmax_e32m8();
  vfloat32m8_t sums = __riscv_vfmv_v_f_f32m8(0, all);
  for (size_t i = 0; i < count;) {
    const size_t vl = __riscv_vsetvl_e32m8(count - i);
    sums = __riscv_vfmacc_vv_f32m8_tu(sums, __riscv_vle32_v_f32m8(x + i, vl),
                                      __riscv_vle32_v_f32m8(y + i, vl), vl);
    i += vl;
  }
  const vfloat32m1_t zero = __riscv_vfmv_v_f_f32m1(0, 1);
  return __riscv_vfmv_f_s_f32m1_f32(__riscv_vfredusum_vs_f32m8_f32m1(sums, zero, all));
}
}  // namespace

unsigned kernel() {
  saxpy(0.5f);
  const float product = dot();
  saxpy(-0.5f);
  return static_cast<unsigned>(static_cast<int>(product));
}
