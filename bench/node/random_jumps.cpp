// Each thread follows its own random table of jumps to sixteen pieces of code, so that the threads meet in
// ever new situations. Which piece comes next depends on the table alone, what it computes on the piece
// before.
#include <stddef.h>
#include <stdint.h>

namespace {

constexpr unsigned threads = 4;
constexpr size_t jumps = 1000;

struct Tables {
  uint8_t piece[threads][jumps]{};
  constexpr Tables() {
    uint32_t random = 12345;
    for (auto& table : piece)
      for (uint8_t& entry : table) {
        random = random * 1664525 + 1013904223;
        entry = static_cast<uint8_t>(random >> 28);
      }
  }
};
constexpr Tables tables;

uint64_t kept[threads][16];

}  // namespace

unsigned kernel(unsigned thread) {
  uint64_t a = thread + 1, b = 0x9e3779b97f4a7c15;
  uint64_t* const mine = kept[thread];
  const uint8_t* const table = tables.piece[thread];
  for (size_t i = 0; i < jumps; ++i) {
    const unsigned piece = table[i];
    switch (piece) {
        // clang-format off
      case 0: a += b; break;
      case 1: a ^= b >> 7; b += 3; break;
      case 2: a = a * 5 + 1; break;
      case 3: b ^= a << 13; b ^= b >> 7; break;
      case 4: a += mine[b & 15]; break;
      case 5: mine[a & 15] = b; break;
      case 6: b = b * a; a = b - a; break;
      case 7: a = (a >> 3) + (b << 2) + (a ^ b); break;
      case 8: a = a / (b | 1); break;
      case 9: if ((a & 1) != 0) a += 7; else b += 9; break;
      case 10: b += mine[0] + mine[1] + mine[2]; break;
      case 11: mine[3] += a; mine[4] ^= b; break;
      case 12: a = ~a; b = ~b; a += 1; break;
      case 13: for (unsigned k = 0; k < 3; ++k) a = a * 3 + mine[k + 5]; break;
      case 14: b = b >> 1 ^ (b & 1 ? 0xc96c5795d7870f42 : 0); break;
      default: a -= b; b -= a; a ^= 21; break;
        // clang-format on
    }
  }
  return static_cast<unsigned>(a ^ a >> 32 ^ b);
}
