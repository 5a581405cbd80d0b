// A halo exchange: heat spreads over a plate that is cut into strips, one a node.
//
// A step replaces each point by the mean of its four neighbours. A node has 32 rows and around them the halo,
// a row of each neighbour. It first puts its own edge rows into its neighbours' halos, then computes the rows
// that need no halo, and only then waits: the network works meanwhile. One buffer holds the state before a
// step, the other the state behind it. A neighbour may be one step ahead, not two, for it needs our edge row;
// what it puts then goes into the buffer whose halo nobody reads any more, so one semaphore a side is enough.
// The inner loop is plain C++, of which clang makes vector code. Three additions and a multiplication, which
// no fused multiply-add can join, reach half of the 32 FLOP a cycle and node at best.
//
//     build/dojo cc examples/halo.cpp -o halo.elf
//     build/dojo exec --quiet --nodes 6 halo.elf
//
// prints
//
//     halo: 3276 cycles a step, 60.0 of 192 FLOP/cycle
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr unsigned nodes = 6, rows = 32, columns = 258, steps = 20;
using Row = float[columns];
alignas(64) Row strip[2][rows + 2];  // two states; rows 0 and rows + 1 are the halo
dojo::Semaphore from_above, from_below;

// The plate's rim stays as it is.
[[gnu::noinline]] void relax(Row* __restrict after, const Row* __restrict before, unsigned begin,
                             unsigned end) {
  for (unsigned r = begin; r < end; ++r)
    for (unsigned c = 1; c < columns - 1; ++c)
      after[r][c] = 0.25f * ((before[r - 1][c] + before[r + 1][c]) + (before[r][c - 1] + before[r][c + 1]));
}

void step(Row* before, Row* after, bool first, bool last) {
  const unsigned me = dojo::my_pe();
  if (!first) dojo::put_signal(me - 1, before[rows + 1], before[1], sizeof(Row), &from_below);
  if (!last) dojo::put_signal(me + 1, before[0], before[rows], sizeof(Row), &from_above);
  relax(after, before, 2, rows);
  if (!first) dojo::wait(&from_above, 1);
  if (!last) dojo::wait(&from_below, 1);
  relax(after, before, 1, 2);
  relax(after, before, rows, rows + 1);
}

// Row r of the whole plate, whose rim is hot on one side.
float start(unsigned r, unsigned c) { return c == 0 ? 100.f : static_cast<float>((r * 7 + c * 3) % 11); }

// The same by one node, without a thought for speed. The rows beyond the first and the last are the rim.
alignas(64) Row plate[2][nodes * rows + 2];

bool is_right(const Row* strip_at_the_end, unsigned first_row) {
  for (unsigned r = 0; r < nodes * rows + 2; ++r)
    for (unsigned c = 0; c < columns; ++c) plate[0][r][c] = plate[1][r][c] = start(r, c);
  for (unsigned i = 0; i < steps; ++i) relax(plate[(i + 1) % 2], plate[i % 2], 1, nodes * rows + 1);
  for (unsigned r = 1; r <= rows; ++r)
    for (unsigned c = 0; c < columns; ++c)
      if (strip_at_the_end[r][c] != plate[steps % 2][first_row + r][c]) return false;
  return true;
}

}  // namespace

int main() {
  if (dojo::n_pes() != nodes) {
    printf("halo: --nodes %u\n", nodes);
    return 2;
  }
  const unsigned me = dojo::my_pe(), first_row = me * rows;
  for (unsigned r = 0; r < rows + 2; ++r)
    for (unsigned c = 0; c < columns; ++c) strip[0][r][c] = strip[1][r][c] = start(first_row + r, c);

  dojo::barrier_all();
  const unsigned long begin = __builtin_readcyclecounter();
  for (unsigned i = 0; i < steps; ++i) step(strip[i % 2], strip[(i + 1) % 2], me == 0, me == nodes - 1);
  dojo::barrier_all();
  const unsigned long cycles = __builtin_readcyclecounter() - begin;
  if (me == 0)
    printf("halo: %lu cycles a step, %.1f of %u FLOP/cycle\n", cycles / steps,
           4.0 * steps * nodes * rows * (columns - 2) / cycles, nodes * 32);

  return is_right(strip[steps % 2], first_row) ? 0 : 1;
}
