// Xdojo's instructions for C++ on a node. Generated from the rows in src/isa/xdojo_rows.cpp (see xdojo_header.h);
// do not edit. Meanings stand in docs/notes/002.
#pragma once

#include <stdint.h>

// A place in the SRAM of a node (its endpoint is its number), and in the HBM of interface processor d.
constexpr uint64_t dojo_global(uint64_t endpoint, uint64_t offset) {
  return endpoint << 40 | offset;
}
constexpr uint64_t dojo_hbm(uint64_t d, uint64_t offset) { return dojo_global(0x800000 + d, offset); }

// Copies local bytes to the global destination, then adds 1 to the semaphore at that endpoint (0: none).
inline void dojo_put(uint64_t semaphore, uint64_t destination, uint64_t source, uint64_t bytes) {
  asm volatile(".insn r4 0x0b, 0, 0, %z0, %z1, %z2, %z3" : : "rJ"(semaphore), "rJ"(destination), "rJ"(source), "rJ"(bytes) : "memory");
}

// Copies bytes from the global source, then adds 1 to the local semaphore (0: none).
inline void dojo_get(uint64_t semaphore, uint64_t destination, uint64_t source, uint64_t bytes) {
  asm volatile(".insn r4 0x0b, 0, 1, %z0, %z1, %z2, %z3" : : "rJ"(semaphore), "rJ"(destination), "rJ"(source), "rJ"(bytes) : "memory");
}

// Adds to the semaphore at a global address.
inline void dojo_signal(uint64_t semaphore, uint64_t amount) {
  asm volatile(".insn r 0x0b, 1, 0, x0, %z0, %z1" : : "rJ"(semaphore), "rJ"(amount) : "memory");
}

// Blocks until the local semaphore holds at least the amount, then subtracts it.
inline void dojo_wait(uint64_t semaphore, uint64_t amount) {
  asm volatile(".insn r 0x0b, 1, 1, x0, %z0, %z1" : : "rJ"(semaphore), "rJ"(amount) : "memory");
}

// Blocks until every put of this thread is delivered and every get has arrived.
inline void dojo_quiet() {
  asm volatile(".insn r 0x0b, 1, 2, x0, x0, x0" : :  : "memory");
}

// Instructions that follow belong to plan op `id`. Free.
template <uint32_t id>
inline void dojo_mark() {
  constexpr int32_t low = static_cast<int32_t>(id << 20) >> 20;
  asm volatile(".insn i 0x0b, 2, x0, %z0, %1" : : "rJ"(static_cast<uint64_t>(id) - low), "i"(low) : "memory");
}

// FP32 to CFloat or bf16 codes of 8 or 16 bits and back, whole arrays (count > 0). The descriptor: bias, format << 8 (0
// CFloat8_1_4_3, 1 CFloat8_1_5_2, 2 CFloat16 SHP, 3 CFloat16 UHP, 4 bf16), stochastic << 16, printed denormals << 17.
inline void dojo_narrow8(void* to, const void* from, uint64_t count, uint64_t descriptor) {
  uint64_t step;
  asm volatile(
      "1: vsetvli %0, %3, e32, m4, ta, ma\n"
      "vle32.v v8, (%2)\n"
      "vsetvli zero, %0, e8, m1, ta, ma\n"
      ".insn r 0x2b, 6, 1, v16, %4, v8\n"
      "vsetvli zero, %0, e8, m1, ta, ma\n"
      "vse8.v v16, (%1)\n"
      "sub %3, %3, %0\n"
      "slli %0, %0, 0\nadd %1, %1, %0\n"
      "slli %0, %0, 2\nadd %2, %2, %0\n"
      "bnez %3, 1b"
      : "=&r"(step), "+&r"(to), "+&r"(from), "+&r"(count)
      : "r"(descriptor)
      : "v8", "v9", "v10", "v11", "v16", "v17", "v18", "v19", "vl", "vtype", "memory");
}

inline void dojo_widen8(void* to, const void* from, uint64_t count, uint64_t descriptor) {
  uint64_t step;
  asm volatile(
      "1: vsetvli %0, %3, e8, m1, ta, ma\n"
      "vle8.v v8, (%2)\n"
      "vsetvli zero, %0, e8, m1, ta, ma\n"
      ".insn r 0x2b, 6, 3, v16, %4, v8\n"
      "vsetvli zero, %0, e32, m4, ta, ma\n"
      "vse32.v v16, (%1)\n"
      "sub %3, %3, %0\n"
      "slli %0, %0, 2\nadd %1, %1, %0\n"
      "srli %0, %0, 2\nadd %2, %2, %0\n"
      "bnez %3, 1b"
      : "=&r"(step), "+&r"(to), "+&r"(from), "+&r"(count)
      : "r"(descriptor)
      : "v8", "v9", "v10", "v11", "v16", "v17", "v18", "v19", "vl", "vtype", "memory");
}

inline void dojo_narrow16(void* to, const void* from, uint64_t count, uint64_t descriptor) {
  uint64_t step;
  asm volatile(
      "1: vsetvli %0, %3, e32, m2, ta, ma\n"
      "vle32.v v8, (%2)\n"
      "vsetvli zero, %0, e16, m1, ta, ma\n"
      ".insn r 0x2b, 6, 1, v16, %4, v8\n"
      "vsetvli zero, %0, e16, m1, ta, ma\n"
      "vse16.v v16, (%1)\n"
      "sub %3, %3, %0\n"
      "slli %0, %0, 1\nadd %1, %1, %0\n"
      "slli %0, %0, 1\nadd %2, %2, %0\n"
      "bnez %3, 1b"
      : "=&r"(step), "+&r"(to), "+&r"(from), "+&r"(count)
      : "r"(descriptor)
      : "v8", "v9", "v10", "v11", "v16", "v17", "v18", "v19", "vl", "vtype", "memory");
}

inline void dojo_widen16(void* to, const void* from, uint64_t count, uint64_t descriptor) {
  uint64_t step;
  asm volatile(
      "1: vsetvli %0, %3, e16, m1, ta, ma\n"
      "vle16.v v8, (%2)\n"
      "vsetvli zero, %0, e16, m1, ta, ma\n"
      ".insn r 0x2b, 6, 3, v16, %4, v8\n"
      "vsetvli zero, %0, e32, m2, ta, ma\n"
      "vse32.v v16, (%1)\n"
      "sub %3, %3, %0\n"
      "slli %0, %0, 2\nadd %1, %1, %0\n"
      "srli %0, %0, 1\nadd %2, %2, %0\n"
      "bnez %3, 1b"
      : "=&r"(step), "+&r"(to), "+&r"(from), "+&r"(count)
      : "r"(descriptor)
      : "v8", "v9", "v10", "v11", "v16", "v17", "v18", "v19", "vl", "vtype", "memory");
}

// For use inside an asm statement that has set the matrix configuration (e8, w4): the tile is mt0, mt4, mt8 or mt12,
// a and b are v registers. DOJO_MM_CF(mt4, v0, v8) adds to mt4.
#define DOJO_MM_CF(tile, a, b) ".insn r 0x2b, 1, 1, " DOJO_REGISTER_##tile ", " #b ", " #a "\n"
#define DOJO_REGISTER_mt0 "x0"
#define DOJO_REGISTER_mt4 "x8"
#define DOJO_REGISTER_mt8 "x16"
#define DOJO_REGISTER_mt12 "x24"
