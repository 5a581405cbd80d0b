// The same program for this computer and for the profiles RVA22U64 and RVA23U64: ordinary code that the
// compiler turns into what they add (profiles_test.cpp looks for it), and what only assembly names. Prints
// what it found.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Not folded into its caller, whatever that knows.
#define ALONE __attribute__((noinline))

enum { count = 1000 };
static uint32_t words[count];
static uint64_t longs[count], more[count];
static uint8_t bytes[count];
static double numbers[count];
static float singles[count];
_Alignas(64) static uint8_t block[192];

// Any sequence of numbers (xorshift64).
static uint64_t next(void) {
  static uint64_t state = 0x9e3779b97f4a7c15u;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

// Another number for other bytes.
static uint64_t fold(const void* data, size_t size) {
  const uint8_t* at = data;
  uint64_t sum = 1;
  for (size_t i = 0; i < size; ++i) sum = (sum ^ at[i]) * 0x100000001b3u;
  return sum;
}

ALONE static void count_bits(void) {
  for (int i = 0; i < count; ++i)
    words[i] = (uint32_t)(__builtin_popcount(words[i]) * 64 + (words[i] ? __builtin_clz(words[i]) : 32));
}
ALONE static void rotate(void) {
  for (int i = 0; i < count; ++i) longs[i] = longs[i] << (more[i] & 63) | longs[i] >> (-more[i] & 63);
}
ALONE static void clear(void) {
  for (int i = 0; i < count; ++i) longs[i] &= ~more[i];
}
ALONE static void swap(void) {
  for (int i = 0; i < count; ++i) longs[i] = __builtin_bswap64(longs[i]) ^ __builtin_bitreverse64(more[i]);
}
ALONE static void widen(void) {
  for (int i = 0; i < count; ++i) longs[i] = (uint64_t)words[i] << 7;
}
ALONE static uint64_t choose(uint64_t a, uint64_t b, uint64_t condition) {
  return (condition ? a : 0) + (condition < 7 ? 0 : b);
}
ALONE static void whole(void) {
  for (int i = 0; i < count; ++i)
    numbers[i] = floor(numbers[i]) + rint(numbers[i] * 0.75) * 2.5 - trunc(numbers[i] * 4.0);
}
ALONE static float one_whole(float x) { return roundf(x) + ceilf(x) * 0.4375f; }
ALONE static int below(double a, double b) {
  return __builtin_isless(a, b) + 2 * __builtin_islessequal(a, b);
}
ALONE static unsigned small(uint8_t* at, unsigned by) {
  at[0] = (uint8_t)(at[1] * by);
  at[2] = (uint8_t)~at[3];
  return (unsigned)at[0] * (unsigned)at[3];
}

#ifdef __riscv
ALONE static void only_here(void) {
  memset(block, 0xa5, sizeof block);
  __asm__ volatile("cbo.zero (%0); cbo.clean (%0); cbo.flush (%0); cbo.inval (%0); prefetch.w 0(%0); pause"
                   :
                   : "r"(block + 70)
                   : "memory");
#ifdef __riscv_zimop
  uint64_t zero = 1, other = 1;
  __asm__ volatile("mop.r.7 %0, %2; mop.rr.3 %1, %2, %2; c.mop.5; ntl.all; wrs.nto; wrs.sto"
                   : "+r"(zero), "+r"(other)
                   : "r"(block));
  block[0] = (uint8_t)(block[0] + zero + other);
#endif
}
#else
static void only_here(void) {
  memset(block, 0xa5, sizeof block);
  memset(block + 64, 0, 64);
}
#endif

int main(void) {
  for (int i = 0; i < count; ++i) {
    words[i] = (uint32_t)(next() >> (next() & 31));
    longs[i] = next();
    more[i] = next();
    bytes[i] = (uint8_t)next();
    numbers[i] = (double)(int64_t)next() * 0x1p-50;
    singles[i] = (float)(int32_t)next() * 0x1p-12f;
  }
  uint64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += choose(longs[i], more[i], words[i] & 15);
  printf("%llx\n", (unsigned long long)sum);
  rotate();
  printf("%llx\n", (unsigned long long)fold(longs, sizeof longs));
  clear();
  printf("%llx\n", (unsigned long long)fold(longs, sizeof longs));
  swap();
  printf("%llx\n", (unsigned long long)fold(longs, sizeof longs));
  widen();
  printf("%llx\n", (unsigned long long)fold(longs, sizeof longs));
  count_bits();
  printf("%llx\n", (unsigned long long)fold(words, sizeof words));
  whole();
  printf("%llx\n", (unsigned long long)fold(numbers, sizeof numbers));
  unsigned orders = 0, products = 0;
  for (int i = 0; i + 4 < count; ++i) {
    singles[i] = one_whole(singles[i]);
    orders += (unsigned)below(numbers[i], i % 5 ? numbers[i + 1] : numbers[i]);
    products += small(bytes + i, (unsigned)words[i]);
  }
  printf("%llx %u %u %llx\n", (unsigned long long)fold(singles, sizeof singles), orders, products,
         (unsigned long long)fold(bytes, sizeof bytes));
  only_here();
  printf("%llx\n", (unsigned long long)fold(block, sizeof block));
  return 0;
}
