// Integer arithmetic of one width: add to divide, logic, shifts, multiply-add, compares, carries, merges and
// extensions.
#include <limits>
#include <type_traits>

#include "isa/vector_compare.h"
#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

// --- Operations on one element: b is vs2, a is vs1, the scalar or the immediate. T is unsigned.

template <typename T>
using Signed = std::make_signed_t<T>;
template <typename T>
constexpr T shift_mask = static_cast<T>(sizeof(T) * 8 - 1);

constexpr auto add = []<typename T>(T b, T a) { return static_cast<T>(b + a); };
constexpr auto sub = []<typename T>(T b, T a) { return static_cast<T>(b - a); };
constexpr auto rsub = []<typename T>(T b, T a) { return static_cast<T>(a - b); };
constexpr auto minu = []<typename T>(T b, T a) { return b < a ? b : a; };
constexpr auto maxu = []<typename T>(T b, T a) { return b > a ? b : a; };
constexpr auto min = []<typename T>(T b, T a) {
  return static_cast<Signed<T>>(b) < static_cast<Signed<T>>(a) ? b : a;
};
constexpr auto max = []<typename T>(T b, T a) {
  return static_cast<Signed<T>>(b) > static_cast<Signed<T>>(a) ? b : a;
};
constexpr auto bit_and = []<typename T>(T b, T a) { return static_cast<T>(b & a); };
constexpr auto bit_or = []<typename T>(T b, T a) { return static_cast<T>(b | a); };
constexpr auto bit_xor = []<typename T>(T b, T a) { return static_cast<T>(b ^ a); };
constexpr auto sll = []<typename T>(T b, T a) { return static_cast<T>(b << (a & shift_mask<T>)); };
constexpr auto srl = []<typename T>(T b, T a) { return static_cast<T>(b >> (a & shift_mask<T>)); };
constexpr auto sra = []<typename T>(T b, T a) {
  return static_cast<T>(static_cast<Signed<T>>(b) >> (a & shift_mask<T>));
};
constexpr auto mul = []<typename T>(T b, T a) { return static_cast<T>(1u * b * a); };

__extension__ typedef __int128 Signed128;
__extension__ typedef unsigned __int128 Unsigned128;

// The product's upper half. B and A say which operand is signed.
template <typename T>
using Twice =
    std::conditional_t<sizeof(T) == 1, std::int16_t,
                       std::conditional_t<sizeof(T) == 2, std::int32_t,
                                          std::conditional_t<sizeof(T) == 4, std::int64_t, Signed128>>>;
constexpr auto mulhu = []<typename T>(T b, T a) {
  using U = std::conditional_t<sizeof(T) == 8, Unsigned128, std::uint64_t>;
  return static_cast<T>(static_cast<U>(b) * a >> (8 * sizeof(T)));
};
constexpr auto mulh = []<typename T>(T b, T a) {
  return static_cast<T>(Twice<T>{static_cast<Signed<T>>(b)} * Twice<T>{static_cast<Signed<T>>(a)} >>
                        (8 * sizeof(T)));
};
constexpr auto mulhsu = []<typename T>(T b, T a) {
  using W = std::conditional_t<sizeof(T) == 8, Signed128, std::int64_t>;
  return static_cast<T>(W{static_cast<Signed<T>>(b)} * static_cast<W>(a) >> (8 * sizeof(T)));
};

// Division by zero gives all ones and leaves the dividend; the one overflow gives the dividend and 0.
constexpr auto divu = []<typename T>(T b, T a) {
  return a == 0 ? static_cast<T>(~T{0}) : static_cast<T>(b / a);
};
constexpr auto remu = []<typename T>(T b, T a) { return a == 0 ? b : static_cast<T>(b % a); };
constexpr auto div = []<typename T>(T b, T a) {
  if (a == 0) return static_cast<T>(~T{0});
  if (a == static_cast<T>(~T{0})) return static_cast<T>(T{0} - b);
  return static_cast<T>(static_cast<Signed<T>>(b) / static_cast<Signed<T>>(a));
};
constexpr auto rem = []<typename T>(T b, T a) {
  if (a == 0) return b;
  if (a == static_cast<T>(~T{0})) return T{0};
  return static_cast<T>(static_cast<Signed<T>>(b) % static_cast<Signed<T>>(a));
};

constexpr auto eq = []<typename T>(T b, T a) { return b == a; };
constexpr auto ne = []<typename T>(T b, T a) { return b != a; };
constexpr auto ltu = []<typename T>(T b, T a) { return b < a; };
constexpr auto leu = []<typename T>(T b, T a) { return b <= a; };
constexpr auto gtu = []<typename T>(T b, T a) { return b > a; };
constexpr auto lt = []<typename T>(T b, T a) {
  return static_cast<Signed<T>>(b) < static_cast<Signed<T>>(a);
};
constexpr auto le = []<typename T>(T b, T a) {
  return static_cast<Signed<T>>(b) <= static_cast<Signed<T>>(a);
};
constexpr auto gt = []<typename T>(T b, T a) {
  return static_cast<Signed<T>>(b) > static_cast<Signed<T>>(a);
};

// Three sources: c is vd.
constexpr auto macc = []<typename T>(T c, T b, T a) { return static_cast<T>(c + 1u * b * a); };
constexpr auto nmsac = []<typename T>(T c, T b, T a) { return static_cast<T>(c - 1u * b * a); };
constexpr auto madd = []<typename T>(T c, T b, T a) { return static_cast<T>(b + 1u * c * a); };
constexpr auto nmsub = []<typename T>(T c, T b, T a) { return static_cast<T>(b - 1u * c * a); };

// --- Kernels

template <auto op, typename T>
void two(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<T*>(destination);
  const auto *bs = static_cast<const T*>(b), *as = static_cast<const T*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i)
    d[i] = op(static_cast<std::remove_cv_t<T>>(bs[i]), static_cast<std::remove_cv_t<T>>(as[i]));
}

template <auto op, typename T>
void three(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<T*>(destination);
  const auto *bs = static_cast<const T*>(b), *as = static_cast<const T*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = op(d[i], bs[i], as[i]);
}

template <auto op, typename T>
void compare(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* bits = static_cast<std::uint8_t*>(destination);
  const auto *bs = static_cast<const T*>(b), *as = static_cast<const T*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) bits[i] = op(bs[i], as[i]);
}

template <typename From, typename To>
void extend(Hart&, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<To*>(destination);
  const auto* bs = static_cast<const From*>(b);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = static_cast<To>(bs[i]);
}

template <auto op>
constexpr Kernels two_kernels = {two<op, u8>, two<op, u16>, two<op, u32>, two<op, u64>};
template <auto op>
constexpr Kernels three_kernels = {three<op, u8>, three<op, u16>, three<op, u32>, three<op, u64>};
template <auto op>
constexpr Kernels compare_kernels = {compare<op, u8>, compare<op, u16>, compare<op, u32>, compare<op, u64>};

template <auto op, First first>
constexpr VectorHandler binary = run<VectorShape{.first = first}, two_kernels<op>>;
template <auto op, First first>
constexpr VectorHandler ternary =
    run<VectorShape{.first = first, .reads_destination = true}, three_kernels<op>>;
template <auto op, First first>
constexpr VectorHandler comparison = run_compare<VectorShape{.first = first}, compare_kernels<op>>;

constexpr Kernels zext2 = {nullptr, extend<u8, u16>, extend<u16, u32>, extend<u32, u64>};
constexpr Kernels sext2 = {nullptr, extend<i8, i16>, extend<i16, i32>, extend<i32, i64>};
constexpr Kernels zext4 = {nullptr, nullptr, extend<u8, u32>, extend<u16, u64>};
constexpr Kernels sext4 = {nullptr, nullptr, extend<i8, i32>, extend<i16, i64>};
constexpr Kernels zext8 = {nullptr, nullptr, nullptr, extend<u8, u64>};
constexpr Kernels sext8 = {nullptr, nullptr, nullptr, extend<i8, i64>};
constexpr VectorShape extension(int shift) {
  return {.first = First::none, .b_width = static_cast<std::int8_t>(-shift)};
}

// --- Carries, borrows, merges: v0 is data

struct Sources {
  alignas(64) std::uint8_t scalar_copies[max_group_bytes];
  const void *b, *a;
};

template <First first>
void fetch(Hart& hart, const Decoded* d, Sources& s) {
  const unsigned width = sew_log2(hart);
  s.b = group(hart, d->rs2);
  s.a = group(hart, d->rs1);
  if constexpr (first == First::vector) return;
  splat(s.scalar_copies, scalar(hart, d, first, width), width, hart.vl);
  s.a = s.scalar_copies;
}

template <typename F>
void by_sew(const Hart& hart, F f) {
  switch (hart.sew) {
    case 8:
      return f.template operator()<u8>();
    case 16:
      return f.template operator()<u16>();
    case 32:
      return f.template operator()<u32>();
    default:
      return f.template operator()<u64>();
  }
}

// Sources of one width, and v0.
template <First first>
constexpr VectorOperands carried(OperandGroup vd) {
  return {.vd = vd, .vs2 = scaled(0), .vs1 = first == First::vector ? scaled(0) : OperandGroup{}};
}

// d[i] = op(b[i], a[i], v0[i]) for all elements from vstart.
template <auto op, First first>
const Decoded* carry_in(Hart& hart, const Decoded* d) {
  if (first == First::f && (hart.sew == 8 || hart.frm > 4)) return illegal(hart, d);
  Sources s;
  fetch<first>(hart, d, s);
  by_sew(hart, [&]<typename T>() {
    auto* to = reinterpret_cast<T*>(group(hart, d->rd));
    const auto *b = static_cast<const T*>(s.b), *a = static_cast<const T*>(s.a);
    const std::uint8_t* mask = group(hart, 0);
    for (std::size_t i = hart.vstart; i < hart.vl; ++i)
      to[i] = static_cast<T>(op(b[i], a[i], mask_bit(mask, i)));
  });
  hart.vstart = 0;
  return d + 1;
}
template <auto op, First first>
constexpr VectorHandler with_carry = handler<carried<first>(scaled(0)), carry_in<op, first>>;

// Mask bit i of vd = op(b[i], a[i], v0[i], or 0 where vm = 1).
template <auto op, First first>
const Decoded* carries(Hart& hart, const Decoded* d) {
  Sources s;
  fetch<first>(hart, d, s);
  alignas(64) std::uint8_t bits[max_elements];
  by_sew(hart, [&]<typename T>() {
    const auto *b = static_cast<const T*>(s.b), *a = static_cast<const T*>(s.a);
    const std::uint8_t* mask = group(hart, 0);
    for (std::size_t i = hart.vstart; i < hart.vl; ++i)
      bits[i] = op(b[i], a[i], is_masked(d) && mask_bit(mask, i));
  });
  for (std::size_t i = hart.vstart; i < hart.vl; ++i) set_mask_bit(group(hart, d->rd), i, bits[i] != 0);
  hart.vstart = 0;
  return d + 1;
}
template <auto op, First first>
constexpr VectorHandler carry_out = handler<carried<first>(mask_bits), carries<op, first>>;

constexpr auto adc = []<typename T>(T b, T a, bool carry) { return static_cast<T>(b + a + carry); };
constexpr auto sbc = []<typename T>(T b, T a, bool borrow) { return static_cast<T>(b - a - borrow); };
constexpr auto carry_of_add = []<typename T>(T b, T a, bool carry) {
  const auto sum = static_cast<T>(b + a);
  return sum < b || (carry && sum == static_cast<T>(~T{0}));
};
constexpr auto borrow_of_sub = []<typename T>(T b, T a, bool borrow) { return b < a || (borrow && b == a); };
constexpr auto choose = []<typename T>(T b, T a, bool chosen) { return chosen ? a : b; };

// vmv.v.*: every element of vd from vs1, a scalar or an immediate. vs2 is no operand.
constexpr auto take = []<typename T>(T, T a) { return a; };

constexpr Kernels take_float = {nullptr, two<take, u16>, two<take, u32>, two<take, u64>};

// clang-format off
#define VV(NAME, F6, OP)   arithmetic(NAME ".vv", F6, ivv, binary<OP, First::vector>)
#define VX(NAME, F6, OP)   arithmetic(NAME ".vx", F6, ivx, binary<OP, First::x>)
#define VI(NAME, F6, OP)   arithmetic(NAME ".vi", F6, ivi, binary<OP, First::simm>)
#define VU(NAME, F6, OP)   with_syntax(arithmetic(NAME ".vi", F6, ivi, binary<OP, First::uimm>), "vd, vs2, uimm5, vm")
#define MVV(NAME, F6, OP)  arithmetic(NAME ".vv", F6, mvv, binary<OP, First::vector>)
#define MVX(NAME, F6, OP)  arithmetic(NAME ".vx", F6, mvx, binary<OP, First::x>)
#define DVV(NAME, F6, OP)  arithmetic(NAME ".vv", F6, mvv, binary<OP, First::vector>, 0, Unit::simd_divide)
#define DVX(NAME, F6, OP)  arithmetic(NAME ".vx", F6, mvx, binary<OP, First::x>, 0, Unit::simd_divide)
#define AVV(NAME, F6, OP)  arithmetic(NAME ".vv", F6, mvv, ternary<OP, First::vector>)
#define AVX(NAME, F6, OP)  arithmetic(NAME ".vx", F6, mvx, ternary<OP, First::x>)
#define CVV(NAME, F6, OP)  arithmetic(NAME ".vv", F6, ivv, comparison<OP, First::vector>)
#define CVX(NAME, F6, OP)  arithmetic(NAME ".vx", F6, ivx, comparison<OP, First::x>)
#define CVI(NAME, F6, OP)  arithmetic(NAME ".vi", F6, ivi, comparison<OP, First::simm>)
#define EXT(NAME, VS1, SHIFT, KERNELS) unary(NAME, 0x12, mvv, VS1, run<extension(SHIFT), KERNELS>)

constexpr Row rows[] = {
  VV("vadd",   0x00, add),  VX("vadd",   0x00, add),  VI("vadd",   0x00, add),
  VV("vsub",   0x02, sub),  VX("vsub",   0x02, sub),
                            VX("vrsub",  0x03, rsub), VI("vrsub",  0x03, rsub),
  VV("vminu",  0x04, minu), VX("vminu",  0x04, minu),
  VV("vmin",   0x05, min),  VX("vmin",   0x05, min),
  VV("vmaxu",  0x06, maxu), VX("vmaxu",  0x06, maxu),
  VV("vmax",   0x07, max),  VX("vmax",   0x07, max),
  VV("vand",   0x09, bit_and), VX("vand", 0x09, bit_and), VI("vand", 0x09, bit_and),
  VV("vor",    0x0a, bit_or),  VX("vor",  0x0a, bit_or),  VI("vor",  0x0a, bit_or),
  VV("vxor",   0x0b, bit_xor), VX("vxor", 0x0b, bit_xor), VI("vxor", 0x0b, bit_xor),
  VV("vsll",   0x25, sll),  VX("vsll",   0x25, sll),  VU("vsll",   0x25, sll),
  VV("vsrl",   0x28, srl),  VX("vsrl",   0x28, srl),  VU("vsrl",   0x28, srl),
  VV("vsra",   0x29, sra),  VX("vsra",   0x29, sra),  VU("vsra",   0x29, sra),
  DVV("vdivu", 0x20, divu), DVX("vdivu", 0x20, divu),
  DVV("vdiv",  0x21, div),  DVX("vdiv",  0x21, div),
  DVV("vremu", 0x22, remu), DVX("vremu", 0x22, remu),
  DVV("vrem",  0x23, rem),  DVX("vrem",  0x23, rem),
  MVV("vmulhu",  0x24, mulhu),  MVX("vmulhu",  0x24, mulhu),
  MVV("vmul",    0x25, mul),    MVX("vmul",    0x25, mul),
  MVV("vmulhsu", 0x26, mulhsu), MVX("vmulhsu", 0x26, mulhsu),
  MVV("vmulh",   0x27, mulh),   MVX("vmulh",   0x27, mulh),
  AVV("vmadd",   0x29, madd),   AVX("vmadd",   0x29, madd),
  AVV("vnmsub",  0x2b, nmsub),  AVX("vnmsub",  0x2b, nmsub),
  AVV("vmacc",   0x2d, macc),   AVX("vmacc",   0x2d, macc),
  AVV("vnmsac",  0x2f, nmsac),  AVX("vnmsac",  0x2f, nmsac),
  CVV("vmseq",  0x18, eq),  CVX("vmseq",  0x18, eq),  CVI("vmseq",  0x18, eq),
  CVV("vmsne",  0x19, ne),  CVX("vmsne",  0x19, ne),  CVI("vmsne",  0x19, ne),
  CVV("vmsltu", 0x1a, ltu), CVX("vmsltu", 0x1a, ltu),
  CVV("vmslt",  0x1b, lt),  CVX("vmslt",  0x1b, lt),
  CVV("vmsleu", 0x1c, leu), CVX("vmsleu", 0x1c, leu), CVI("vmsleu", 0x1c, leu),
  CVV("vmsle",  0x1d, le),  CVX("vmsle",  0x1d, le),  CVI("vmsle",  0x1d, le),
                            CVX("vmsgtu", 0x1e, gtu), CVI("vmsgtu", 0x1e, gtu),
                            CVX("vmsgt",  0x1f, gt),  CVI("vmsgt",  0x1f, gt),
  EXT("vzext.vf2", 6, 1, zext2), EXT("vsext.vf2", 7, 1, sext2),
  EXT("vzext.vf4", 4, 2, zext4), EXT("vsext.vf4", 5, 2, sext4),
  EXT("vzext.vf8", 2, 3, zext8), EXT("vsext.vf8", 3, 3, sext8),
  with_vm(arithmetic("vadc.vvm",  0x10, ivv, with_carry<adc, First::vector>), 0, "vd, vs2, vs1, v0"),
  with_vm(arithmetic("vadc.vxm",  0x10, ivx, with_carry<adc, First::x>),      0, "vd, vs2, rs1, v0"),
  with_vm(arithmetic("vadc.vim",  0x10, ivi, with_carry<adc, First::simm>),   0, "vd, vs2, simm5, v0"),
  with_vm(arithmetic("vsbc.vvm",  0x12, ivv, with_carry<sbc, First::vector>), 0, "vd, vs2, vs1, v0"),
  with_vm(arithmetic("vsbc.vxm",  0x12, ivx, with_carry<sbc, First::x>),      0, "vd, vs2, rs1, v0"),
  with_vm(arithmetic("vmadc.vvm", 0x11, ivv, carry_out<carry_of_add, First::vector>), 0, "vd, vs2, vs1, v0"),
  with_vm(arithmetic("vmadc.vxm", 0x11, ivx, carry_out<carry_of_add, First::x>),      0, "vd, vs2, rs1, v0"),
  with_vm(arithmetic("vmadc.vim", 0x11, ivi, carry_out<carry_of_add, First::simm>),   0, "vd, vs2, simm5, v0"),
  with_vm(arithmetic("vmadc.vv",  0x11, ivv, carry_out<carry_of_add, First::vector>), 1, "vd, vs2, vs1"),
  with_vm(arithmetic("vmadc.vx",  0x11, ivx, carry_out<carry_of_add, First::x>),      1, "vd, vs2, rs1"),
  with_vm(arithmetic("vmadc.vi",  0x11, ivi, carry_out<carry_of_add, First::simm>),   1, "vd, vs2, simm5"),
  with_vm(arithmetic("vmsbc.vvm", 0x13, ivv, carry_out<borrow_of_sub, First::vector>), 0, "vd, vs2, vs1, v0"),
  with_vm(arithmetic("vmsbc.vxm", 0x13, ivx, carry_out<borrow_of_sub, First::x>),      0, "vd, vs2, rs1, v0"),
  with_vm(arithmetic("vmsbc.vv",  0x13, ivv, carry_out<borrow_of_sub, First::vector>), 1, "vd, vs2, vs1"),
  with_vm(arithmetic("vmsbc.vx",  0x13, ivx, carry_out<borrow_of_sub, First::x>),      1, "vd, vs2, rs1"),
  with_vm(arithmetic("vmerge.vvm",  0x17, ivv, with_carry<choose, First::vector>), 0, "vd, vs2, vs1, v0"),
  with_vm(arithmetic("vmerge.vxm",  0x17, ivx, with_carry<choose, First::x>),      0, "vd, vs2, rs1, v0"),
  with_vm(arithmetic("vmerge.vim",  0x17, ivi, with_carry<choose, First::simm>),   0, "vd, vs2, simm5, v0"),
  with_vm(arithmetic("vfmerge.vfm", 0x17, fvf, with_carry<choose, First::f>),      0, "vd, vs2, fs1, v0"),
  with_vm(without_vs2(arithmetic("vmv.v.v",  0x17, ivv, binary<take, First::vector>)), 1, "vd, vs1"),
  with_vm(without_vs2(arithmetic("vmv.v.x",  0x17, ivx, binary<take, First::x>)),      1, "vd, rs1"),
  with_vm(without_vs2(arithmetic("vmv.v.i",  0x17, ivi, binary<take, First::simm>)),   1, "vd, simm5"),
  with_vm(without_vs2(arithmetic("vfmv.v.f", 0x17, fvf, run<VectorShape{.first = First::f, .rounds = true}, take_float>)),      1, "vd, fs1"),
};
// clang-format on

}  // namespace

std::span<const Row> integer_rows() { return rows; }

}  // namespace dojo::isa::vector
