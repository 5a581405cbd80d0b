// Conversions between integers and floats and between float formats: one width, widening, narrowing.
#include <cmath>
#include <limits>
#include <type_traits>

#include "isa/float_format.h"
#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

constexpr unsigned by_frm = dynamic;

// --- Float to integer. Out of range: the nearest end, NaN counting as large; NV and not NX.

template <typename F, typename Integer>
Integer to_integer(typename F::Bits bits, unsigned mode, std::uint8_t& flags) {
  using Limits = std::numeric_limits<Integer>;
  if (F::is_nan(bits)) return flags |= invalid, Limits::max();
  if (F::magnitude(bits) == F::infinity)
    return flags |= invalid, (bits & F::sign) != 0 ? Limits::min() : Limits::max();
  const double number = F::value(bits);
  double whole = std::trunc(number);
  const double rest = std::fabs(number - whole);
  const bool odd = rest == 0.5 && (static_cast<std::int64_t>(whole) & 1) != 0;
  const bool away = mode == rne   ? rest > 0.5 || odd
                    : mode == rmm ? rest >= 0.5
                    : mode == rdn ? rest != 0 && number < 0
                    : mode == rup ? rest != 0 && number > 0
                                  : false;
  if (away) whole += std::copysign(1.0, number);
  constexpr double end = 2.0 * static_cast<double>(std::uint64_t{1} << (Limits::digits - 1));
  if (whole >= end) return flags |= invalid, Limits::max();
  if (whole < static_cast<double>(Limits::min())) return flags |= invalid, Limits::min();
  if (rest != 0) flags |= inexact;
  return static_cast<Integer>(whole);
}

template <typename F, typename Integer, unsigned mode>
void float_to_integer(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<Integer*>(destination);
  const auto* bs = static_cast<const typename F::Bits*>(b);
  for (std::size_t i = 0; i < count; ++i)
    d[i] = to_integer<F, Integer>(bs[i], mode == by_frm ? hart.frm : mode, hart.fflags);
}

// --- Integer to float

template <typename Integer, typename F>
void integer_to_float(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  // A half takes 32-bit integers through double, where they are exact.
  using Value =
      std::conditional_t<std::is_same_v<F, Half> && sizeof(Integer) == 4, double, typename F::Value>;
  auto* d = static_cast<typename F::Bits*>(destination);
  const auto* bs = static_cast<const Integer*>(b);
  if (hart.frm == rmm) {
    for (std::size_t i = 0; i < count; ++i)
      d[i] = ties_away<F>(hart.fflags, [x = static_cast<Quad>(bs[i])] { return pin(x); });
    return;
  }
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = F::of_value(static_cast<Value>(bs[i]));
}

// --- Float to float

template <typename From, typename To>
void float_to_float(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<typename To::Bits*>(destination);
  const auto* bs = static_cast<const typename From::Bits*>(b);
  unsigned signaling = 0;
  for (std::size_t i = 0; i < count; ++i) signaling |= From::is_signaling(bs[i]);
  if (signaling != 0) hart.fflags |= invalid;
  if (hart.frm == rmm && To::precision < From::precision) {
    for (std::size_t i = 0; i < count; ++i)
      d[i] = round_into<To>(From::value(bs[i]), false, rmm, hart.fflags);
    return;
  }
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<To, Half>)
      d[i] = To::of_value(From::value(bs[i]));
    else
      d[i] = To::of_value(static_cast<typename To::Value>(From::value(bs[i])));
  }
}

// Towards zero, then odd if anything was lost.
template <typename From, typename To>
void float_to_odd(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<typename To::Bits*>(destination);
  const auto* bs = static_cast<const typename From::Bits*>(b);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t flags = 0;
    if (From::is_nan(bs[i])) {
      if (From::is_signaling(bs[i])) hart.fflags |= invalid;
      d[i] = To::nan;
      continue;
    }
    const auto truncated = round_into<To>(From::value(bs[i]), false, rtz, flags);
    d[i] = static_cast<typename To::Bits>(truncated | ((flags & inexact) != 0));
    hart.fflags |= flags;
  }
}

// Nearest even by adding half an ulp to the bits; the carry walks into the exponent by itself.
void single_to_brain_nearest(Hart& hart, std::uint16_t* d, const std::uint32_t* bs, std::size_t count) {
  std::uint32_t lost = 0, overflowed = 0, underflowed = 0, signaling = 0;
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t bits = bs[i], magnitude = bits & 0x7fffffff;
    const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const std::uint32_t nan = magnitude > 0x7f800000 ? 1 : 0, finite = magnitude < 0x7f800000 ? 1 : 0;
    const std::uint32_t dropped = (bits & 0xffff) != 0 ? 1 - nan : 0;
    lost |= dropped;
    overflowed |= (rounded & 0x7fff) == 0x7f80 ? finite : 0;
    // What would reach the least normal number with 8 bits is not tiny.
    underflowed |= magnitude < 0x007fc000 ? dropped : 0;
    signaling |= (bits & 0x00400000) == 0 ? nan : 0;
    d[i] = static_cast<std::uint16_t>(nan != 0 ? 0x7fc0 : rounded);
  }
  if (lost != 0) hart.fflags |= inexact;
  if (overflowed != 0) hart.fflags |= overflow | inexact;
  if (underflowed != 0) hart.fflags |= underflow;
  if (signaling != 0) hart.fflags |= invalid;
}

void single_to_brain(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<std::uint16_t*>(destination);
  const auto* bs = static_cast<const std::uint32_t*>(b);
  if (hart.frm == rne) return single_to_brain_nearest(hart, d, bs, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (Single::is_signaling(bs[i])) hart.fflags |= invalid;
    d[i] = Single::is_nan(bs[i]) ? Bfloat16::nan
                                 : round_into<Bfloat16>(Single::value(bs[i]), false, hart.frm, hart.fflags);
  }
}

void brain_to_single(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<std::uint32_t*>(destination);
  const auto* bs = static_cast<const std::uint16_t*>(b);
  unsigned signaling = 0;
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    signaling |= Bfloat16::is_signaling(bs[i]);
    d[i] = Bfloat16::is_nan(bs[i]) ? Single::nan : static_cast<std::uint32_t>(bs[i]) << 16;
  }
  if (signaling != 0) hart.fflags |= invalid;
}

using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using n8 = std::uint8_t;
using n16 = std::uint16_t;
using n32 = std::uint32_t;
using n64 = std::uint64_t;

// clang-format off
template <unsigned mode> constexpr Kernels f_x  = {nullptr, float_to_integer<Half, s16, mode>, float_to_integer<Single, s32, mode>, float_to_integer<Double, s64, mode>};
template <unsigned mode> constexpr Kernels f_xu = {nullptr, float_to_integer<Half, n16, mode>, float_to_integer<Single, n32, mode>, float_to_integer<Double, n64, mode>};
template <unsigned mode> constexpr Kernels wide_f_x  = {nullptr, float_to_integer<Half, s32, mode>, float_to_integer<Single, s64, mode>, nullptr};
template <unsigned mode> constexpr Kernels wide_f_xu = {nullptr, float_to_integer<Half, n32, mode>, float_to_integer<Single, n64, mode>, nullptr};
template <unsigned mode> constexpr Kernels narrow_f_x  = {float_to_integer<Half, s8, mode>, float_to_integer<Single, s16, mode>, float_to_integer<Double, s32, mode>, nullptr};
template <unsigned mode> constexpr Kernels narrow_f_xu = {float_to_integer<Half, n8, mode>, float_to_integer<Single, n16, mode>, float_to_integer<Double, n32, mode>, nullptr};
constexpr Kernels x_f  = {nullptr, integer_to_float<s16, Half>, integer_to_float<s32, Single>, integer_to_float<s64, Double>};
constexpr Kernels xu_f = {nullptr, integer_to_float<n16, Half>, integer_to_float<n32, Single>, integer_to_float<n64, Double>};
constexpr Kernels wide_x_f  = {integer_to_float<s8, Half>, integer_to_float<s16, Single>, integer_to_float<s32, Double>, nullptr};
constexpr Kernels wide_xu_f = {integer_to_float<n8, Half>, integer_to_float<n16, Single>, integer_to_float<n32, Double>, nullptr};
constexpr Kernels narrow_x_f  = {nullptr, integer_to_float<s32, Half>, integer_to_float<s64, Single>, nullptr};
constexpr Kernels narrow_xu_f = {nullptr, integer_to_float<n32, Half>, integer_to_float<n64, Single>, nullptr};
constexpr Kernels wide_f_f   = {nullptr, float_to_float<Half, Single>, float_to_float<Single, Double>, nullptr};
constexpr Kernels narrow_f_f = {nullptr, float_to_float<Single, Half>, float_to_float<Double, Single>, nullptr};
constexpr Kernels narrow_odd = {nullptr, float_to_odd<Single, Half>, float_to_odd<Double, Single>, nullptr};
constexpr Kernels wide_brain   = {nullptr, brain_to_single, nullptr, nullptr};
constexpr Kernels narrow_brain = {nullptr, single_to_brain, nullptr, nullptr};

constexpr VectorShape same_f   = {.first = First::none, .floats = true, .rounds = true};
constexpr VectorShape same_x   = {.first = First::none, .rounds = true};
constexpr VectorShape wide_f   = {.first = First::none, .destination_width = 1, .floats = true, .rounds = true};
constexpr VectorShape wide_x   = {.first = First::none, .destination_width = 1, .rounds = true};
constexpr VectorShape narrow_f = {.first = First::none, .b_width = 1, .floats = true, .rounds = true};
constexpr VectorShape narrow_x = {.first = First::none, .b_width = 1, .rounds = true};

constexpr unsigned flagged = rounds | raises_flags;
#define SAME(NAME, VS1, SHAPE, ...)   unary(NAME, 0x12, fvv, VS1, run<SHAPE, __VA_ARGS__>, flagged)
#define WIDE(NAME, VS1, SHAPE, ...)   unary(NAME, 0x12, fvv, VS1, run<SHAPE, __VA_ARGS__>, flagged)
#define NARROW(NAME, VS1, SHAPE, ...) unary(NAME, 0x12, fvv, VS1, run<SHAPE, __VA_ARGS__>, flagged)

constexpr Row rows[] = {
  SAME("vfcvt.xu.f.v",      0,  same_f, f_xu<by_frm>), SAME("vfcvt.x.f.v",     1,  same_f, f_x<by_frm>),
  SAME("vfcvt.f.xu.v",      2,  same_x, xu_f),         SAME("vfcvt.f.x.v",     3,  same_x, x_f),
  SAME("vfcvt.rtz.xu.f.v",  6,  same_f, f_xu<rtz>),    SAME("vfcvt.rtz.x.f.v", 7,  same_f, f_x<rtz>),
  WIDE("vfwcvt.xu.f.v",     8,  wide_f, wide_f_xu<by_frm>), WIDE("vfwcvt.x.f.v", 9,  wide_f, wide_f_x<by_frm>),
  WIDE("vfwcvt.f.xu.v",     10, wide_x, wide_xu_f),    WIDE("vfwcvt.f.x.v",    11, wide_x, wide_x_f),
  WIDE("vfwcvt.f.f.v",      12, wide_f, wide_f_f),
  WIDE("vfwcvt.rtz.xu.f.v", 14, wide_f, wide_f_xu<rtz>), WIDE("vfwcvt.rtz.x.f.v", 15, wide_f, wide_f_x<rtz>),
  NARROW("vfncvt.xu.f.w",   16, narrow_f, narrow_f_xu<by_frm>), NARROW("vfncvt.x.f.w", 17, narrow_f, narrow_f_x<by_frm>),
  NARROW("vfncvt.f.xu.w",   18, narrow_x, narrow_xu_f), NARROW("vfncvt.f.x.w", 19, narrow_x, narrow_x_f),
  NARROW("vfncvt.f.f.w",    20, narrow_f, narrow_f_f),  NARROW("vfncvt.rod.f.f.w", 21, narrow_f, narrow_odd),
  NARROW("vfncvt.rtz.xu.f.w", 22, narrow_f, narrow_f_xu<rtz>), NARROW("vfncvt.rtz.x.f.w", 23, narrow_f, narrow_f_x<rtz>),
  unary("vfwcvtbf16.f.f.v", 0x12, fvv, 13, run<wide_f, wide_brain>,     flagged, Unit::simd, "Zvfbfmin"),
  unary("vfncvtbf16.f.f.w", 0x12, fvv, 29, run<narrow_f, narrow_brain>, flagged, Unit::simd, "Zvfbfmin"),
};
// clang-format on

}  // namespace

std::span<const Row> convert_rows() { return rows; }

}  // namespace dojo::isa::vector
