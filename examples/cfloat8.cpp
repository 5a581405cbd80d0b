// Low precision: the product of tiles.c in CFloat8, and what that costs in accuracy.
//
// An instruction of Xdojo makes codes of one byte out of FP32, another multiplies codes and adds in FP32. A
// step takes four rows of each operand, so the same 512 FLOP a cycle need half of bf16's SRAM and traffic.
// A's codes have three bits of fraction, B's two. The bias of their exponents, which the format leaves to the
// program, is chosen such that the largest numbers just fit. These instructions have no intrinsics: the
// unit's configuration, loads and steps stand in one asm statement, so that the compiler puts no vector code
// of its own between them. A step waits for its loads here; device/matmul.cpp shows how to load ahead.
//
//     build/dojo cc examples/cfloat8.cpp -o cfloat8.elf
//     build/dojo exec --quiet cfloat8.elf
//
// prints
//
//     narrow: 6152 cycles, 5.3 of 16 numbers/cycle
//     error: 6.1 % of the FP32 product, root mean square
//     cfloat8: 13829 cycles, 303 of 512 FLOP/cycle
#include "cfloat8.h"

#include <math.h>
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr int edge = 128, tile_edge = 16, flop_per_cycle = 512;
constexpr unsigned bias_a = 13, bias_b = 29;
using CodeA = dojo::Cfloat8<3, bias_a>;  // up to 1.875 * 2^2
using CodeB = dojo::Cfloat8<2, bias_b>;  // up to 1.75 * 2^2
alignas(64) float a[edge][edge], b[edge][edge], c[edge][edge];
alignas(64) CodeA a_codes[edge][edge];
alignas(64) CodeB b_codes[edge][edge];

// The sums over all k of tiles mt0, mt4 (beside it), mt8 (below) and mt12. Row k of a step's operand stands
// two registers above the row before: v0, v2, v4, v6 hold four rows of A for the upper tiles, v1, v3, v5, v7
// for the lower; v8 to v15 those of B.
void multiply_tiles(const CodeA* a, const CodeB* b) {
  const CodeA* below = a + tile_edge;
  const CodeB* beside = b + tile_edge;
  long steps = edge / 4;
  // clang-format off
#define LOAD(upper, lower, left, right)                                                     \
  "vle8.v " #upper ", (%0)\n vle8.v " #lower ", (%1)\n add %0, %0, %5\n add %1, %1, %5\n"   \
  "vle8.v " #left ", (%2)\n vle8.v " #right ", (%3)\n add %2, %2, %5\n add %3, %3, %5\n"
  asm volatile(
      "sf.vsettnt zero, %6, e8, w4\n sf.vsettm zero, %6\n sf.vsettk zero, %7\n"
      "sf.vtzero.t mt0\n sf.vtzero.t mt4\n sf.vtzero.t mt8\n sf.vtzero.t mt12\n"
      "1:\n"
      LOAD(v0, v1, v8, v9)
      LOAD(v2, v3, v10, v11)
      LOAD(v4, v5, v12, v13)
      LOAD(v6, v7, v14, v15)
      DOJO_MM_CF(mt0, v0, v8)
      DOJO_MM_CF(mt4, v0, v9)
      DOJO_MM_CF(mt8, v1, v8)
      DOJO_MM_CF(mt12, v1, v9)
      "addi %4, %4, -1\n bnez %4, 1b"
      : "+&r"(a), "+&r"(below), "+&r"(b), "+&r"(beside), "+&r"(steps)
      : "r"(edge), "r"(tile_edge), "r"(4)
      : "memory", "vl", "vtype", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
        "v12", "v13", "v14", "v15");
#undef LOAD
  // clang-format on
}

// Tile mt<number>, whose rows are named by number and row.
void store_tile(uint64_t number, float* corner) {
  for (uint64_t row = 0; row < tile_edge; ++row)
    asm volatile("sf.vste32 %0, (%1)" : : "r"(number << 27 | row), "r"(corner + row * edge) : "memory");
}

[[gnu::noinline]] void multiply() {
  dojo::set_matrix_formats(dojo::number_format::cfloat8_143(bias_a),
                           dojo::number_format::cfloat8_152(bias_b));
  for (int i = 0; i < edge; i += 2 * tile_edge)
    for (int j = 0; j < edge; j += 2 * tile_edge) {
      multiply_tiles(&a_codes[0][i], &b_codes[0][j]);
      store_tile(0, &c[i][j]);
      store_tile(4, &c[i][j + tile_edge]);
      store_tile(8, &c[i + tile_edge][j]);
      store_tile(12, &c[i + tile_edge][j + tile_edge]);
    }
}

// From -3 to 3, as if by chance.
float value(int i) {
  uint32_t bits = static_cast<uint32_t>(i) * 0x9e3779b1;
  bits = (bits ^ bits >> 15) * 0x85ebca77;
  return static_cast<float>(bits >> 8) * (6.f / (1 << 24)) - 3;
}

}  // namespace

int main() {
  for (int i = 0; i < edge * edge; ++i) {
    a[i / edge][i % edge] = value(i);
    b[i / edge][i % edge] = value(edge * edge + i);
  }

  const unsigned long begin = __builtin_readcyclecounter();
  dojo_narrow8(a_codes, a, edge * edge, dojo::number_format::cfloat8_143(bias_a));
  dojo_narrow8(b_codes, b, edge * edge, dojo::number_format::cfloat8_152(bias_b));
  const unsigned long between = __builtin_readcyclecounter();
  multiply();
  const unsigned long end = __builtin_readcyclecounter();
  printf("narrow: %lu cycles, %.1f of 16 numbers/cycle\n", between - begin,
         2.0 * edge * edge / (between - begin));

  // The codes are those of cfloat8.h, which computes them in C++; the product is a plain loop's, bit for bit.
  double squares = 0, error_squares = 0;
  for (int i = 0; i < edge; ++i)
    for (int j = 0; j < edge; ++j) {
      if (a_codes[i][j].code != CodeA(a[i][j]).code || b_codes[i][j].code != CodeB(b[i][j]).code) return 1;
      float sum = 0, exact = 0;
      for (int k = 0; k < edge; ++k) {
        sum = fmaf(static_cast<float>(a_codes[k][i]), static_cast<float>(b_codes[k][j]), sum);
        exact = fmaf(a[k][i], b[k][j], exact);
      }
      if (c[i][j] != sum) return 1;
      squares += static_cast<double>(exact) * exact;
      error_squares += static_cast<double>(exact - sum) * (exact - sum);
    }
  printf("error: %.1f %% of the FP32 product, root mean square\n", 100 * sqrt(error_squares / squares));
  printf("cfloat8: %lu cycles, %.0f of %d FLOP/cycle\n", end - between,
         2.0 * edge * edge * edge / (end - between), flop_per_cycle);
}
