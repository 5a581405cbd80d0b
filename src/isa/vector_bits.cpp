// Zvbb: reversing, counting and rotating the bits of elements, and a shift into twice the width.
#include <bit>

#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

// --- Operations on one element: b is vs2, a is vs1, the scalar or the immediate. T is unsigned.

template <typename T>
constexpr unsigned bits_of = 8 * sizeof(T);

constexpr auto and_not = []<typename T>(T b, T a) { return static_cast<T>(b & ~a); };
constexpr auto rotate_left = []<typename T>(T b, T a) {
  return static_cast<T>(b << (a & (bits_of<T> - 1)) | b >> ((0u - a) & (bits_of<T> - 1)));
};
constexpr auto rotate_right = []<typename T>(T b, T a) {
  return static_cast<T>(b >> (a & (bits_of<T> - 1)) | b << ((0u - a) & (bits_of<T> - 1)));
};
constexpr auto widen_and_shift = []<typename T>(T b, T a) {
  return static_cast<T>(b << (a & (bits_of<T> - 1)));
};

// Neighbours change places, then pairs, then fours: each step by a mask of the lower ones.
constexpr auto reverse_bits_in_bytes = []<typename T>(T b) {
  constexpr auto each_byte = [](unsigned pattern) { return static_cast<T>(T(~T{0}) / 255 * pattern); };
  constexpr T ones = each_byte(0x55), twos = each_byte(0x33), fours = each_byte(0x0f);
  b = static_cast<T>((b & ones) << 1 | (b >> 1 & ones));
  b = static_cast<T>((b & twos) << 2 | (b >> 2 & twos));
  return static_cast<T>((b & fours) << 4 | (b >> 4 & fours));
};
constexpr auto reverse_bytes = []<typename T>(T b) {
  T reversed = 0;
  for (unsigned shift = 0; shift < bits_of<T>; shift += 8)
    reversed = static_cast<T>(reversed | (b >> shift & 0xff) << (bits_of<T> - 8 - shift));
  return reversed;
};
constexpr auto reverse_bits = []<typename T>(T b) { return reverse_bytes(reverse_bits_in_bytes(b)); };
constexpr auto count_leading_zeros = []<typename T>(T b) { return static_cast<T>(std::countl_zero(b)); };
constexpr auto count_trailing_zeros = []<typename T>(T b) { return static_cast<T>(std::countr_zero(b)); };
constexpr auto count_ones = []<typename T>(T b) { return static_cast<T>(std::popcount(b)); };

// --- Kernels

template <auto op, typename T>
void one(Hart&, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<T*>(destination);
  const auto* bs = static_cast<const T*>(b);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = op(static_cast<std::remove_cv_t<T>>(bs[i]));
}

// D: of the result, and what both sources are widened to.
template <auto op, typename D, typename S>
void two(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<D*>(destination);
  const auto *bs = static_cast<const S*>(b), *as = static_cast<const S*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = op(static_cast<D>(bs[i]), static_cast<D>(as[i]));
}

template <auto op>
constexpr Kernels one_kernels = {one<op, u8>, one<op, u16>, one<op, u32>, one<op, u64>};
template <auto op>
constexpr Kernels two_kernels = {two<op, u8, u8>, two<op, u16, u16>, two<op, u32, u32>, two<op, u64, u64>};
constexpr Kernels wide_kernels = {two<widen_and_shift, u16, u8>, two<widen_and_shift, u32, u16>,
                                  two<widen_and_shift, u64, u32>, nullptr};

template <auto op>
constexpr VectorHandler unary_handler = run<VectorShape{.first = First::none}, one_kernels<op>>;
template <auto op, First first>
constexpr VectorHandler binary = run<VectorShape{.first = first}, two_kernels<op>>;
template <First first>
constexpr VectorHandler wide = run<VectorShape{.first = first, .destination_width = 1}, wide_kernels>;

constexpr Row zvbb(std::string_view mnemonic, unsigned funct6, unsigned format,
                   const VectorHandler& handler) {
  return arithmetic(mnemonic, funct6, format, handler, 0, Unit::simd, "Zvbb");
}

// The amount's upper bit stands in the lowest one of funct6.
constexpr Row with_uimm6(Row row) {
  row.mask &= ~(1u << 26);
  return with_syntax(row, "vd, vs2, uimm6, vm");
}

// clang-format off
#define ONE(NAME, VS1, OP) unary(NAME, 0x12, mvv, VS1, unary_handler<OP>, 0, Unit::simd, "Zvbb")

constexpr Row rows[] = {
  zvbb("vandn.vv", 0x01, ivv, binary<and_not, First::vector>),
  zvbb("vandn.vx", 0x01, ivx, binary<and_not, First::x>),
  ONE("vbrev8.v", 8,  reverse_bits_in_bytes),
  ONE("vrev8.v",  9,  reverse_bytes),
  ONE("vbrev.v",  10, reverse_bits),
  ONE("vclz.v",   12, count_leading_zeros),
  ONE("vctz.v",   13, count_trailing_zeros),
  ONE("vcpop.v",  14, count_ones),
  zvbb("vrol.vv",  0x15, ivv, binary<rotate_left, First::vector>),
  zvbb("vrol.vx",  0x15, ivx, binary<rotate_left, First::x>),
  zvbb("vror.vv",  0x14, ivv, binary<rotate_right, First::vector>),
  zvbb("vror.vx",  0x14, ivx, binary<rotate_right, First::x>),
  with_uimm6(zvbb("vror.vi", 0x14, ivi, binary<rotate_right, First::uimm6>)),
  zvbb("vwsll.vv", 0x35, ivv, wide<First::vector>),
  zvbb("vwsll.vx", 0x35, ivx, wide<First::x>),
  with_syntax(zvbb("vwsll.vi", 0x35, ivi, wide<First::uimm>), "vd, vs2, uimm5, vm"),
};
// clang-format on

}  // namespace

std::span<const Row> bits_rows() { return rows; }

}  // namespace dojo::isa::vector
