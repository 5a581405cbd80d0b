// C = A B on the matrix unit, 256 x 256 x 256 in bf16, operands in SRAM, by the device library.
#include <stddef.h>

#include "dojo.h"

namespace {
constexpr size_t edge = 256;
alignas(64) dojo::bf16 a[edge * edge], b[edge * edge];
alignas(64) float c[edge * edge];

struct Filled {
  Filled() {
    constexpr uint16_t codes[] = {0x3f80, 0xbf80, 0x4000, 0x3f00,
                                  0x0000, 0xc000, 0x4040};  // 1 -1 2 0.5 0 -2 3
    for (size_t i = 0; i < edge * edge; ++i) {
      a[i] = __builtin_bit_cast(dojo::bf16, codes[i % 7]);
      b[i] = __builtin_bit_cast(dojo::bf16, codes[i % 5]);
    }
  }
} filled;
}  // namespace

unsigned kernel() {
  dojo::matmul(a, edge, b, edge, c, edge, edge, edge, edge, false);
  return static_cast<unsigned>(static_cast<int>(c[3]));
}
