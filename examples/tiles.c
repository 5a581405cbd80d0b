// A matrix product on the matrix unit, through the intrinsics of clang's <sifive_vector.h>.
//
// C = A^T B in bf16 with sums in FP32. A tile is 16 x 16 sums that stay in the unit. A step adds the products
// of two rows of 16 numbers of A with two of B: 512 multiply-adds in two cycles. Four rows of 32 bytes in two
// cycles are all that the two load ports bring, so this kernel keeps 2 x 2 tiles: each row that is loaded
// serves two steps. docs/matrix.md says what a step computes: row k of an operand stands four registers above
// the row before, the first 16 numbers of a register count, and each multiply-add is rounded once, k
// ascending. So a plain loop with fmaf has the same bits. What keeps this kernel from the peak is the
// compiler: clang 22 sets the tile's shape again in front of each step. matmul.cpp does without.
//
//     build/dojo cc examples/tiles.c -o tiles.elf
//     build/dojo exec --quiet tiles.elf
//
// prints
//
//     tiles: 21141 cycles, 198 of 512 FLOP/cycle
#include <math.h>
#include <sifive_vector.h>
#include <stdint.h>
#include <stdio.h>

enum { edge = 128, tile_edge = 16, depth = 2, flop_per_cycle = 512 };
static __bf16 a[edge][edge], b[edge][edge];
static float c[edge][edge];

// Rows k and k + 1, 16 numbers of each.
static inline vbfloat16m8_t two_rows(const __bf16* row) {
  const vbfloat16m4_t even = __riscv_vlmul_ext_v_bf16m1_bf16m4(__riscv_vle16_v_bf16m1(row, tile_edge));
  const vbfloat16m4_t odd = __riscv_vlmul_ext_v_bf16m1_bf16m4(__riscv_vle16_v_bf16m1(row + edge, tile_edge));
  return __riscv_vcreate_v_bf16m4_bf16m8(even, odd);
}

// Tiles are named by number: mt0, mt4, mt8, mt12. A row of one: the number above bit 27, the row below.
static inline void store_tile(uint64_t tile, float* corner) {
  for (uint64_t row = 0; row < tile_edge; ++row)
    __riscv_sf_vste32(tile << 27 | row, corner + row * edge, tile_edge);
}

#define MULTIPLY(tile, a, b) __riscv_sf_mm_f_f_w2_bf16m8(tile, a, b, tile_edge, tile_edge, depth)

__attribute__((noinline)) static void multiply(void) {
  for (int i = 0; i < edge; i += 2 * tile_edge)
    for (int j = 0; j < edge; j += 2 * tile_edge) {
      __riscv_sf_vtzero_t_e32w1(0, tile_edge, tile_edge);
      __riscv_sf_vtzero_t_e32w1(4, tile_edge, tile_edge);
      __riscv_sf_vtzero_t_e32w1(8, tile_edge, tile_edge);
      __riscv_sf_vtzero_t_e32w1(12, tile_edge, tile_edge);
      for (int k = 0; k < edge; k += depth) {
        const vbfloat16m8_t left = two_rows(&a[k][i]), below = two_rows(&a[k][i + tile_edge]);
        const vbfloat16m8_t right = two_rows(&b[k][j]), beside = two_rows(&b[k][j + tile_edge]);
        MULTIPLY(0, left, right);
        MULTIPLY(4, left, beside);
        MULTIPLY(8, below, right);
        MULTIPLY(12, below, beside);
      }
      store_tile(0, &c[i][j]);
      store_tile(4, &c[i][j + tile_edge]);
      store_tile(8, &c[i + tile_edge][j]);
      store_tile(12, &c[i + tile_edge][j + tile_edge]);
    }
}

int main(void) {
  for (int i = 0; i < edge * edge; ++i) {
    a[i / edge][i % edge] = (i % 37 - 18) / 7.f;
    b[i / edge][i % edge] = (i % 41 - 20) / 9.f;
  }

  const unsigned long begin = __builtin_readcyclecounter();
  multiply();
  const unsigned long cycles = __builtin_readcyclecounter() - begin;
  printf("tiles: %lu cycles, %.0f of %d FLOP/cycle\n", cycles, 2.0 * edge * edge * edge / cycles,
         flop_per_cycle);

  for (int i = 0; i < edge; ++i)
    for (int j = 0; j < edge; ++j) {
      float sum = 0;
      for (int k = 0; k < edge; ++k) sum = fmaf(a[k][i], b[k][j], sum);
      if (c[i][j] != sum) return 1;
    }
  return 0;
}
