#include "isa/vector_estimate.h"

#include <array>

#include "isa/float_host.h"

namespace dojo::isa::vector {
namespace {

// Each entry is the nearest 7-bit fraction at the middle of its interval: of 2 / x over [1, 2), and of 2 /
// sqrt(x) over [2, 4) then [1, 2) (the exponent's parity is the index's upper bit, and all biases are odd).
using Table = std::array<std::uint8_t, 128>;

// Made of integers before the program runs: the host's floating point belongs to the hart here.
constexpr Table reciprocals() {
  Table table{};
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned x = 257 + 2 * i;  // times 2^-8
    table[i] = static_cast<std::uint8_t>((2 * 65536 + x) / (2 * x) - 128);
  }
  return table;
}

// The nearest integer r to 256 / sqrt(x): the largest with (r - 1/2)^2 x <= 65536.
constexpr Table inverse_roots() {
  Table table{};
  for (unsigned i = 0; i < 128; ++i) {
    const unsigned x = (129 + 2 * (i % 64)) * (i < 64 ? 2 : 1);  // times 2^-7
    unsigned r = 128;
    while ((2 * r + 1) * (2 * r + 1) * x <= 4u * 65536 * 128) ++r;
    table[i] = static_cast<std::uint8_t>(r - 128);
  }
  return table;
}

// A number taken apart; subnormal numbers are normalised into negative exponents.
struct Parts {
  std::uint64_t sign, fraction_mask, infinity, nan, fraction;
  int exponent, bias;

  Parts(std::uint64_t bits, unsigned fraction_bits, unsigned width) {
    const std::uint64_t one = 1;
    sign = bits & one << (width - 1);
    fraction_mask = (one << fraction_bits) - 1;
    infinity = (one << (width - 1)) - 1 - fraction_mask;
    nan = infinity | one << (fraction_bits - 1);
    bias = (1 << (width - fraction_bits - 2)) - 1;
    fraction = bits & fraction_mask;
    exponent = static_cast<int>((bits & infinity) >> fraction_bits);
    if (exponent != 0 || fraction == 0) return;
    while ((fraction >> (fraction_bits - 1)) == 0) fraction <<= 1, --exponent;
    fraction = fraction << 1 & fraction_mask;
  }
};

}  // namespace

std::uint64_t reciprocal_estimate(std::uint64_t bits, unsigned fraction_bits, unsigned width,
                                  unsigned rounding, std::uint8_t& flags) {
  static constexpr Table table = reciprocals();
  const Parts p(bits, fraction_bits, width);
  const std::uint64_t magnitude = bits & ~p.sign;
  if (magnitude > p.infinity) {
    if ((bits & p.nan) != p.nan) flags |= invalid;
    return p.nan;
  }
  if (magnitude == p.infinity) return p.sign;
  if (magnitude == 0) {
    flags |= divide_by_zero;
    return p.sign | p.infinity;
  }
  if (p.exponent < -1) {
    flags |= overflow | inexact;
    const bool to_largest =
        rounding == rtz || (rounding == rdn && p.sign == 0) || (rounding == rup && p.sign != 0);
    return p.sign | (p.infinity - (to_largest ? 1 : 0));
  }
  std::uint64_t fraction = std::uint64_t{table[p.fraction >> (fraction_bits - 7)]} << (fraction_bits - 7);
  int exponent = 2 * p.bias - 1 - p.exponent;
  if (exponent <= 0) {
    fraction = fraction >> 1 | std::uint64_t{1} << (fraction_bits - 1);
    if (exponent < 0) fraction >>= 1;
    exponent = 0;
  }
  return p.sign | static_cast<std::uint64_t>(exponent) << fraction_bits | fraction;
}

std::uint64_t inverse_root_estimate(std::uint64_t bits, unsigned fraction_bits, unsigned width, unsigned,
                                    std::uint8_t& flags) {
  static constexpr Table table = inverse_roots();
  const Parts p(bits, fraction_bits, width);
  const std::uint64_t magnitude = bits & ~p.sign;
  if (magnitude > p.infinity || (p.sign != 0 && magnitude != 0)) {
    if (magnitude <= p.infinity || (bits & p.nan) != p.nan) flags |= invalid;
    return p.nan;
  }
  if (magnitude == 0) {
    flags |= divide_by_zero;
    return p.sign | p.infinity;
  }
  if (magnitude == p.infinity) return 0;
  const unsigned index =
      (static_cast<unsigned>(p.exponent) & 1) << 6 | static_cast<unsigned>(p.fraction >> (fraction_bits - 6));
  const auto exponent = static_cast<std::uint64_t>((3 * p.bias - 1 - p.exponent) / 2);
  return exponent << fraction_bits | std::uint64_t{table[index]} << (fraction_bits - 7);
}

}  // namespace dojo::isa::vector
