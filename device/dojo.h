// The node's library: what a C++ program for a Dojo node can use. Built with clang-22 (see device/build.txt for the flags).
//
// Every node runs the same program and knows its place; local SRAM is symmetric: a buffer has the same address on every node. The
// communication calls carry OpenSHMEM's names and meanings (docs/notes/002). Nothing here allocates.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace dojo {

using bf16 = __bf16;

// --- Identity -------------------------------------------------------------------------------------------
unsigned my_pe();      // this node's logical index
unsigned n_pes();      // nodes in the launch
unsigned my_thread();

// --- One-sided transfers --------------------------------------------------------------------------------
using Global = uint64_t;       // endpoint << 40 | offset
using Semaphore = uint64_t;    // an aligned word in SRAM
constexpr Global hbm(unsigned d, uint64_t offset);
Global at(unsigned pe, const void* symmetric);
void put(unsigned pe, void* destination, const void* source, size_t bytes);
void put_signal(unsigned pe, void* destination, const void* source, size_t bytes, Semaphore* signal);
void get(void* destination, Global source, size_t bytes);                          // complete after quiet()
void get_signal(void* destination, Global source, size_t bytes, Semaphore* signal);
void put_hbm(Global destination, const void* source, size_t bytes);                // complete after quiet()
void signal(unsigned pe, Semaphore* semaphore, uint64_t amount = 1);
void wait(Semaphore* semaphore, uint64_t count);
void quiet();

// --- Collectives over the logical mesh R x C of all nodes (node = r * C + c) -----------------------------
// A collective buffer of R * C * chunk elements lies as [c][r][chunk]: node (r, c) owns the chunk at (c * R + r) * chunk.
struct Mesh {
  unsigned rows, columns;
};
void barrier_all();
// In: this node's chunk in place. Out: all chunks. Columns first, then rows; pure copies.
void all_gather(void* buffer, size_t chunk_bytes, Mesh mesh);
// In: each node's full partial sums. Out: this node's chunk in place holds the sum over nodes; the rest is undefined. Ring order:
// rows first (start at column c + 1, add c + 2, ..., c), then columns (r + 1, r + 2, ..., r): sum = received + own at every step.
// `staging`: 2 * R * chunk elements of scratch.
void reduce_scatter(float* buffer, size_t chunk_elements, float* staging, Mesh mesh);
// reduce_scatter, then all_gather.
void all_reduce(float* buffer, size_t chunk_elements, float* staging, Mesh mesh);

// --- Matrix unit ----------------------------------------------------------------------------------------
// c[m][n] (+)= sum over k ascending of a[k][m] * b[k][n], FP32 accumulators: acc = fma(a, b, acc), from 0 or from c if `accumulate`.
// a: K rows of stride lda elements, m contiguous; b: K rows of stride ldb, n contiguous; c: M rows of stride ldc. Any M, N, K >= 1.
void matmul(const bf16* a, size_t lda, const bf16* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n, size_t k, bool accumulate);
void matmul(const float* a, size_t lda, const float* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n, size_t k, bool accumulate);

}  // namespace dojo

// dj.mark: instructions that follow belong to plan op `id`.
#define DOJO_MARK(id)
