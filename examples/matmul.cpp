// The product of tiles.c by the device library: one call.
//
// dojo::matmul takes any sizes and strides, and operands in bf16 or FP32. It sets the tiles' shape once for a
// block of C and loads the rows of the step after next while the unit multiplies (device/matmul.cpp).
//
//     build/dojo cc examples/matmul.cpp -o matmul.elf
//     build/dojo exec --quiet matmul.elf
//
// prints
//
//     matmul: 12039 cycles, 348 of 512 FLOP/cycle
#include <math.h>
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr int edge = 128, flop_per_cycle = 512;
// matmul may read up to 256 bytes behind a row.
constexpr int behind = 256 / sizeof(dojo::bf16);
alignas(64) dojo::bf16 a[edge * edge + behind], b[edge * edge + behind];
alignas(64) float c[edge * edge];

}  // namespace

int main() {
  for (int i = 0; i < edge * edge; ++i) {
    a[i] = static_cast<dojo::bf16>(static_cast<float>(i % 37 - 18) / 7);
    b[i] = static_cast<dojo::bf16>(static_cast<float>(i % 41 - 20) / 9);
  }

  const unsigned long begin = __builtin_readcyclecounter();
  dojo::matmul(a, edge, b, edge, c, edge, edge, edge, edge, false);
  const unsigned long cycles = __builtin_readcyclecounter() - begin;
  printf("matmul: %lu cycles, %.0f of %d FLOP/cycle\n", cycles, 2.0 * edge * edge * edge / cycles,
         flop_per_cycle);

  for (int i = 0; i < edge; ++i)
    for (int j = 0; j < edge; ++j) {
      float sum = 0;
      for (int k = 0; k < edge; ++k)
        sum = fmaf(static_cast<float>(a[k * edge + i]), static_cast<float>(b[k * edge + j]), sum);
      if (c[i * edge + j] != sum) return 1;
    }
}
