// Four threads of a node share work: what one leaves unused while it waits, the others use.
//
// The work is Collatz's game: halve a number if it is even, else take three times it plus one, until it is 1.
// Each turn needs the number of the turn before, and each taken branch costs two cycles, so one thread leaves
// most of the node's four scalar slots empty. The threads draw numbers from one counter by an atomic
// addition, so nobody idles while others work. Thread 0 runs main(), the others dojo_thread_main(). Only one
// thread may ever wait on a semaphore, so each of them has one to start by; all signal the one on which
// thread 0 waits. Below 3000 it is 2919 that plays longest, 216 turns.
//
//     build/dojo cc --node-threads 4 examples/threads.cpp -o threads.elf
//     build/dojo exec --quiet threads.elf
//
// prints
//
//     1 thread: 1173300 cycles, 1.0 of 4 instructions/cycle
//     4 threads: 429711 cycles, 2.8 of 4 instructions/cycle
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr unsigned threads = 4, end = 3000;
dojo::Semaphore start[threads], done;
unsigned next_number;

struct Played {
  unsigned longest, turns;
  unsigned long instructions;
} played[threads];

unsigned turns_of(uint64_t number) {
  unsigned turns = 0;
  for (; number != 1; ++turns) number = number % 2 == 0 ? number / 2 : 3 * number + 1;
  return turns;
}

unsigned long instructions() {  // of this thread
  unsigned long count;
  asm volatile("csrr %0, instret" : "=r"(count));
  return count;
}

void play(unsigned thread) {
  Played mine{};
  const unsigned long begin = instructions();
  for (;;) {
    const unsigned number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
    if (number >= end) break;
    const unsigned turns = turns_of(number);
    if (turns > mine.turns) mine.longest = number, mine.turns = turns;
  }
  mine.instructions = instructions() - begin;
  played[thread] = mine;
}

// Returns whether the answer is right.
bool play_with(unsigned players) {
  next_number = 1;
  const unsigned long begin = __builtin_readcyclecounter();
  for (unsigned thread = 1; thread < players; ++thread) dojo::signal(dojo::my_pe(), &start[thread]);
  play(0);
  dojo::wait(&done, players - 1);
  const unsigned long cycles = __builtin_readcyclecounter() - begin;

  Played all{};
  for (unsigned thread = 0; thread < players; ++thread) {
    all.instructions += played[thread].instructions;
    if (played[thread].turns > all.turns)
      all.longest = played[thread].longest, all.turns = played[thread].turns;
  }
  printf("%u thread%s: %lu cycles, %.1f of 4 instructions/cycle\n", players, players == 1 ? "" : "s", cycles,
         static_cast<double>(all.instructions) / cycles);
  return all.longest == 2919 && all.turns == 216;
}

}  // namespace

extern "C" int dojo_thread_main(unsigned thread) {
  dojo::wait(&start[thread], 1);
  play(thread);
  dojo::signal(dojo::my_pe(), &done);
  return 0;
}

int main() {
  const bool alone = play_with(1), together = play_with(threads);
  return alone && together ? 0 : 1;
}
