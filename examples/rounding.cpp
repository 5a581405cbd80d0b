// Stochastic rounding: why weights in bf16 stand still without it.
//
// From 1 to 2, bf16 numbers are 1/128 apart. A weight of 1 that is to grow by 1/1024 in each of 256 steps is
// rounded back to 1 each time: nothing is learned. Rounded stochastically it goes up to the next number in
// one step of eight, by chance, and the mean of many weights is 1.25 in the end, as it should be. Xdojo's
// convert does either. A draw follows from key, counter and place alone, so every run has the same bits. The
// SIMD pipe handles 16 FP32 numbers a cycle, and an update takes three passes: widen, add, narrow.
//
//     build/dojo cc examples/rounding.cpp -o rounding.elf
//     build/dojo exec --quiet rounding.elf
//
// prints
//
//     nearest: mean 1.0000, 752 cycles a step, 4.1 of 16 numbers/cycle
//     stochastic: mean 1.2492, 752 cycles a step, 4.1 of 16 numbers/cycle
#include <math.h>
#include <stdio.h>

#include "dojo.h"

namespace {

constexpr unsigned count = 1024, steps = 256;
constexpr float change = 1.f / 1024;
alignas(64) dojo::bf16 weights[count];
alignas(64) float masters[count];

// Returns the mean of the weights at the end.
double train(const char* name, uint64_t format) {
  dojo::fill(weights, static_cast<dojo::bf16>(1.f), count);
  const unsigned long begin = __builtin_readcyclecounter();
  for (unsigned step = 0; step < steps; ++step) {
    dojo_widen16(masters, weights, count, dojo::number_format::bf16);
    for (float& master : masters) master += change;
    dojo_narrow16(weights, masters, count, format);
  }
  const unsigned long cycles = __builtin_readcyclecounter() - begin;
  double sum = 0;
  for (const dojo::bf16 weight : weights) sum += static_cast<float>(weight);
  const double mean = sum / count;
  printf("%s: mean %.4f, %lu cycles a step, %.1f of 16 numbers/cycle\n", name, mean, cycles / steps,
         3.0 * count * steps / cycles);
  return mean;
}

}  // namespace

int main() {
  const double nearest = train("nearest", dojo::number_format::bf16);
  dojo::seed_rounding(2026);
  const double stochastic = train("stochastic", dojo::number_format::bf16 | dojo::number_format::stochastic);

  // A step adds 1/128 with probability 1/8, so a weight's variance is steps * 1/8 * 7/8 / 128^2, the mean's a
  // `count`-th of that. Four standard deviations are hardly ever exceeded.
  const double deviation = sqrt(steps * (1. / 8) * (7. / 8) / (128. * 128) / count);
  return nearest == 1 && fabs(stochastic - 1.25) < 4 * deviation ? 0 : 1;
}
