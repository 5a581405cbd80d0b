// C = A^T B on the matrix unit, 128 x 128 x 128 in fp8 (E4M3), operands in SRAM: four tiles of C in the unit,
// four rows of A and B at a time. Row k of an operand lies in register 2 k above its first.
#include <stddef.h>
#include <stdint.h>

namespace {
constexpr size_t edge = 128;
alignas(64) uint8_t a[edge * edge + 64], b[edge * edge + 64];
alignas(64) float c[edge * edge];

struct Filled {
  Filled() {
    constexpr uint8_t codes[] = {0x38, 0xb8, 0x40, 0x30, 0x00, 0xc0, 0x44};  // 1 -1 2 0.5 0 -2 3
    for (size_t i = 0; i < edge * edge; ++i) {
      a[i] = codes[i % 7];
      b[i] = codes[i % 5];
    }
  }
} filled;

template <int first>
void load(const uint8_t* rows) {
  asm volatile("vle8.v v%1, (%0)\n\tvle8.v v%2, (%5)\n\tvle8.v v%3, (%6)\n\tvle8.v v%4, (%7)"
               :
               : "r"(rows), "i"(first), "i"(first + 2), "i"(first + 4), "i"(first + 6), "r"(rows + edge),
                 "r"(rows + 2 * edge), "r"(rows + 3 * edge)
               : "memory");
}

void store(unsigned tile, float* rows) {
  for (unsigned row = 0; row < 16; ++row)
    asm volatile("sf.vste32 %0, (%1)" : : "r"(tile << 27 | row), "r"(rows + row * edge) : "memory");
}
}  // namespace

unsigned kernel() {
  for (size_t i = 0; i < edge; i += 32)
    for (size_t j = 0; j < edge; j += 32) {
      asm volatile(
          "sf.vsettnt zero, %0, e8, w4\n\tsf.vsettm zero, %0\n\tsf.vsettk zero, %1\n\t"
          "sf.vtzero.t mt0\n\tsf.vtzero.t mt4\n\tsf.vtzero.t mt8\n\tsf.vtzero.t mt12"
          :
          : "r"(16), "r"(4)
          : "vl", "vtype", "memory");
      for (size_t k = 0; k < edge; k += 4) {
        load<0>(a + k * edge + i);
        load<1>(a + k * edge + i + 16);
        load<8>(b + k * edge + j);
        load<9>(b + k * edge + j + 16);
        asm volatile(
            "sf.mm.e4m3.e4m3 mt0, v0, v8\n\tsf.mm.e4m3.e4m3 mt4, v0, v9\n\t"
            "sf.mm.e4m3.e4m3 mt8, v1, v8\n\tsf.mm.e4m3.e4m3 mt12, v1, v9"
            :
            :
            : "memory");
      }
      store(0, c + i * edge + j);
      store(4, c + i * edge + j + 16);
      store(8, c + (i + 16) * edge + j);
      store(12, c + (i + 16) * edge + j + 16);
    }
  return static_cast<unsigned>(static_cast<int>(c[3]));
}
