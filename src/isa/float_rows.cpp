// F, D, Zfh and Zfbfmin. One set of semantics for all formats; rounding and flags as float_host.h says.
#include <cmath>
#include <cstring>

#include "isa/float_registers.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// F's bits of a host number. On the way from double to Half a float is alone in its register, or clang's
// four-lane conversion also sees what the double left in the second lane, and raises its flags.
template <typename F, typename Value>
typename F::Bits bits_of(Value value) {
  if constexpr (std::is_same_v<F, Half> && std::is_same_v<Value, double>)
    return Half::of_value(pin(Half::rounded_to_odd(value)));
  else
    return F::of_value(value);
}

// --- Arithmetic that rounds -----------------------------------------------------------------------------
// The host is in the mode that frm says, so dynamic rounding (what compilers emit) takes the first line.
// `compute(number...)` gives F's bits from operands that the host holds; `exact(number...)` gives a quad.
bool host_rounds(const Hart& h, const Decoded* d) { return d->mode == dynamic && h.frm < rmm; }

template <typename F, typename Compute, typename Exact, typename... Numbers>
[[gnu::noinline]] const Decoded* in_another_mode(Hart& h, const Decoded* d, Compute compute, Exact exact,
                                                 Numbers... numbers) {
  const unsigned mode = rounding_mode(h, d);
  if (mode > rmm) return h.raise(d, TrapCause::illegal_instruction, d->word);
  if (mode == rmm) {
    write<F>(h, d->rd, ties_away<F>(h.fflags, [&] { return exact(pin(static_cast<Quad>(numbers))...); }));
    return d + 1;
  }
  const RoundingScope scope(mode);
  write<F>(h, d->rd, pin(compute(pin(numbers)...)));
  return d + 1;
}

template <typename F, typename Compute, typename Exact, typename... Numbers>
const Decoded* rounded(Hart& h, const Decoded* d, Compute compute, Exact exact, Numbers... numbers) {
  if (!host_rounds(h, d)) [[unlikely]]
    return in_another_mode<F>(h, d, compute, exact, numbers...);
  write<F>(h, d->rd, compute(numbers...));
  return proceed(h, d);
}

template <typename F, auto Function>
const Decoded* arithmetic(Hart& h, const Decoded* d) {
  return rounded<F>(
      h, d, [](auto a, auto b) { return F::of_value(Function(a, b)); },
      [](Quad a, Quad b) { return Function(a, b); }, F::value(read<F>(h, d->rs1)),
      F::value(read<F>(h, d->rs2)));
}

// A root is never half way between two numbers, so nearest-even serves for ties-away.
template <typename F>
const Decoded* square_root(Hart& h, const Decoded* d) {
  const unsigned mode = rounding_mode(h, d);
  if (mode > rmm) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const auto a = F::value(read<F>(h, d->rs1));
  if (host_rounds(h, d)) {
    write<F>(h, d->rd, F::of_value(std::sqrt(a)));
    return proceed(h, d);
  }
  const RoundingScope scope(mode);
  write<F>(h, d->rd, pin(F::of_value(std::sqrt(pin(a)))));
  return d + 1;
}

// Half fuses in double: 11-bit factors and addend leave no tie or boundary that 53 bits could miss.
template <typename F, bool NegateProduct, bool NegateAddend>
const Decoded* multiply_add(Hart& h, const Decoded* d) {
  using Value = std::conditional_t<std::is_same_v<F, Half>, double, typename F::Value>;
  const auto a_bits = read<F>(h, d->rs1), b_bits = read<F>(h, d->rs2), c_bits = read<F>(h, d->rs3);
  const auto zero_times_infinity = [](auto x, auto y) {
    return F::magnitude(x) == 0 && F::magnitude(y) == F::infinity;
  };
  if (F::is_nan(c_bits)) [[unlikely]]  // x86 lets a quiet NaN hide the invalid product
    if (zero_times_infinity(a_bits, b_bits) || zero_times_infinity(b_bits, a_bits)) h.fflags |= invalid;
  const Value a = F::value(a_bits), b = F::value(b_bits), c = F::value(c_bits);
  return rounded<F>(
      h, d, [](Value x, Value y, Value z) { return bits_of<F>(std::fma(x, y, z)); },
      [](Quad x, Quad y, Quad z) { return x * y + z; },  // the product of two 53-bit numbers is exact
      NegateProduct ? -a : a, b, NegateAddend ? -c : c);
}

// --- Conversions ----------------------------------------------------------------------------------------
// bfloat16 is a truncated float: exact one way, rounded here the other way.
template <typename To, typename From>
const Decoded* convert(Hart& h, const Decoded* d) {
  const auto bits = read<From>(h, d->rs1);
  const unsigned mode = rounding_mode(h, d);
  if (mode > rmm) return h.raise(d, TrapCause::illegal_instruction, d->word);
  if (From::is_nan(bits)) {
    if (From::is_signaling(bits)) h.fflags |= invalid;
    write<To>(h, d->rd, To::nan);
    return d + 1;
  }
  if constexpr (std::is_same_v<From, Bfloat16>) {
    write<To>(h, d->rd, static_cast<u32>(bits) << 16);
    return d + 1;
  } else if constexpr (std::is_same_v<To, Bfloat16>) {
    write<To>(h, d->rd, round_into<To>(From::value(bits), false, mode, h.fflags));
    return d + 1;
  } else {
    return rounded<To>(
        h, d,
        [](auto a) {
          return bits_of<To>(
              static_cast<
                  std::conditional_t<std::is_same_v<To, Double>, double,
                                     std::conditional_t<std::is_same_v<To, Single>, float, decltype(a)>>>(a));
        },
        [](Quad a) { return a; }, From::value(bits));
  }
}

// Out of range and NaN: the nearest end, NaN counting as large; NV and not NX.
template <typename F, typename Integer>
const Decoded* to_integer(Hart& h, const Decoded* d) {
  using Limits = std::numeric_limits<Integer>;
  const auto bits = read<F>(h, d->rs1);
  const unsigned mode = rounding_mode(h, d);
  if (mode > rmm) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const auto result = [&]() -> Integer {
    if (F::is_nan(bits)) return h.fflags |= invalid, Limits::max();
    const double number = F::value(bits), whole = std::trunc(number), rest = std::fabs(number - whole);
    const bool odd = rest == 0.5 && std::fmod(whole, 2) != 0;
    const bool away = mode == rne   ? rest > 0.5 || odd
                      : mode == rmm ? rest >= 0.5
                      : mode == rdn ? rest != 0 && number < 0
                      : mode == rup ? rest != 0 && number > 0
                                    : false;
    const double rounded_number = away ? whole + std::copysign(1.0, number) : whole;
    constexpr double lowest = static_cast<double>(Limits::min());
    const double above = std::ldexp(1.0, Limits::digits);
    if (rounded_number < lowest) return h.fflags |= invalid, Limits::min();
    if (rounded_number >= above) return h.fflags |= invalid, Limits::max();
    if (rest != 0) h.fflags |= inexact;
    // By way of i64: compilers' own sequences for u64 raise flags of their own.
    if (std::is_same_v<Integer, u64> && rounded_number >= 0x1p63)
      return static_cast<Integer>(static_cast<u64>(static_cast<i64>(rounded_number - 0x1p63)) | u64{1} << 63);
    return static_cast<Integer>(static_cast<i64>(rounded_number));
  }();
  h.set_x(d->rd, static_cast<u64>(static_cast<i64>(static_cast<std::make_signed_t<Integer>>(result))));
  return proceed(h, d);
}

// In the host's rounding mode. Compilers' own sequences for u64 are right to nearest only, so the upper half
// of its range is halved, keeping a lost bit in the last place, and doubled again.
template <typename Value, typename Integer>
Value number_of(Integer a) {
  if constexpr (std::is_same_v<Integer, u64>)
    if (a >> 63 != 0) return 2 * static_cast<Value>(static_cast<i64>(a >> 1 | (a & 1)));
  return static_cast<Value>(static_cast<i64>(a));
}

template <typename F, typename Integer>
const Decoded* from_integer(Hart& h, const Decoded* d) {
  return rounded<F>(
      h, d,
      [](Integer a) {
        if constexpr (std::is_same_v<F, Single>)
          return bits_of<F>(number_of<float>(a));
        else
          return bits_of<F>(number_of<double>(a));  // Half: what double rounds lies far beyond its range
      },
      [](Quad a) { return a; }, static_cast<Integer>(h.x[d->rs1]));
}

// --- Operations on bits ---------------------------------------------------------------------------------
template <typename F, auto Sign>
const Decoded* with_sign(Hart& h, const Decoded* d) {
  const auto a = read<F>(h, d->rs1), b = read<F>(h, d->rs2);
  write<F>(h, d->rd, static_cast<typename F::Bits>(F::magnitude(a) | (Sign(a, b) & F::sign)));
  return proceed(h, d);
}

// A number beats a NaN; -0 is below +0.
template <typename F, bool Maximum>
const Decoded* minimum(Hart& h, const Decoded* d) {
  const auto a = read<F>(h, d->rs1), b = read<F>(h, d->rs2);
  if (F::is_signaling(a) || F::is_signaling(b)) h.fflags |= invalid;
  if (F::is_nan(a))
    write<F>(h, d->rd, F::is_nan(b) ? F::nan : b);
  else if (F::is_nan(b))
    write<F>(h, d->rd, a);
  else
    write<F>(h, d->rd, F::less(a, b) != Maximum ? a : b);
  return proceed(h, d);
}

// Equality is quiet; the other two signal on any NaN.
enum class Order { equal, less, less_equal };
template <typename F, Order Wanted>
const Decoded* compare(Hart& h, const Decoded* d) {
  const auto a = read<F>(h, d->rs1), b = read<F>(h, d->rs2);
  bool holds = false;
  if (F::is_nan(a) || F::is_nan(b)) {
    if (Wanted != Order::equal || F::is_signaling(a) || F::is_signaling(b)) h.fflags |= invalid;
  } else {
    const bool equal = a == b || F::magnitude(static_cast<typename F::Bits>(a | b)) == 0;
    holds = equal ? Wanted != Order::less : Wanted != Order::equal && F::less(a, b);
  }
  h.set_x(d->rd, holds);
  return proceed(h, d);
}

// One bit of: -inf, -normal, -subnormal, -0, +0, +subnormal, +normal, +inf, signaling NaN, quiet NaN.
template <typename F>
const Decoded* classify(Hart& h, const Decoded* d) {
  const auto bits = read<F>(h, d->rs1), magnitude = F::magnitude(bits);
  const unsigned size = magnitude == 0                         ? 0
                        : magnitude >> (F::precision - 1) == 0 ? 1
                        : magnitude < F::infinity              ? 2
                                                               : 3;
  const unsigned place = F::is_signaling(bits)   ? 8
                         : F::is_nan(bits)       ? 9
                         : (bits & F::sign) != 0 ? 3 - size
                                                 : 4 + size;
  h.set_x(d->rd, u64{1} << place);
  return proceed(h, d);
}

template <typename F>
const Decoded* move_to_x(Hart& h, const Decoded* d) {
  using Signed = std::make_signed_t<typename F::Bits>;
  h.set_x(d->rd, static_cast<u64>(static_cast<i64>(static_cast<Signed>(h.f[d->rs1]))));
  return proceed(h, d);
}
template <typename F>
const Decoded* move_from_x(Hart& h, const Decoded* d) {
  write<F>(h, d->rd, static_cast<typename F::Bits>(h.x[d->rs1]));
  return proceed(h, d);
}

template <typename F>
const Decoded* load_f(Hart& h, const Decoded* d) {
  const u64 address = h.x[d->rs1] + static_cast<u64>(d->immediate);
  typename F::Bits bits;
  const std::byte* source = h.memory.readable(address, sizeof bits);
  if (source == nullptr) [[unlikely]]
    return h.raise_load_fault(d, address);
  std::memcpy(&bits, source, sizeof bits);
  write<F>(h, d->rd, bits);
  return proceed(h, d);
}
template <typename F>
const Decoded* store_f(Hart& h, const Decoded* d) {
  const u64 address = h.x[d->rs1] + static_cast<u64>(d->immediate);
  const auto bits = static_cast<typename F::Bits>(h.f[d->rs2]);
  std::byte* destination = h.memory.writable(address, sizeof bits);
  if (destination == nullptr) [[unlikely]]
    return h.raise_store_fault(d, address);
  std::memcpy(destination, &bits, sizeof bits);
  return proceed(h, d);
}

using enum Unit;
constexpr Operand R = Operand::x_read, W = Operand::x_write, FR = Operand::f_read, FW = Operand::f_write,
                  o = Operand::none;
constexpr std::uint16_t flags = rounds | raises_flags;

// clang-format off
#define ARITHMETIC(format, semantics) arithmetic<format, [](auto a, auto b) { return (semantics); }>
#define SIGN(format, semantics) with_sign<format, [](auto a, auto b) { return static_cast<void>(a), (semantics); }>
const Row rows[] = {
  // mnemonic      match       mask        syntax                    ext        unit          rd  rs1 rs2 rs3 properties      semantics
  {"flw",         0x00002007, 0x0000707f, "fd, imm12(rs1)",         "F",       load,         FW, R,  o,  o,  reads_memory,   load_f<Single>},
  {"fsw",         0x00002027, 0x0000707f, "fs2, store12(rs1)",      "F",       store,        o,  R,  FR, o,  writes_memory,  store_f<Single>},
  {"fmadd.s",     0x00000043, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "F",       float_,       FW, FR, FR, FR, flags,          multiply_add<Single, false, false>},
  {"fmsub.s",     0x00000047, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "F",       float_,       FW, FR, FR, FR, flags,          multiply_add<Single, false, true>},
  {"fnmsub.s",    0x0000004b, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "F",       float_,       FW, FR, FR, FR, flags,          multiply_add<Single, true, false>},
  {"fnmadd.s",    0x0000004f, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "F",       float_,       FW, FR, FR, FR, flags,          multiply_add<Single, true, true>},
  {"fadd.s",      0x00000053, 0xfe00007f, "fd, fs1, fs2, rm",       "F",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Single, a + b)},
  {"fsub.s",      0x08000053, 0xfe00007f, "fd, fs1, fs2, rm",       "F",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Single, a - b)},
  {"fmul.s",      0x10000053, 0xfe00007f, "fd, fs1, fs2, rm",       "F",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Single, a * b)},
  {"fdiv.s",      0x18000053, 0xfe00007f, "fd, fs1, fs2, rm",       "F",       float_divide, FW, FR, FR, o,  flags,          ARITHMETIC(Single, a / b)},
  {"fsqrt.s",     0x58000053, 0xfff0007f, "fd, fs1, rm",            "F",       float_divide, FW, FR, o,  o,  flags,          square_root<Single>},
  {"fsgnj.s",     0x20000053, 0xfe00707f, "fd, fs1, fs2",           "F",       float_,       FW, FR, FR, o,  0,              SIGN(Single, b)},
  {"fsgnjn.s",    0x20001053, 0xfe00707f, "fd, fs1, fs2",           "F",       float_,       FW, FR, FR, o,  0,              SIGN(Single, ~b)},
  {"fsgnjx.s",    0x20002053, 0xfe00707f, "fd, fs1, fs2",           "F",       float_,       FW, FR, FR, o,  0,              SIGN(Single, a ^ b)},
  {"fmin.s",      0x28000053, 0xfe00707f, "fd, fs1, fs2",           "F",       float_,       FW, FR, FR, o,  0,              minimum<Single, false>},
  {"fmax.s",      0x28001053, 0xfe00707f, "fd, fs1, fs2",           "F",       float_,       FW, FR, FR, o,  0,              minimum<Single, true>},
  {"fle.s",       0xa0000053, 0xfe00707f, "rd, fs1, fs2",           "F",       float_,       W,  FR, FR, o,  0,              compare<Single, Order::less_equal>},
  {"flt.s",       0xa0001053, 0xfe00707f, "rd, fs1, fs2",           "F",       float_,       W,  FR, FR, o,  0,              compare<Single, Order::less>},
  {"feq.s",       0xa0002053, 0xfe00707f, "rd, fs1, fs2",           "F",       float_,       W,  FR, FR, o,  0,              compare<Single, Order::equal>},
  {"fclass.s",    0xe0001053, 0xfff0707f, "rd, fs1",                "F",       float_,       W,  FR, o,  o,  0,              classify<Single>},
  {"fcvt.w.s",    0xc0000053, 0xfff0007f, "rd, fs1, rm",            "F",       float_,       W,  FR, o,  o,  flags,          to_integer<Single, i32>},
  {"fcvt.wu.s",   0xc0100053, 0xfff0007f, "rd, fs1, rm",            "F",       float_,       W,  FR, o,  o,  flags,          to_integer<Single, u32>},
  {"fcvt.l.s",    0xc0200053, 0xfff0007f, "rd, fs1, rm",            "F",       float_,       W,  FR, o,  o,  flags,          to_integer<Single, i64>},
  {"fcvt.lu.s",   0xc0300053, 0xfff0007f, "rd, fs1, rm",            "F",       float_,       W,  FR, o,  o,  flags,          to_integer<Single, u64>},
  {"fcvt.s.w",    0xd0000053, 0xfff0007f, "fd, rs1, rm",            "F",       float_,       FW, R,  o,  o,  flags,          from_integer<Single, i32>},
  {"fcvt.s.wu",   0xd0100053, 0xfff0007f, "fd, rs1, rm",            "F",       float_,       FW, R,  o,  o,  flags,          from_integer<Single, u32>},
  {"fcvt.s.l",    0xd0200053, 0xfff0007f, "fd, rs1, rm",            "F",       float_,       FW, R,  o,  o,  flags,          from_integer<Single, i64>},
  {"fcvt.s.lu",   0xd0300053, 0xfff0007f, "fd, rs1, rm",            "F",       float_,       FW, R,  o,  o,  flags,          from_integer<Single, u64>},
  {"fmv.x.w",     0xe0000053, 0xfff0707f, "rd, fs1",                "F",       float_,       W,  FR, o,  o,  0,              move_to_x<Single>},
  {"fmv.w.x",     0xf0000053, 0xfff0707f, "fd, rs1",                "F",       float_,       FW, R,  o,  o,  0,              move_from_x<Single>},

  {"fld",         0x00003007, 0x0000707f, "fd, imm12(rs1)",         "D",       load,         FW, R,  o,  o,  reads_memory,   load_f<Double>},
  {"fsd",         0x00003027, 0x0000707f, "fs2, store12(rs1)",      "D",       store,        o,  R,  FR, o,  writes_memory,  store_f<Double>},
  {"fmadd.d",     0x02000043, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "D",       float_,       FW, FR, FR, FR, flags,          multiply_add<Double, false, false>},
  {"fmsub.d",     0x02000047, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "D",       float_,       FW, FR, FR, FR, flags,          multiply_add<Double, false, true>},
  {"fnmsub.d",    0x0200004b, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "D",       float_,       FW, FR, FR, FR, flags,          multiply_add<Double, true, false>},
  {"fnmadd.d",    0x0200004f, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "D",       float_,       FW, FR, FR, FR, flags,          multiply_add<Double, true, true>},
  {"fadd.d",      0x02000053, 0xfe00007f, "fd, fs1, fs2, rm",       "D",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Double, a + b)},
  {"fsub.d",      0x0a000053, 0xfe00007f, "fd, fs1, fs2, rm",       "D",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Double, a - b)},
  {"fmul.d",      0x12000053, 0xfe00007f, "fd, fs1, fs2, rm",       "D",       float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Double, a * b)},
  {"fdiv.d",      0x1a000053, 0xfe00007f, "fd, fs1, fs2, rm",       "D",       float_divide, FW, FR, FR, o,  flags,          ARITHMETIC(Double, a / b)},
  {"fsqrt.d",     0x5a000053, 0xfff0007f, "fd, fs1, rm",            "D",       float_divide, FW, FR, o,  o,  flags,          square_root<Double>},
  {"fsgnj.d",     0x22000053, 0xfe00707f, "fd, fs1, fs2",           "D",       float_,       FW, FR, FR, o,  0,              SIGN(Double, b)},
  {"fsgnjn.d",    0x22001053, 0xfe00707f, "fd, fs1, fs2",           "D",       float_,       FW, FR, FR, o,  0,              SIGN(Double, ~b)},
  {"fsgnjx.d",    0x22002053, 0xfe00707f, "fd, fs1, fs2",           "D",       float_,       FW, FR, FR, o,  0,              SIGN(Double, a ^ b)},
  {"fmin.d",      0x2a000053, 0xfe00707f, "fd, fs1, fs2",           "D",       float_,       FW, FR, FR, o,  0,              minimum<Double, false>},
  {"fmax.d",      0x2a001053, 0xfe00707f, "fd, fs1, fs2",           "D",       float_,       FW, FR, FR, o,  0,              minimum<Double, true>},
  {"fle.d",       0xa2000053, 0xfe00707f, "rd, fs1, fs2",           "D",       float_,       W,  FR, FR, o,  0,              compare<Double, Order::less_equal>},
  {"flt.d",       0xa2001053, 0xfe00707f, "rd, fs1, fs2",           "D",       float_,       W,  FR, FR, o,  0,              compare<Double, Order::less>},
  {"feq.d",       0xa2002053, 0xfe00707f, "rd, fs1, fs2",           "D",       float_,       W,  FR, FR, o,  0,              compare<Double, Order::equal>},
  {"fclass.d",    0xe2001053, 0xfff0707f, "rd, fs1",                "D",       float_,       W,  FR, o,  o,  0,              classify<Double>},
  {"fcvt.w.d",    0xc2000053, 0xfff0007f, "rd, fs1, rm",            "D",       float_,       W,  FR, o,  o,  flags,          to_integer<Double, i32>},
  {"fcvt.wu.d",   0xc2100053, 0xfff0007f, "rd, fs1, rm",            "D",       float_,       W,  FR, o,  o,  flags,          to_integer<Double, u32>},
  {"fcvt.l.d",    0xc2200053, 0xfff0007f, "rd, fs1, rm",            "D",       float_,       W,  FR, o,  o,  flags,          to_integer<Double, i64>},
  {"fcvt.lu.d",   0xc2300053, 0xfff0007f, "rd, fs1, rm",            "D",       float_,       W,  FR, o,  o,  flags,          to_integer<Double, u64>},
  {"fcvt.d.w",    0xd2000053, 0xfff0007f, "fd, rs1, rm_exact",      "D",       float_,       FW, R,  o,  o,  flags,          from_integer<Double, i32>},
  {"fcvt.d.wu",   0xd2100053, 0xfff0007f, "fd, rs1, rm_exact",      "D",       float_,       FW, R,  o,  o,  flags,          from_integer<Double, u32>},
  {"fcvt.d.l",    0xd2200053, 0xfff0007f, "fd, rs1, rm",            "D",       float_,       FW, R,  o,  o,  flags,          from_integer<Double, i64>},
  {"fcvt.d.lu",   0xd2300053, 0xfff0007f, "fd, rs1, rm",            "D",       float_,       FW, R,  o,  o,  flags,          from_integer<Double, u64>},
  {"fmv.x.d",     0xe2000053, 0xfff0707f, "rd, fs1",                "D",       float_,       W,  FR, o,  o,  0,              move_to_x<Double>},
  {"fmv.d.x",     0xf2000053, 0xfff0707f, "fd, rs1",                "D",       float_,       FW, R,  o,  o,  0,              move_from_x<Double>},

  {"flh",         0x00001007, 0x0000707f, "fd, imm12(rs1)",         "Zfhmin",  load,         FW, R,  o,  o,  reads_memory,   load_f<Half>},
  {"fsh",         0x00001027, 0x0000707f, "fs2, store12(rs1)",      "Zfhmin",  store,        o,  R,  FR, o,  writes_memory,  store_f<Half>},
  {"fmadd.h",     0x04000043, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "Zfh",     float_,       FW, FR, FR, FR, flags,          multiply_add<Half, false, false>},
  {"fmsub.h",     0x04000047, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "Zfh",     float_,       FW, FR, FR, FR, flags,          multiply_add<Half, false, true>},
  {"fnmsub.h",    0x0400004b, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "Zfh",     float_,       FW, FR, FR, FR, flags,          multiply_add<Half, true, false>},
  {"fnmadd.h",    0x0400004f, 0x0600007f, "fd, fs1, fs2, fs3, rm",  "Zfh",     float_,       FW, FR, FR, FR, flags,          multiply_add<Half, true, true>},
  {"fadd.h",      0x04000053, 0xfe00007f, "fd, fs1, fs2, rm",       "Zfh",     float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Half, a + b)},
  {"fsub.h",      0x0c000053, 0xfe00007f, "fd, fs1, fs2, rm",       "Zfh",     float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Half, a - b)},
  {"fmul.h",      0x14000053, 0xfe00007f, "fd, fs1, fs2, rm",       "Zfh",     float_,       FW, FR, FR, o,  flags,          ARITHMETIC(Half, a * b)},
  {"fdiv.h",      0x1c000053, 0xfe00007f, "fd, fs1, fs2, rm",       "Zfh",     float_divide, FW, FR, FR, o,  flags,          ARITHMETIC(Half, a / b)},
  {"fsqrt.h",     0x5c000053, 0xfff0007f, "fd, fs1, rm",            "Zfh",     float_divide, FW, FR, o,  o,  flags,          square_root<Half>},
  {"fsgnj.h",     0x24000053, 0xfe00707f, "fd, fs1, fs2",           "Zfh",     float_,       FW, FR, FR, o,  0,              SIGN(Half, b)},
  {"fsgnjn.h",    0x24001053, 0xfe00707f, "fd, fs1, fs2",           "Zfh",     float_,       FW, FR, FR, o,  0,              SIGN(Half, ~b)},
  {"fsgnjx.h",    0x24002053, 0xfe00707f, "fd, fs1, fs2",           "Zfh",     float_,       FW, FR, FR, o,  0,              SIGN(Half, a ^ b)},
  {"fmin.h",      0x2c000053, 0xfe00707f, "fd, fs1, fs2",           "Zfh",     float_,       FW, FR, FR, o,  0,              minimum<Half, false>},
  {"fmax.h",      0x2c001053, 0xfe00707f, "fd, fs1, fs2",           "Zfh",     float_,       FW, FR, FR, o,  0,              minimum<Half, true>},
  {"fle.h",       0xa4000053, 0xfe00707f, "rd, fs1, fs2",           "Zfh",     float_,       W,  FR, FR, o,  0,              compare<Half, Order::less_equal>},
  {"flt.h",       0xa4001053, 0xfe00707f, "rd, fs1, fs2",           "Zfh",     float_,       W,  FR, FR, o,  0,              compare<Half, Order::less>},
  {"feq.h",       0xa4002053, 0xfe00707f, "rd, fs1, fs2",           "Zfh",     float_,       W,  FR, FR, o,  0,              compare<Half, Order::equal>},
  {"fclass.h",    0xe4001053, 0xfff0707f, "rd, fs1",                "Zfh",     float_,       W,  FR, o,  o,  0,              classify<Half>},
  {"fcvt.w.h",    0xc4000053, 0xfff0007f, "rd, fs1, rm",            "Zfh",     float_,       W,  FR, o,  o,  flags,          to_integer<Half, i32>},
  {"fcvt.wu.h",   0xc4100053, 0xfff0007f, "rd, fs1, rm",            "Zfh",     float_,       W,  FR, o,  o,  flags,          to_integer<Half, u32>},
  {"fcvt.l.h",    0xc4200053, 0xfff0007f, "rd, fs1, rm",            "Zfh",     float_,       W,  FR, o,  o,  flags,          to_integer<Half, i64>},
  {"fcvt.lu.h",   0xc4300053, 0xfff0007f, "rd, fs1, rm",            "Zfh",     float_,       W,  FR, o,  o,  flags,          to_integer<Half, u64>},
  {"fcvt.h.w",    0xd4000053, 0xfff0007f, "fd, rs1, rm",            "Zfh",     float_,       FW, R,  o,  o,  flags,          from_integer<Half, i32>},
  {"fcvt.h.wu",   0xd4100053, 0xfff0007f, "fd, rs1, rm",            "Zfh",     float_,       FW, R,  o,  o,  flags,          from_integer<Half, u32>},
  {"fcvt.h.l",    0xd4200053, 0xfff0007f, "fd, rs1, rm",            "Zfh",     float_,       FW, R,  o,  o,  flags,          from_integer<Half, i64>},
  {"fcvt.h.lu",   0xd4300053, 0xfff0007f, "fd, rs1, rm",            "Zfh",     float_,       FW, R,  o,  o,  flags,          from_integer<Half, u64>},
  {"fmv.x.h",     0xe4000053, 0xfff0707f, "rd, fs1",                "Zfhmin",  float_,       W,  FR, o,  o,  0,              move_to_x<Half>},
  {"fmv.h.x",     0xf4000053, 0xfff0707f, "fd, rs1",                "Zfhmin",  float_,       FW, R,  o,  o,  0,              move_from_x<Half>},

  {"fcvt.s.d",    0x40100053, 0xfff0007f, "fd, fs1, rm",            "D",       float_,       FW, FR, o,  o,  flags,          convert<Single, Double>},
  {"fcvt.d.s",    0x42000053, 0xfff0007f, "fd, fs1, rm_exact",      "D",       float_,       FW, FR, o,  o,  flags,          convert<Double, Single>},
  {"fcvt.s.h",    0x40200053, 0xfff0007f, "fd, fs1, rm_exact",      "Zfhmin",  float_,       FW, FR, o,  o,  flags,          convert<Single, Half>},
  {"fcvt.h.s",    0x44000053, 0xfff0007f, "fd, fs1, rm",            "Zfhmin",  float_,       FW, FR, o,  o,  flags,          convert<Half, Single>},
  {"fcvt.d.h",    0x42200053, 0xfff0007f, "fd, fs1, rm_exact",      "Zfhmin",  float_,       FW, FR, o,  o,  flags,          convert<Double, Half>},
  {"fcvt.h.d",    0x44100053, 0xfff0007f, "fd, fs1, rm",            "Zfhmin",  float_,       FW, FR, o,  o,  flags,          convert<Half, Double>},
  {"fcvt.s.bf16", 0x40600053, 0xfff0007f, "fd, fs1, rm_exact",      "Zfbfmin", float_,       FW, FR, o,  o,  flags,          convert<Single, Bfloat16>},
  {"fcvt.bf16.s", 0x44800053, 0xfff0007f, "fd, fs1, rm",            "Zfbfmin", float_,       FW, FR, o,  o,  flags,          convert<Bfloat16, Single>},
};
#undef ARITHMETIC
#undef SIGN
// clang-format on

}  // namespace

std::span<const Row> float_rows() { return rows; }

}  // namespace dojo::isa
