// A stream from HBM, larger than the SRAM, is added up while its next blocks are on their way.
//
// get_signal asks for a block and returns at once; the block's semaphore counts when it is there. With one
// buffer the node asks, waits and adds in turns. With two it adds one block while the other comes. That is
// not enough here: the answer takes some 900 cycles to begin (the way to the memory and back, and its
// latency), longer than the 32 KiB of a block take to come or to be added. Four buffers, three of them under
// way at any time, keep the link busy. It carries 64 bytes a cycle. The node writes the stream itself first,
// since nothing else fills the memory before a launch.
//
//     build/dojo cc examples/stream.cpp -o stream.elf
//     build/dojo exec --quiet stream.elf
//
// prints
//
//     1 buffer: 126984 cycles, 16.5 of 64 bytes/cycle
//     2 buffers: 64136 cycles, 32.7 of 64 bytes/cycle
//     4 buffers: 38448 cycles, 54.5 of 64 bytes/cycle
#include <riscv_vector.h>
#include <stdio.h>
#include <initializer_list>

#include "dojo.h"

namespace {

constexpr unsigned blocks = 64, block = 8192, most_buffers = 4;  // 64 blocks of 32 KiB: 2 MiB
alignas(64) float buffers[most_buffers][block];
dojo::Semaphore arrived[most_buffers];

dojo::Global place_of(unsigned index) { return dojo::hbm(0, uint64_t{index} * sizeof buffers[0]); }

float value(unsigned i) { return static_cast<float>(i % 7); }

void write_stream() {
  for (unsigned b = 0; b < blocks; ++b) {
    for (unsigned i = 0; i < block; ++i) buffers[0][i] = value(b * block + i);
    dojo::put_hbm(place_of(b), buffers[0], sizeof buffers[0]);  // has read its source when it returns
  }
  dojo::quiet();  // now all of it is in the memory
}

// 128 sums beside one another, as many as fit into eight registers.
[[gnu::noinline]] float sum_of(const float* values) {
  const size_t all = __riscv_vsetvlmax_e32m8();
  vfloat32m8_t sums = __riscv_vfmv_v_f_f32m8(0, all);
  for (const float* at = values; at != values + block; at += all)
    sums = __riscv_vfadd(sums, __riscv_vle32_v_f32m8(at, all), all);
  return __riscv_vfmv_f(__riscv_vfredusum(sums, __riscv_vfmv_v_f_f32m1(0, 1), all));
}

float sum_of_stream(unsigned used) {
  const auto ask = [used](unsigned b) {
    dojo::get_signal(buffers[b % used], place_of(b), sizeof buffers[0], &arrived[b % used]);
  };
  for (unsigned b = 0; b < used - 1; ++b) ask(b);
  float sum = 0;
  for (unsigned b = 0; b < blocks; ++b) {
    if (b + used - 1 < blocks) ask(b + used - 1);
    dojo::wait(&arrived[b % used], 1);
    sum += sum_of(buffers[b % used]);
  }
  return sum;
}

}  // namespace

int main() {
  write_stream();
  float expected = 0;  // whole numbers, below 2^24: exact in any order
  for (unsigned i = 0; i < blocks * block; ++i) expected += value(i);

  for (const unsigned used : {1u, 2u, 4u}) {
    const unsigned long begin = __builtin_readcyclecounter();
    const float sum = sum_of_stream(used);
    const unsigned long cycles = __builtin_readcyclecounter() - begin;
    printf("%u buffer%s: %lu cycles, %.1f of 64 bytes/cycle\n", used, used == 1 ? "" : "s", cycles,
           static_cast<double>(blocks) * sizeof buffers[0] / cycles);
    if (sum != expected) return 1;
  }
}
