// The floating-point formats that instructions compute with, and rounding a number exactly into one of them.
//
// Host arithmetic does the work wherever the host has the rounding mode. Ties away from zero (RMM) it has
// not, and bfloat16 it has not as a target: for these a result is first computed with more bits than needed,
// truncated, and then rounded here.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "isa/float_host.h"

namespace dojo::isa {

__extension__ typedef __float128 Quad;  // 113 bits of significand
__extension__ typedef unsigned __int128 QuadBits;
__extension__ typedef _Float16 HostHalf;

template <typename BitsType, unsigned Precision, unsigned ExponentBits>
struct FloatFormat {
  using Bits = BitsType;
  static constexpr unsigned precision = Precision;  // with the hidden bit
  static constexpr int bias = (1 << (ExponentBits - 1)) - 1;
  static constexpr Bits sign = static_cast<Bits>(Bits{1} << (Precision - 1 + ExponentBits));
  static constexpr Bits infinity = static_cast<Bits>(((Bits{1} << ExponentBits) - 1) << (Precision - 1));
  static constexpr Bits nan = static_cast<Bits>(infinity | Bits{1} << (Precision - 2));  // the canonical one

  static constexpr Bits magnitude(Bits b) { return static_cast<Bits>(b & ~sign); }
  static constexpr bool is_nan(Bits b) { return magnitude(b) > infinity; }
  static constexpr bool is_signaling(Bits b) { return is_nan(b) && (b & (Bits{1} << (Precision - 2))) == 0; }
  // With total order of the numbers: -0 < +0.
  static constexpr bool less(Bits a, Bits b) {
    const bool a_negative = (a & sign) != 0, b_negative = (b & sign) != 0;
    if (a_negative != b_negative) return a_negative;
    return a_negative ? a > b : a < b;
  }
};

// Value: what host arithmetic computes with. Half computes in float, whose 24 bits make the second rounding
// harmless for one operation of 11-bit numbers (except fma); of_value does that second rounding.
struct Double : FloatFormat<std::uint64_t, 53, 11> {
  using Value = double;
  static Value value(Bits b) { return std::bit_cast<double>(b); }
  static Bits of_value(Value v) { return v != v ? nan : std::bit_cast<Bits>(v); }
};
struct Single : FloatFormat<std::uint32_t, 24, 8> {
  using Value = float;
  static Value value(Bits b) { return std::bit_cast<float>(b); }
  static Bits of_value(Value v) { return v != v ? nan : std::bit_cast<Bits>(v); }
};
struct Half : FloatFormat<std::uint16_t, 11, 5> {
  using Value = float;
  static Value value(Bits b) { return static_cast<float>(std::bit_cast<HostHalf>(b)); }
  static Bits of_value(float v);
  static Bits of_value(double v);
  static float rounded_to_odd(double v);
};
struct Bfloat16 : FloatFormat<std::uint16_t, 8, 8> {};

// Rounds a number into format F in any of the five modes; adds NX, UF, OF to `flags`. `number` is the exact
// value truncated to 113 bits, `more` says that nonzero bits were cut off. Tininess is judged after rounding.
template <typename F>
typename F::Bits round_into(Quad number, bool more, unsigned mode, std::uint8_t& flags) {
  using Bits = typename F::Bits;
  const auto all = std::bit_cast<QuadBits>(number);
  const bool negative = (all >> 127) != 0;
  const int exponent = static_cast<int>((all >> 112) & 0x7fff) - 16383;
  const Bits sign = negative ? F::sign : Bits{0};
  if (number != number) return F::nan;
  if (exponent == 16384) return static_cast<Bits>(sign | F::infinity);
  if (number == 0) return sign;

  const QuadBits significand = (all & ((QuadBits{1} << 112) - 1)) | QuadBits{1} << 112;
  bool lost = false;
  const auto rounded = [&](unsigned shift) {  // significand >> shift, rounded
    const bool gone = shift > 114;
    const QuadBits kept = gone ? 0 : significand >> shift;
    const QuadBits half = gone ? 0 : QuadBits{1} << (shift - 1);
    const QuadBits rest = gone ? 1 : significand & ((half << 1) - 1);
    lost = rest != 0 || more;
    const bool above = !gone && (rest > half || (rest == half && more)), tie = !gone && rest == half && !more;
    const bool up = mode == rne   ? above || (tie && (kept & 1))
                    : mode == rmm ? above || tie
                    : mode == rdn ? lost && negative
                    : mode == rup ? lost && !negative
                                  : false;
    return kept + up;
  };

  constexpr unsigned drop = 113 - F::precision;
  const int lowest = 1 - F::bias;  // exponent of the smallest normal number
  QuadBits magnitude = rounded(drop);
  const bool tiny = exponent < lowest - 1 || (exponent == lowest - 1 && magnitude >> F::precision == 0);
  if (exponent < lowest)
    magnitude = rounded(drop + static_cast<unsigned>(lowest - exponent));
  else
    magnitude += static_cast<QuadBits>(exponent - lowest) << (F::precision - 1);

  if (magnitude >= F::infinity) {
    flags |= overflow | inexact;
    const bool to_largest = mode == rtz || (mode == rdn && !negative) || (mode == rup && negative);
    return static_cast<Bits>(sign | (F::infinity - (to_largest ? 1 : 0)));
  }
  if (lost) flags |= tiny ? inexact | underflow : inexact;
  return static_cast<Bits>(sign | static_cast<Bits>(magnitude));
}

#ifdef __F16C__
inline Half::Bits Half::of_value(float v) {
  return v != v ? nan : std::bit_cast<Bits>(static_cast<HostHalf>(v));
}
#else
// The compiler's own conversion reports overflow and underflow to the x87, not to MXCSR.
inline Half::Bits Half::of_value(float v) {
  constexpr std::uint8_t modes[] = {rne, rdn, rup, rtz};
  std::uint8_t flags = 0;
  const Bits bits = round_into<Half>(v, false, modes[(_mm_getcsr() >> 13) & 3], flags);
  _mm_setcsr(_mm_getcsr() | mxcsr_flags(flags));
  return bits;
}
#endif
// By way of a float that is rounded to odd: its last bit says that bits were cut off, so the second rounding
// sees them. A carry and no condition, or a compiler may convert both outcomes and choose afterwards, which
// raises the flags of both. NaN is quiet here and stays so.
inline float Half::rounded_to_odd(double v) {
  constexpr std::uint64_t last = std::uint64_t{1} << 29, cut = last - 1;
  const auto bits = std::bit_cast<std::uint64_t>(v);
  const std::uint64_t odd = (bits & ~cut) | (((bits & cut) + cut) & last);
  return static_cast<float>(std::bit_cast<double>(odd));
}
inline Half::Bits Half::of_value(double v) { return of_value(rounded_to_odd(v)); }

// The RMM result of an operation on quads, e.g. [&] { return pin(a) * pin(b); }. NV and DZ come from the
// operation itself.
template <typename F, typename Operation>
typename F::Bits ties_away(std::uint8_t& flags, Operation operation) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(mxcsr_for(rtz));
  const Quad truncated = pin(operation());
  const std::uint8_t raised = flags_of_mxcsr(_mm_getcsr());
  _mm_setcsr(before);
  flags |= raised & (invalid | divide_by_zero);
  return round_into<F>(truncated, (raised & inexact) != 0, rmm, flags);
}

}  // namespace dojo::isa
