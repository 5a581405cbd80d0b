// Zfa: constants, rounding to whole numbers, minima that keep NaN, quiet comparisons. All by their bits, so
// these set flags themselves and leave the host's alone.
#include "isa/float_constants.h"
#include "isa/float_registers.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <typename F>
typename F::Bits constant(unsigned number) {
  if (number == smallest_normal_constant) return static_cast<typename F::Bits>(1u) << (F::precision - 1);
  std::uint8_t ignored = 0;
  return round_into<F>(float_constant(number).value, false, rne, ignored);
}

template <typename F>
const Decoded* load_constant(Hart& h, const Decoded* d) {
  static const auto table = [] {
    std::array<typename F::Bits, float_constants.size()> all{};
    for (unsigned i = 0; i < all.size(); ++i) all[i] = constant<F>(i);
    return all;
  }();
  write<F>(h, d->rd, table[d->rs1]);
  return proceed(h, d);
}

// As minimum and maximum of IEEE 754-2019: any NaN gives the canonical one.
template <typename F, bool Maximum>
const Decoded* minimum_or_nan(Hart& h, const Decoded* d) {
  const auto a = read<F>(h, d->rs1), b = read<F>(h, d->rs2);
  if (F::is_signaling(a) || F::is_signaling(b)) h.fflags |= invalid;
  if (F::is_nan(a) || F::is_nan(b))
    write<F>(h, d->rd, F::nan);
  else
    write<F>(h, d->rd, F::less(a, b) != Maximum ? a : b);
  return proceed(h, d);
}

template <typename F, bool OrEqual>
const Decoded* compare_quietly(Hart& h, const Decoded* d) {
  const auto a = read<F>(h, d->rs1), b = read<F>(h, d->rs2);
  if (F::is_signaling(a) || F::is_signaling(b)) h.fflags |= invalid;
  const bool equal = a == b || F::magnitude(static_cast<typename F::Bits>(a | b)) == 0;
  h.set_x(d->rd, !F::is_nan(a) && !F::is_nan(b) && (equal ? OrEqual : F::less(a, b)));
  return proceed(h, d);
}

// Whether what is cut off makes the kept part one larger in magnitude.
bool rounds_up(unsigned mode, bool negative, bool odd, bool rest, bool at_least_half, bool tie) {
  switch (mode) {
    case rne:
      return tie ? odd : at_least_half;
    case rmm:
      return at_least_half;
    case rdn:
      return negative && rest;
    case rup:
      return !negative && rest;
    default:
      return false;
  }
}

// A number's bits with all places below one rounded away; `inexact_` says whether there were any.
template <typename F>
typename F::Bits whole_number(typename F::Bits bits, unsigned mode, bool& inexact_) {
  constexpr unsigned fraction_bits = F::precision - 1;
  constexpr u64 one = static_cast<u64>(F::bias) << fraction_bits, half = one - (u64{1} << fraction_bits);
  const u64 magnitude = F::magnitude(bits), sign = bits & F::sign;
  const bool negative = sign != 0;
  if (magnitude == 0) return bits;
  if (magnitude < one) {  // 0 or 1
    inexact_ = true;
    const bool up = rounds_up(mode, negative, false, true, magnitude >= half, magnitude == half);
    return static_cast<typename F::Bits>(sign | (up ? one : 0));
  }
  const u64 exponent = (magnitude - one) >> fraction_bits;
  if (exponent >= fraction_bits) return bits;
  // The unit's bit. At exponent 0 that is the lowest of the exponent field: 1, as the hidden bit.
  const u64 unit = u64{1} << (fraction_bits - exponent), rest = magnitude & (unit - 1);
  const bool up =
      rounds_up(mode, negative, (magnitude & unit) != 0, rest != 0, rest >= unit / 2, rest == unit / 2);
  inexact_ = rest != 0;
  return static_cast<typename F::Bits>(sign | (magnitude - rest + (up ? unit : 0)));
}

template <typename F, bool SaysInexact>
const Decoded* round_to_whole(Hart& h, const Decoded* d) {
  const unsigned mode = rounding_mode(h, d);
  if (mode > rmm) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const auto bits = read<F>(h, d->rs1);
  if (F::is_nan(bits)) {
    if (F::is_signaling(bits)) h.fflags |= invalid;
    write<F>(h, d->rd, F::nan);
    return proceed(h, d);
  }
  bool lost = false;
  write<F>(h, d->rd, whole_number<F>(bits, mode, lost));
  if (SaysInexact && lost) h.fflags |= inexact;
  return proceed(h, d);
}

// The whole part modulo 2^32, as ECMAScript's ToInt32; the flags are those of fcvt.w.d towards zero.
const Decoded* to_word_modulo(Hart& h, const Decoded* d) {
  const u64 bits = read<Double>(h, d->rs1), magnitude = Double::magnitude(bits);
  const int exponent = static_cast<int>(magnitude >> 52) - Double::bias;
  const u64 significand = (magnitude & ((u64{1} << 52) - 1)) | u64{1} << 52;
  const bool negative = (bits & Double::sign) != 0, is_number = magnitude < Double::infinity;
  u64 whole = 0;
  bool rest = magnitude != 0;
  if (exponent >= 52) {
    whole = is_number && exponent < 84 ? significand << (exponent - 52) : 0;
    rest = false;
  } else if (exponent >= 0) {
    whole = significand >> (52 - exponent);
    rest = whole << (52 - exponent) != significand;
  }
  const bool fits = exponent < 31 || (exponent == 31 && negative && whole == u64{1} << 31);
  if (!fits)
    h.fflags |= invalid;
  else if (rest)
    h.fflags |= inexact;
  const u32 word = static_cast<u32>(negative ? u64{0} - whole : whole);
  h.set_x(d->rd, static_cast<u64>(static_cast<i64>(static_cast<i32>(word))));
  return proceed(h, d);
}

constexpr Unit float_ = Unit::float_;
constexpr Operand W = Operand::x_write, FR = Operand::f_read, FW = Operand::f_write, o = Operand::none;

// clang-format off
const Row rows[] = {
  // mnemonic      match       mask        syntax           ext    unit    rd  rs1 rs2 rs3 properties  semantics
  {"fli.s",       0xf0100053, 0xfff0707f, "fd, fli",       "Zfa", float_, FW, o,  o,  o,  0,          load_constant<Single>},
  {"fminm.s",     0x28002053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Single, false>},
  {"fmaxm.s",     0x28003053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Single, true>},
  {"fround.s",    0x40400053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Single, false>},
  {"froundnx.s",  0x40500053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Single, true>},
  {"fleq.s",      0xa0004053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Single, true>},
  {"fltq.s",      0xa0005053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Single, false>},

  {"fli.d",       0xf2100053, 0xfff0707f, "fd, fli",       "Zfa", float_, FW, o,  o,  o,  0,          load_constant<Double>},
  {"fminm.d",     0x2a002053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Double, false>},
  {"fmaxm.d",     0x2a003053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Double, true>},
  {"fround.d",    0x42400053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Double, false>},
  {"froundnx.d",  0x42500053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Double, true>},
  {"fcvtmod.w.d", 0xc2801053, 0xfff0707f, "rd, fs1, rtz",  "Zfa", float_, W,  FR, o,  o,  0,          to_word_modulo},
  {"fleq.d",      0xa2004053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Double, true>},
  {"fltq.d",      0xa2005053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Double, false>},

  {"fli.h",       0xf4100053, 0xfff0707f, "fd, fli",       "Zfa", float_, FW, o,  o,  o,  0,          load_constant<Half>},
  {"fminm.h",     0x2c002053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Half, false>},
  {"fmaxm.h",     0x2c003053, 0xfe00707f, "fd, fs1, fs2",  "Zfa", float_, FW, FR, FR, o,  0,          minimum_or_nan<Half, true>},
  {"fround.h",    0x44400053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Half, false>},
  {"froundnx.h",  0x44500053, 0xfff0007f, "fd, fs1, rm",   "Zfa", float_, FW, FR, o,  o,  rounds,     round_to_whole<Half, true>},
  {"fleq.h",      0xa4004053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Half, true>},
  {"fltq.h",      0xa4005053, 0xfe00707f, "rd, fs1, fs2",  "Zfa", float_, W,  FR, FR, o,  0,          compare_quietly<Half, false>},
};
// clang-format on

}  // namespace

std::span<const Row> zfa_rows() { return rows; }

}  // namespace dojo::isa
