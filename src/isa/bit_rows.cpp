// Integers beyond I and M: address arithmetic, bit counting, rotation, carry-less products, single bits, what
// is chosen by a register that is zero or not, and what may come to mean something.
#include <algorithm>
#include <bit>

#include "isa/hart.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr u64 word(u64 value) { return static_cast<u64>(static_cast<i64>(static_cast<i32>(value))); }

constexpr u64 or_combine_bytes(u64 value) {
  u64 result = 0;
  for (unsigned shift = 0; shift < 64; shift += 8)
    if ((value >> shift) & 255) result |= u64{255} << shift;
  return result;
}

// The bits first .. first + 63 of the product of polynomials over GF(2) whose coefficients are these bits.
constexpr u64 carry_less_product(u64 a, u64 b, unsigned first) {
  u64 low = 0, high = 0;
  for (unsigned i = 0; i < 64; ++i) {
    if (((b >> i) & 1) == 0) continue;
    low ^= a << i;
    if (i != 0) high ^= a >> (64 - i);
  }
  return first == 0 ? low : first == 64 ? high : high << (64 - first) | low >> first;
}

// rd is never x0 here: decoding replaces arithmetic on it.
template <auto Function>
const Decoded* two(Hart& h, const Decoded* d) {
  h.x[d->rd] = Function(h.x[d->rs1], h.x[d->rs2]);
  return proceed(h, d);
}
template <auto Function>
const Decoded* with_immediate(Hart& h, const Decoded* d) {
  h.x[d->rd] = Function(h.x[d->rs1], static_cast<u64>(d->immediate));
  return proceed(h, d);
}
template <auto Function>
const Decoded* one(Hart& h, const Decoded* d) {
  h.x[d->rd] = static_cast<u64>(Function(h.x[d->rs1]));
  return proceed(h, d);
}

constexpr Operand R = Operand::x_read, W = Operand::x_write, o = Operand::none;
constexpr Unit alu = Unit::alu, multiply = Unit::multiply;

// clang-format off
#define RR(semantics) two<[](u64 a, u64 b) -> u64 { return (semantics); }>
#define RI(semantics) with_immediate<[](u64 a, u64 b) -> u64 { return (semantics); }>
#define R1(semantics) one<[](u64 a) { return (semantics); }>
constexpr Row rows[] = {
  // mnemonic    match       mask        syntax             ext    unit rd rs1 rs2 rs3 properties  semantics
  {"add.uw",    0x0800003b, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR(static_cast<u32>(a) + b)},
  {"sh1add",    0x20002033, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((a << 1) + b)},
  {"sh2add",    0x20004033, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((a << 2) + b)},
  {"sh3add",    0x20006033, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((a << 3) + b)},
  {"sh1add.uw", 0x2000203b, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((u64{static_cast<u32>(a)} << 1) + b)},
  {"sh2add.uw", 0x2000403b, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((u64{static_cast<u32>(a)} << 2) + b)},
  {"sh3add.uw", 0x2000603b, 0xfe00707f, "rd, rs1, rs2",    "Zba", alu, W, R, R, o, 0,             RR((u64{static_cast<u32>(a)} << 3) + b)},
  {"slli.uw",   0x0800101b, 0xfc00707f, "rd, rs1, shamt6", "Zba", alu, W, R, o, o, 0,             RI(u64{static_cast<u32>(a)} << b)},

  {"andn",      0x40007033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(a & ~b)},
  {"orn",       0x40006033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(a | ~b)},
  {"xnor",      0x40004033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(~(a ^ b))},
  {"max",       0x0a006033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(static_cast<u64>(std::max(static_cast<i64>(a), static_cast<i64>(b))))},
  {"maxu",      0x0a007033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(std::max(a, b))},
  {"min",       0x0a004033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(static_cast<u64>(std::min(static_cast<i64>(a), static_cast<i64>(b))))},
  {"minu",      0x0a005033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(std::min(a, b))},
  {"clz",       0x60001013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::countl_zero(a))},
  {"ctz",       0x60101013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::countr_zero(a))},
  {"cpop",      0x60201013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::popcount(a))},
  {"clzw",      0x6000101b, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::countl_zero(static_cast<u32>(a)))},
  {"ctzw",      0x6010101b, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::countr_zero(static_cast<u32>(a)))},
  {"cpopw",     0x6020101b, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(std::popcount(static_cast<u32>(a)))},
  {"sext.b",    0x60401013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(static_cast<i64>(static_cast<std::int8_t>(a)))},
  {"sext.h",    0x60501013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(static_cast<i64>(static_cast<std::int16_t>(a)))},
  {"zext.h",    0x0800403b, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(static_cast<std::uint16_t>(a))},
  {"rol",       0x60001033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(std::rotl(a, static_cast<int>(b & 63)))},
  {"ror",       0x60005033, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(std::rotr(a, static_cast<int>(b & 63)))},
  {"rori",      0x60005013, 0xfc00707f, "rd, rs1, shamt6", "Zbb", alu, W, R, o, o, 0,             RI(std::rotr(a, static_cast<int>(b)))},
  {"rolw",      0x6000103b, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(word(std::rotl(static_cast<u32>(a), static_cast<int>(b & 31))))},
  {"rorw",      0x6000503b, 0xfe00707f, "rd, rs1, rs2",    "Zbb", alu, W, R, R, o, 0,             RR(word(std::rotr(static_cast<u32>(a), static_cast<int>(b & 31))))},
  {"roriw",     0x6000501b, 0xfe00707f, "rd, rs1, shamt5", "Zbb", alu, W, R, o, o, 0,             RI(word(std::rotr(static_cast<u32>(a), static_cast<int>(b))))},
  {"orc.b",     0x28705013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(or_combine_bytes(a))},
  {"rev8",      0x6b805013, 0xfff0707f, "rd, rs1",         "Zbb", alu, W, R, o, o, 0,             R1(__builtin_bswap64(a))},

  {"bclr",      0x48001033, 0xfe00707f, "rd, rs1, rs2",    "Zbs", alu, W, R, R, o, 0,             RR(a & ~(u64{1} << (b & 63)))},
  {"bclri",     0x48001013, 0xfc00707f, "rd, rs1, shamt6", "Zbs", alu, W, R, o, o, 0,             RI(a & ~(u64{1} << b))},
  {"bext",      0x48005033, 0xfe00707f, "rd, rs1, rs2",    "Zbs", alu, W, R, R, o, 0,             RR((a >> (b & 63)) & 1)},
  {"bexti",     0x48005013, 0xfc00707f, "rd, rs1, shamt6", "Zbs", alu, W, R, o, o, 0,             RI((a >> b) & 1)},
  {"binv",      0x68001033, 0xfe00707f, "rd, rs1, rs2",    "Zbs", alu, W, R, R, o, 0,             RR(a ^ (u64{1} << (b & 63)))},
  {"binvi",     0x68001013, 0xfc00707f, "rd, rs1, shamt6", "Zbs", alu, W, R, o, o, 0,             RI(a ^ (u64{1} << b))},
  {"bset",      0x28001033, 0xfe00707f, "rd, rs1, rs2",    "Zbs", alu, W, R, R, o, 0,             RR(a | (u64{1} << (b & 63)))},
  {"bseti",     0x28001013, 0xfc00707f, "rd, rs1, shamt6", "Zbs", alu, W, R, o, o, 0,             RI(a | (u64{1} << b))},

  {"clmul",     0x0a001033, 0xfe00707f, "rd, rs1, rs2",    "Zbc", multiply, W, R, R, o, 0,        RR(carry_less_product(a, b, 0))},
  {"clmulh",    0x0a003033, 0xfe00707f, "rd, rs1, rs2",    "Zbc", multiply, W, R, R, o, 0,        RR(carry_less_product(a, b, 64))},
  {"clmulr",    0x0a002033, 0xfe00707f, "rd, rs1, rs2",    "Zbc", multiply, W, R, R, o, 0,        RR(carry_less_product(a, b, 63))},

  {"czero.eqz", 0x0e005033, 0xfe00707f, "rd, rs1, rs2",    "Zicond", alu, W, R, R, o, 0,          RR(b == 0 ? 0 : a)},
  {"czero.nez", 0x0e007033, 0xfe00707f, "rd, rs1, rs2",    "Zicond", alu, W, R, R, o, 0,          RR(b != 0 ? 0 : a)},

  // Their numbers stand behind the mnemonic.
  {"mop.r.",    0x81c04073, 0xb3c0707f, "mop_r rd, rs1",   "Zimop", alu, W, R, o, o, 0,           R1((static_cast<void>(a), 0))},
  {"mop.rr.",   0x82004073, 0xb200707f, "mop_rr rd, rs1, rs2", "Zimop", alu, W, R, R, o, 0,       RR((static_cast<void>(a), static_cast<void>(b), 0))},
};
#undef RR
#undef RI
#undef R1
// clang-format on

}  // namespace

std::span<const Row> bit_rows() { return rows; }

}  // namespace dojo::isa
