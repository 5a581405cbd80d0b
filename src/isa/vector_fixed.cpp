// Fixed-point arithmetic: saturating add and subtract, averages, scaling shifts and multiplies, clips. vxrm
// rounds, vxsat remembers.
#include <limits>
#include <type_traits>

#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 WideBits;

// value >> shift, rounded as vxrm says: 0 nearest up, 1 nearest even, 2 down, 3 odd. The shift is arithmetic.
Wide rounded_shift(Wide value, unsigned shift, unsigned vxrm) {
  if (shift == 0) return value;
  const Wide kept = value >> shift;
  const auto rest = static_cast<WideBits>(value) & ((WideBits{1} << shift) - 1);
  const WideBits half = WideBits{1} << (shift - 1);
  switch (vxrm) {
    case 0:
      return kept + (rest >= half);
    case 1:
      return kept + (rest > half || (rest == half && (kept & 1) != 0));
    case 2:
      return kept;
    default:
      return kept | (rest != 0);
  }
}

template <typename T>
T saturated(Wide value, bool& clipped) {
  using Limits = std::numeric_limits<std::remove_cv_t<T>>;
  if (value > Limits::max()) return clipped = true, Limits::max();
  if (value < Limits::min()) return clipped = true, Limits::min();
  return static_cast<T>(value);
}

// op(b, a, vxrm, clipped) in exact integers; B is the width of vs2, T that of the rest.
template <auto op, typename T, typename B>
void two(Hart& hart, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<T*>(destination);
  const auto* bs = static_cast<const B*>(b);
  const auto* as = static_cast<const T*>(a);
  bool clipped = false;
  for (std::size_t i = 0; i < count; ++i)
    d[i] = op.template operator()<std::remove_cv_t<T>>(bs[i], as[i], hart.vxrm, clipped);
  if (clipped) hart.vxsat = 1;
}

constexpr auto saturating_add = []<typename T>(Wide b, Wide a, unsigned, bool& clipped) {
  return saturated<T>(b + a, clipped);
};
constexpr auto saturating_sub = []<typename T>(Wide b, Wide a, unsigned, bool& clipped) {
  return saturated<T>(b - a, clipped);
};
constexpr auto average_add = []<typename T>(Wide b, Wide a, unsigned vxrm, bool&) {
  return static_cast<T>(rounded_shift(b + a, 1, vxrm));
};
constexpr auto average_sub = []<typename T>(Wide b, Wide a, unsigned vxrm, bool&) {
  return static_cast<T>(rounded_shift(b - a, 1, vxrm));
};
constexpr auto fraction_multiply = []<typename T>(Wide b, Wide a, unsigned vxrm, bool& clipped) {
  return saturated<T>(rounded_shift(b * a, 8 * sizeof(T) - 1, vxrm), clipped);
};
constexpr auto scaling_shift = []<typename T>(Wide b, Wide a, unsigned vxrm, bool&) {
  return static_cast<T>(rounded_shift(b, static_cast<unsigned>(a) & (8 * sizeof(T) - 1), vxrm));
};
constexpr auto clip = []<typename T>(Wide b, Wide a, unsigned vxrm, bool& clipped) {
  return saturated<T>(rounded_shift(b, static_cast<unsigned>(a) & (16 * sizeof(T) - 1), vxrm), clipped);
};

template <auto op>
constexpr Kernels of_signed = {two<op, i8, i8>, two<op, i16, i16>, two<op, i32, i32>, two<op, i64, i64>};
template <auto op>
constexpr Kernels of_unsigned = {two<op, u8, u8>, two<op, u16, u16>, two<op, u32, u32>, two<op, u64, u64>};
constexpr Kernels clip_signed = {two<clip, i8, i16>, two<clip, i16, i32>, two<clip, i32, i64>, nullptr};
constexpr Kernels clip_unsigned = {two<clip, u8, u16>, two<clip, u16, u32>, two<clip, u32, u64>, nullptr};

constexpr VectorShape same(First first) { return {.first = first}; }
constexpr VectorShape narrowing(First first) { return {.first = first, .b_width = 1}; }

// clang-format off
#define VV(NAME, F6, KERNELS)  arithmetic(NAME ".vv", F6, ivv, run<same(First::vector), KERNELS>)
#define VX(NAME, F6, KERNELS)  arithmetic(NAME ".vx", F6, ivx, run<same(First::x), KERNELS>)
#define VI(NAME, F6, KERNELS)  arithmetic(NAME ".vi", F6, ivi, run<same(First::simm), KERNELS>)
#define VU(NAME, F6, KERNELS)  with_syntax(arithmetic(NAME ".vi", F6, ivi, run<same(First::uimm), KERNELS>), "vd, vs2, uimm5, vm")
#define MV(NAME, F6, KERNELS)  arithmetic(NAME ".vv", F6, mvv, run<same(First::vector), KERNELS>)
#define MX(NAME, F6, KERNELS)  arithmetic(NAME ".vx", F6, mvx, run<same(First::x), KERNELS>)
#define NV(NAME, F6, KERNELS)  arithmetic(NAME ".wv", F6, ivv, run<narrowing(First::vector), KERNELS>)
#define NX(NAME, F6, KERNELS)  arithmetic(NAME ".wx", F6, ivx, run<narrowing(First::x), KERNELS>)
#define NU(NAME, F6, KERNELS)  with_syntax(arithmetic(NAME ".wi", F6, ivi, run<narrowing(First::uimm), KERNELS>), "vd, vs2, uimm5, vm")

constexpr Row rows[] = {
  VV("vsaddu",  0x20, of_unsigned<saturating_add>),  VX("vsaddu",  0x20, of_unsigned<saturating_add>), VI("vsaddu", 0x20, of_unsigned<saturating_add>),
  VV("vsadd",   0x21, of_signed<saturating_add>),    VX("vsadd",   0x21, of_signed<saturating_add>),   VI("vsadd",  0x21, of_signed<saturating_add>),
  VV("vssubu",  0x22, of_unsigned<saturating_sub>),  VX("vssubu",  0x22, of_unsigned<saturating_sub>),
  VV("vssub",   0x23, of_signed<saturating_sub>),    VX("vssub",   0x23, of_signed<saturating_sub>),
  VV("vsmul",   0x27, of_signed<fraction_multiply>), VX("vsmul",   0x27, of_signed<fraction_multiply>),
  VV("vssrl",   0x2a, of_unsigned<scaling_shift>),   VX("vssrl",   0x2a, of_unsigned<scaling_shift>),  VU("vssrl",  0x2a, of_unsigned<scaling_shift>),
  VV("vssra",   0x2b, of_signed<scaling_shift>),     VX("vssra",   0x2b, of_signed<scaling_shift>),    VU("vssra",  0x2b, of_signed<scaling_shift>),
  NV("vnclipu", 0x2e, clip_unsigned),                NX("vnclipu", 0x2e, clip_unsigned),               NU("vnclipu", 0x2e, clip_unsigned),
  NV("vnclip",  0x2f, clip_signed),                  NX("vnclip",  0x2f, clip_signed),                 NU("vnclip", 0x2f, clip_signed),
  MV("vaaddu",  0x08, of_unsigned<average_add>),     MX("vaaddu",  0x08, of_unsigned<average_add>),
  MV("vaadd",   0x09, of_signed<average_add>),       MX("vaadd",   0x09, of_signed<average_add>),
  MV("vasubu",  0x0a, of_unsigned<average_sub>),     MX("vasubu",  0x0a, of_unsigned<average_sub>),
  MV("vasub",   0x0b, of_signed<average_sub>),       MX("vasub",   0x0b, of_signed<average_sub>),
};
// clang-format on

}  // namespace

std::span<const Row> fixed_rows() { return rows; }

}  // namespace dojo::isa::vector
