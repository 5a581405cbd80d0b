// A ring all-reduce over the nodes, written out: put_signal and wait are all that it takes.
//
// Every node has a vector and wants the sum of all. The vector is cut into as many chunks as there are nodes.
// In the first lap a chunk goes round the ring, and every node adds its own to it; in the second lap the
// finished chunk goes round. A put carries its signal behind it: when wait() returns, the data are there. In
// the first lap each chunk arrives at a place of its own, so nobody waits for one to become free. In the
// second it arrives in the vector itself. The values that it replaces went on in the first lap, and a put has
// read its source when it returns, so nobody still wants them. A link of D1 carries 64 bytes a cycle each
// way; it rests while a node adds. dojo::all_reduce does the same over a mesh of nodes, with chunks of any
// size in little memory, and therefore asks before it puts.
//
//     build/dojo cc examples/ring.cpp -o ring.elf
//     build/dojo exec --quiet --nodes 6 ring.elf
//
// prints
//
//     dojo::all_reduce: 2688 cycles, 30.5 bytes/cycle on each link
//     ring: 2274 cycles, 36.0 bytes/cycle on each link
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr unsigned nodes = 6, chunk = 2048;
alignas(64) float vector[nodes][chunk], again[nodes][chunk], inbox[nodes][chunk], staging[2 * chunk];
dojo::Semaphore arrived;

void all_reduce() {
  const unsigned me = dojo::my_pe(), next = (me + 1) % nodes;
  // Which chunk this node sends in a step; the one before it in the ring sends the one before that.
  const auto chunk_of = [me](unsigned step) { return (me + 2 * nodes - step) % nodes; };
  for (unsigned step = 0; step < nodes - 1; ++step) {
    const unsigned sent = chunk_of(step), received = chunk_of(step + 1);
    dojo::put_signal(next, inbox[sent], vector[sent], sizeof vector[sent], &arrived);
    dojo::wait(&arrived, 1);
    dojo::add(vector[received], inbox[received], vector[received], chunk);
  }
  for (unsigned step = nodes - 1; step < 2 * nodes - 2; ++step) {
    const unsigned sent = chunk_of(step);
    dojo::put_signal(next, vector[sent], vector[sent], sizeof vector[sent], &arrived);
    dojo::wait(&arrived, 1);
  }
}

template <typename Work>
void measure(const char* name, const Work& work) {
  dojo::barrier_all();
  const unsigned long begin = __builtin_readcyclecounter();
  work();
  dojo::barrier_all();
  const unsigned long cycles = __builtin_readcyclecounter() - begin;
  const double sent = 2.0 * (nodes - 1) * sizeof vector[0];
  if (dojo::my_pe() == 0)
    printf("%s: %lu cycles, %.1f bytes/cycle on each link\n", name, cycles, sent / cycles);
}

}  // namespace

int main() {
  if (dojo::n_pes() != nodes) {
    printf("ring: needs exactly %u nodes: --nodes %u\n", nodes, nodes);
    return 2;
  }
  const unsigned me = dojo::my_pe();
  for (unsigned i = 0; i < nodes * chunk; ++i)
    vector[i / chunk][i % chunk] = again[i / chunk][i % chunk] = static_cast<float>(i % 1000 * (me + 1));

  measure("dojo::all_reduce",
          [] { dojo::all_reduce(again[0], chunk, staging, {.rows = 1, .columns = nodes}); });
  measure("ring", all_reduce);

  constexpr float sum_of_factors = nodes * (nodes + 1) / 2;
  for (unsigned i = 0; i < nodes * chunk; ++i) {
    const float sum = static_cast<float>(i % 1000) * sum_of_factors;
    if (vector[i / chunk][i % chunk] != sum || again[i / chunk][i % chunk] != sum) return 1;
  }
}
