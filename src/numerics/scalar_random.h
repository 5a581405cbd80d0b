// Draws: functions of where they are made, so that every engine, every number of nodes and every repetition
// gets the same.
#pragma once

#include "numerics/scalar_arithmetic.h"

namespace dojo::scalar {

// Every bit of the result depends on every bit of `x`: a bijection, with the multipliers and shifts of Chris
// Wellons' lowbias32 (a bias of 0.17 per mille of a bit; github.com/skeeto/hash-prospector).
inline uint32_t mixed_bits(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

// One of the numbers 0, 2^-24, 2 * 2^-24 ... 1 - 2^-24, all as likely, for three whole numbers below 2^24.
inline float uniform(float key, float launch, float point) {
  const uint32_t stream = mixed_bits(mixed_bits(to_bits(key) + 0x9e3779b9u) + to_bits(launch));
  const uint32_t drawn = mixed_bits(mixed_bits(stream ^ to_bits(point)) + stream);
  return static_cast<float>(static_cast<int32_t>(drawn >> 8)) * 5.9604644775390625e-8f;
}

}  // namespace dojo::scalar
