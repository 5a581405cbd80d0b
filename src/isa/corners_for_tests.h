// Operands worth trying: zeros, ones, extremes, subnormals, infinities, both kinds of NaN, powers of two and
// their neighbours, or any bits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"

namespace dojo::isa {

inline std::uint64_t corner_integer(Random& random) {
  const auto any = [&] { return random.bits() | std::uint64_t{random.bits()} << 32; };
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t{0};
    case 2:
      return std::uint64_t{1} << random.below(64);
    case 3:
      return (std::uint64_t{1} << random.below(64)) - 1;
    case 4:
      return std::uint64_t{0} - (std::uint64_t{1} << random.below(64));
    case 5:
      return any() >> random.below(64);
    case 6:
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(any()) >> random.below(64));
    default:
      return any();
  }
}

// A float of `width` bits, not NaN-boxed.
inline std::uint64_t corner_float(Random& random, unsigned width) {
  const unsigned precision = width == 64 ? 53 : width == 32 ? 24 : width == 16 ? 11 : 8;
  const std::uint64_t hidden = std::uint64_t{1} << (precision - 1), fraction = hidden - 1;
  const std::uint64_t exponents =
      (std::uint64_t{1} << (width - precision)) - 1;  // the largest exponent field
  const std::uint64_t sign = std::uint64_t{random.bits() & 1} << (width - 1);
  const std::uint64_t any = random.bits() | std::uint64_t{random.bits()} << 32;
  const auto make = [&](std::uint64_t exponent, std::uint64_t f) {
    return sign | exponent * hidden | (f & fraction);
  };
  const std::uint64_t sparse =
      random.below(2) ? any & fraction : (hidden >> random.below(precision)) & fraction;
  switch (random.below(12)) {
    case 0:
      return make(0, 0);
    case 1:
      return make(exponents, 0);
    case 2:
      return make(exponents, hidden >> 1 | any);  // quiet
    case 3:
      return make(exponents, (any & (fraction >> 1)) | 1);  // signaling
    case 4:
      return make(0, sparse | 1);
    case 5:
      return make(1, random.below(2) ? 0 : sparse);
    case 6:
      return make(exponents - 1, random.below(2) ? fraction : sparse);
    case 7:
      return make(exponents / 2 + random.below(3), sparse);  // near one
    case 8:
      return make(exponents / 2 + random.below(std::min<std::uint64_t>(66, exponents / 2)),
                  sparse);  // integers and just beyond
    case 9:
      return make(exponents / 2 + random.below(4), random.below(2) ? fraction : 1);
    default:
      return any & (width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1);
  }
}

// An f register: boxed, except now and then.
inline std::uint64_t corner_f_register(Random& random, unsigned width) {
  const std::uint64_t value = corner_float(random, width);
  if (width == 64) return value;
  if (random.below(32) == 0) return corner_float(random, 64);  // not boxed
  return value | ~std::uint64_t{0} << width;
}

}  // namespace dojo::isa
