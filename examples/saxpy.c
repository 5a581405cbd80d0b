// Saxpy and a dot product with RVV intrinsics: the place to start.
//
// Both loops ask vsetvl how many elements the next pass takes, so they are right for every count and every
// vector length. LMUL 8 makes one instruction work on eight registers, here 128 floats: the latency of an
// addition is over when its group is, and little is left to do for the scalar side. A node multiplies and
// adds 16 floats a cycle, which are 32 FLOP, and has two ports that load 64 bytes and one that stores as
// many. Saxpy keeps all of them busy, a dot product the loads; the missing tenth is the cycle that each pass
// waits behind its vsetvl.
//
//     build/dojo cc examples/saxpy.c -o saxpy.elf
//     build/dojo exec --quiet saxpy.elf
//
// prints
//
//     dot: 682 cycles, 29.3 of 32 FLOP/cycle
//     saxpy: 724 cycles, 27.6 of 32 FLOP/cycle
#include <math.h>
#include <riscv_vector.h>
#include <stdio.h>

enum { count = 10000, flop_per_cycle = 32 };
static float x[count], y[count];

// y += a x
__attribute__((noinline)) static void saxpy(size_t n, float a, const float* from, float* to) {
  for (size_t vl; n > 0; n -= vl, from += vl, to += vl) {
    vl = __riscv_vsetvl_e32m8(n);
    const vfloat32m8_t sum =
        __riscv_vfmacc_vf_f32m8(__riscv_vle32_v_f32m8(to, vl), a, __riscv_vle32_v_f32m8(from, vl), vl);
    __riscv_vse32_v_f32m8(to, sum, vl);
  }
}

// One sum for each of 128 elements, all added up at the end. "_tu": a last, shorter pass leaves the other
// sums alone.
__attribute__((noinline)) static float dot(size_t n, const float* left, const float* right) {
  const size_t all = __riscv_vsetvlmax_e32m8();
  vfloat32m8_t sums = __riscv_vfmv_v_f_f32m8(0, all);
  for (size_t vl; n > 0; n -= vl, left += vl, right += vl) {
    vl = __riscv_vsetvl_e32m8(n);
    sums = __riscv_vfmacc_vv_f32m8_tu(sums, __riscv_vle32_v_f32m8(left, vl), __riscv_vle32_v_f32m8(right, vl),
                                      vl);
  }
  const vfloat32m1_t zero = __riscv_vfmv_v_f_f32m1(0, 1);
  return __riscv_vfmv_f_s_f32m1_f32(__riscv_vfredusum_vs_f32m8_f32m1(sums, zero, all));
}

static void say(const char* what, unsigned long cycles) {
  printf("%s: %lu cycles, %.1f of %d FLOP/cycle\n", what, cycles, 2.0 * count / cycles, flop_per_cycle);
}

int main(void) {
  for (int i = 0; i < count; ++i) {
    x[i] = i % 17 - 8;
    y[i] = i % 5;
  }

  const unsigned long begin = __builtin_readcyclecounter();
  const float product = dot(count, x, y);
  const unsigned long between = __builtin_readcyclecounter();
  saxpy(count, 0.3f, x, y);
  const unsigned long end = __builtin_readcyclecounter();
  say("dot", between - begin);
  say("saxpy", end - between);

  // The sums are whole numbers and every element was rounded once: a plain loop has the same bits.
  float expected = 0;
  for (int i = 0; i < count; ++i) {
    expected += x[i] * (i % 5);
    if (y[i] != fmaf(0.3f, x[i], i % 5)) return 1;
  }
  return product == expected ? 0 : 1;
}
