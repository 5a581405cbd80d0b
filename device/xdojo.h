// Xdojo's instructions for C++ on a node. Generated from the rows in src/isa/xdojo_rows.cpp (see xdojo_header.h);
// do not edit. Global addresses are endpoint << 40 | offset (docs/notes/001), meanings stand in docs/notes/002.
#pragma once

#include <stdint.h>

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
