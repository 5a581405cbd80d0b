// The node's library: what a C++ program for a Dojo node can use. Built by src/toolchain/toolchain.cpp, which
// holds the flags.
//
// Every node runs the same program and knows its place; local SRAM is symmetric: a buffer has the same
// address on every node. The communication calls carry OpenSHMEM's names and meanings (docs/notes/002).
// Nothing here allocates. Thread 0 runs main(); what main returns is the node's exit code.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "xdojo.h"

// Written by programs that start more than one thread (toolchain.h, node_threads): what threads 1..3 run.
// They share decoder, pipes and ports (docs/notes/005); only one of them may ever wait on a given semaphore.
extern "C" int dojo_thread_main(unsigned thread);

namespace dojo {

using bf16 = __bf16;

// --- Identity -------------------------------------------------------------------------------------------
unsigned my_pe();   // this node's logical index
unsigned n_pes();   // nodes in the launch
unsigned my_row();  // physical place on the die's mesh
unsigned my_column();
unsigned my_thread();

// --- One-sided transfers --------------------------------------------------------------------------------
using Global = uint64_t;     // a memory of the machine and a place in it; dojo_global()
using Semaphore = uint64_t;  // an aligned word in SRAM
// Byte `offset` of the HBM of interface processor d (`dojo machine` says how many there are and how large: d1
// has five of 32 GB). It reads 0 until it is written; any address and length will do.
constexpr Global hbm(unsigned d, uint64_t offset) { return dojo_hbm(d, offset); }
// Of items of `bytes` each, spread over so many HBMs: item p lies in p % interfaces. The offset is computed
// in the type Offset: 32 bits are faster where they are enough.
template <typename Offset>
constexpr Global hbm_share(unsigned p, unsigned interfaces, Offset begin, Offset bytes) {
  return hbm(p % interfaces, begin + p / interfaces * bytes);
}
Global at(unsigned pe, const void* symmetric);
// To `destination` in the SRAM of node pe. The source may change at once; the bytes are there when
// their signal counts, or for all nodes behind a barrier_all().
void put(unsigned pe, void* destination, const void* source, size_t bytes);
void put_signal(unsigned pe, void* destination, const void* source, size_t bytes, Semaphore* signal);
void get(void* destination, Global source, size_t bytes);  // complete after quiet()
void get_signal(void* destination, Global source, size_t bytes, Semaphore* signal);
void put_hbm(Global destination, const void* source, size_t bytes);  // complete after quiet()
void signal(unsigned pe, Semaphore* semaphore, uint64_t amount = 1);
// Blocks until this node's semaphore holds at least `count`, then takes that from it.
void wait(Semaphore* semaphore, uint64_t count);
void quiet();  // until every put of this thread is delivered and every get has arrived

// --- Whole tensors in HBM, and boxes of them --------------------------------------------------------------
// An array that is spread over the HBMs: byte b lies in unit b / hbm_unit_bytes, and unit u in HBM
// u % interfaces, at begin + u / interfaces * hbm_unit_bytes.
constexpr uint64_t hbm_unit_bytes = 4096;
struct HbmArray {
  uint64_t begin;
  unsigned interfaces;
};
void get_array(void* destination, HbmArray source, uint64_t offset, size_t bytes);  // complete after quiet()
void put_array(HbmArray destination, uint64_t offset, const void* source, size_t bytes);  // likewise
// A row-major tensor and the extents of boxes of it that begin anywhere: `rank` (at most 8) numbers each.
struct Box {
  unsigned element_bytes, rank;
  const int* shape;
  const int* extent;
};
// Element i of the box becomes element origin + i of the tensor, or the element with the bits `outside` where
// there is none. Complete after quiet().
void fetch_box(void* box, HbmArray tensor, const Box& of, const int* origin, uint32_t outside);
void fetch_box(void* box, const void* tensor, const Box& of, const int* origin, uint32_t outside);
// Elements of the box that lie outside of the tensor go nowhere. Complete after quiet().
void store_box(HbmArray tensor, const void* box, const Box& of, const int* origin);

// --- Collectives over the logical mesh R x C of all nodes (node = r * C + c) -----------------------------
// A collective buffer of R * C * chunk elements lies as [c][r][chunk]: node (r, c) owns the chunk at (c * R +
// r) * chunk. All nodes call the same collectives in the same order, each from one thread; R * C = n_pes(). A
// buffer may be written by others from the call's begin to its end, not before and not after. A program that
// changes the mesh puts a barrier_all() between.
struct Mesh {
  unsigned rows, columns;
};
// Every node has come here, and every put issued before is delivered.
void barrier_all();
// In: this node's chunk in place. Out: all chunks. Columns first, then rows; pure copies.
void all_gather(void* buffer, size_t chunk_bytes, Mesh mesh);
// In: each node's full partial sums. Out: this node's chunk in place holds the sum over nodes; the rest is
// undefined. Ring order: rows first (start at column c + 1, add c + 2, ..., c), then columns (r + 1, r + 2,
// ..., r): sum = received + own at every step. `staging`: 2 * R * chunk elements of scratch.
void reduce_scatter(float* buffer, size_t chunk_elements, float* staging, Mesh mesh);
// reduce_scatter, then all_gather.
void all_reduce(float* buffer, size_t chunk_elements, float* staging, Mesh mesh);

// --- Matrix unit ----------------------------------------------------------------------------------------
// c[m][n] (+)= sum over k ascending of a[k][m] * b[k][n], FP32 accumulators: acc = fma(a, b, acc), from 0 or
// from c if `accumulate`. a: K rows of stride lda elements, m contiguous; b: K rows of stride ldb, n
// contiguous; c: M rows of stride ldc. Any M, N, K >= 1. c does not overlap a or b.
// Up to 256 bytes behind a row of a or b are read, and the eight bytes behind `rows`; what stands there does
// not matter.
void matmul(const bf16* a, size_t lda, const bf16* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate);
void matmul(const float* a, size_t lda, const float* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate);
// The same where row k of b begins at b + rows[k]; rows may overlap each other.
void matmul_listed(const bf16* a, size_t lda, const bf16* b, const int32_t* rows, float* c, size_t ldc,
                   size_t m, size_t n, size_t k, bool accumulate);
void matmul_listed(const float* a, size_t lda, const float* b, const int32_t* rows, float* c, size_t ldc,
                   size_t m, size_t n, size_t k, bool accumulate);

// --- Arrays ---------------------------------------------------------------------------------------------
// Counts are elements; strides are elements from one to the next and may be 0 (source) or negative. Arrays do
// not overlap, except that source and destination of the element-for-element operations may be the same
// array.
void copy(void* destination, const void* source, size_t bytes);
void fill(float* destination, float value, size_t count);
void fill(bf16* destination, bf16 value, size_t count);
void add(float* sum, const float* left, const float* right, size_t count);
// destination[i * destination_stride] = source[i * source_stride]
void pack_row(float* destination, ptrdiff_t destination_stride, const float* source, ptrdiff_t source_stride,
              size_t count);
void pack_row(bf16* destination, ptrdiff_t destination_stride, const bf16* source, ptrdiff_t source_stride,
              size_t count);
void pack_row(uint8_t* destination, ptrdiff_t destination_stride, const uint8_t* source,
              ptrdiff_t source_stride, size_t count);
// even[i] = pairs[2 * i], odd[i] = pairs[2 * i + 1]
void split(bf16* even, bf16* odd, const bf16* pairs, size_t count);
// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns
void transpose(bf16* to, size_t to_stride, const bf16* from, size_t from_stride, size_t rows, size_t columns);
void transpose(float* to, size_t to_stride, const float* from, size_t from_stride, size_t rows,
               size_t columns);
// The same where row r of the source begins at from + lines[r].
void transpose(bf16* to, size_t to_stride, const bf16* from, const int32_t* lines, size_t rows,
               size_t columns);
void transpose(float* to, size_t to_stride, const float* from, const int32_t* lines, size_t rows,
               size_t columns);
// Round to nearest even; NaN becomes the canonical NaN.
void to_bf16(bf16* destination, const float* source, size_t count);
void to_float(float* destination, const bf16* source, size_t count);
void to_float(float* destination, const uint8_t* source, size_t count);

// --- Number formats of Xdojo -----------------------------------------------------------------------------
// What the last operand of dojo_narrow8, dojo_widen8 (codes of 8 bits), dojo_narrow16 and dojo_widen16 (16
// bits) says; the bias of a number is 0 to 63.
namespace number_format {
constexpr uint64_t cfloat8_143(unsigned bias = 7) { return bias; }
constexpr uint64_t cfloat8_152(unsigned bias = 15) { return 1u << 8 | bias; }
constexpr uint64_t cfloat16_shp(unsigned bias = 15) { return 2u << 8 | bias; }
constexpr uint64_t cfloat16_uhp = 3u << 8, bf16 = 4u << 8;
constexpr uint64_t stochastic = 1u << 16;         // beside one of them: round to either neighbour, by chance
constexpr uint64_t printed_denormals = 1u << 17;  // beside a CFloat: as the white paper prints them
}  // namespace number_format
// This thread's draws for stochastic rounding, from here on: element i of what is narrowed next has the draw
// that follows from key and counter + i / 4 alone.
void seed_rounding(uint64_t key, uint64_t counter = 0);
// What this thread's DOJO_MM_CF takes its operands for: two of number_format::cfloat8_143 and cfloat8_152.
void set_matrix_formats(uint64_t a, uint64_t b);

// --- For people -----------------------------------------------------------------------------------------
void print(const char* text);
void print(uint64_t number);  // decimal

// ---------------------------------------------------------------------------------------------------------
#define DOJO_READ_CSR(number)                         \
  ({                                                  \
    uint64_t value_;                                  \
    asm volatile("csrr %0, " #number : "=r"(value_)); \
    value_;                                           \
  })
inline unsigned my_pe() { return static_cast<unsigned>(DOJO_READ_CSR(0xcc0)); }
inline unsigned n_pes() { return static_cast<unsigned>(DOJO_READ_CSR(0xcc1)); }
inline unsigned my_row() { return static_cast<unsigned>(DOJO_READ_CSR(0xcc2)); }
inline unsigned my_column() { return static_cast<unsigned>(DOJO_READ_CSR(0xcc3)); }
inline unsigned my_thread() { return static_cast<unsigned>(DOJO_READ_CSR(0xcc4)); }
#undef DOJO_READ_CSR

#define DOJO_WRITE_CSR(number, value) asm volatile("csrw " #number ", %0" : : "r"(value) : "memory")
inline void seed_rounding(uint64_t key, uint64_t counter) {
  DOJO_WRITE_CSR(0x800, key);
  DOJO_WRITE_CSR(0x801, counter);
}
inline void set_matrix_formats(uint64_t a, uint64_t b) {
  const auto operand = [](uint64_t format) {
    return (format & 0x3f) | (format >> 8 & 1) << 6 | (format >> 17 & 1) << 7;
  };
  DOJO_WRITE_CSR(0x802, operand(a) | operand(b) << 8);
}
#undef DOJO_WRITE_CSR

inline uint64_t local_offset(const void* address) { return reinterpret_cast<uint64_t>(address); }
inline Global at(unsigned pe, const void* symmetric) { return dojo_global(pe, local_offset(symmetric)); }
inline void put(unsigned pe, void* destination, const void* source, size_t bytes) {
  dojo_put(0, at(pe, destination), local_offset(source), bytes);
}
inline void put_signal(unsigned pe, void* destination, const void* source, size_t bytes, Semaphore* signal) {
  dojo_put(local_offset(signal), at(pe, destination), local_offset(source), bytes);
}
inline void get(void* destination, Global source, size_t bytes) {
  dojo_get(0, local_offset(destination), source, bytes);
}
inline void get_signal(void* destination, Global source, size_t bytes, Semaphore* signal) {
  dojo_get(local_offset(signal), local_offset(destination), source, bytes);
}
inline void put_hbm(Global destination, const void* source, size_t bytes) {
  dojo_put(0, destination, local_offset(source), bytes);
}
inline void signal(unsigned pe, Semaphore* semaphore, uint64_t amount) {
  dojo_signal(at(pe, semaphore), amount);
}
inline void wait(Semaphore* semaphore, uint64_t count) { dojo_wait(local_offset(semaphore), count); }
inline void quiet() { dojo_quiet(); }

}  // namespace dojo

// dj.mark: instructions that follow belong to plan op `id`, a constant.
#define DOJO_MARK(id) ::dojo_mark<(id)>()
