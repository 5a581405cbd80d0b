// y += s x and back, over 1024 floats of each thread's own.
#include <riscv_vector.h>
#include <stddef.h>

namespace {

constexpr unsigned threads = 4;
constexpr size_t count = 1024;

struct Data {
  alignas(64) float x[threads][count]{}, y[threads][count]{};
  constexpr Data() {
    for (unsigned t = 0; t < threads; ++t)
      for (size_t i = 0; i < count; ++i) {
        x[t][i] = static_cast<float>((i + t) % 17) - 8;
        y[t][i] = static_cast<float>(i % 5);
      }
  }
};
constinit Data data;

void saxpy(float s, const float* from, float* to) {
  for (size_t i = 0; i < count;) {
    const size_t vl = __riscv_vsetvl_e32m8(count - i);
    const vfloat32m8_t sum = __riscv_vfmacc_vf_f32m8(__riscv_vle32_v_f32m8(to + i, vl), s,
                                                     __riscv_vle32_v_f32m8(from + i, vl), vl);
    __riscv_vse32_v_f32m8(to + i, sum, vl);
    i += vl;
  }
}

}  // namespace

unsigned kernel(unsigned thread) {
  saxpy(0.5f, data.x[thread], data.y[thread]);
  saxpy(-0.5f, data.x[thread], data.y[thread]);
  return static_cast<unsigned>(static_cast<int>(data.y[thread][7]));
}
