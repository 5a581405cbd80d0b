// Integer arithmetic whose operands differ in width: widening add to multiply-add, narrowing shifts.
#include <type_traits>

#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

// d = op(b, a) with both widened to D first; `Acc`: with d as third operand.
template <auto op, typename D, typename B, typename A>
void two(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<D*>(destination);
  const auto* bs = static_cast<const B*>(b);
  const auto* as = static_cast<const A*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i)
    d[i] = static_cast<D>(op(static_cast<D>(bs[i]), static_cast<D>(as[i])));
}

template <typename D, typename B, typename A>
void multiply_accumulate(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<D*>(destination);
  const auto* bs = static_cast<const B*>(b);
  const auto* as = static_cast<const A*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i)
    d[i] = static_cast<D>(d[i] + 1u * static_cast<D>(bs[i]) * static_cast<D>(as[i]));
}

constexpr auto add = [](auto b, auto a) { return b + a; };
constexpr auto sub = [](auto b, auto a) { return b - a; };
constexpr auto mul = [](auto b, auto a) { return 1u * b * a; };

// Signedness of each source; the results are the same bits in unsigned arithmetic once the sources are
// extended.
template <typename B, typename A, bool wide_b, auto op>
constexpr Kernels kernels_of = [] {
  if constexpr (wide_b)
    return Kernels{two<op, u16, u16, std::conditional_t<std::is_signed_v<A>, std::int8_t, std::uint8_t>>,
                   two<op, u32, u32, std::conditional_t<std::is_signed_v<A>, std::int16_t, std::uint16_t>>,
                   two<op, u64, u64, std::conditional_t<std::is_signed_v<A>, std::int32_t, std::uint32_t>>,
                   nullptr};
  else
    return Kernels{two<op, u16, std::conditional_t<std::is_signed_v<B>, std::int8_t, std::uint8_t>,
                       std::conditional_t<std::is_signed_v<A>, std::int8_t, std::uint8_t>>,
                   two<op, u32, std::conditional_t<std::is_signed_v<B>, std::int16_t, std::uint16_t>,
                       std::conditional_t<std::is_signed_v<A>, std::int16_t, std::uint16_t>>,
                   two<op, u64, std::conditional_t<std::is_signed_v<B>, std::int32_t, std::uint32_t>,
                       std::conditional_t<std::is_signed_v<A>, std::int32_t, std::uint32_t>>,
                   nullptr};
}();
template <typename B, typename A>
constexpr Kernels accumulate_kernels = {
    multiply_accumulate<u16, std::conditional_t<std::is_signed_v<B>, std::int8_t, std::uint8_t>,
                        std::conditional_t<std::is_signed_v<A>, std::int8_t, std::uint8_t>>,
    multiply_accumulate<u32, std::conditional_t<std::is_signed_v<B>, std::int16_t, std::uint16_t>,
                        std::conditional_t<std::is_signed_v<A>, std::int16_t, std::uint16_t>>,
    multiply_accumulate<u64, std::conditional_t<std::is_signed_v<B>, std::int32_t, std::uint32_t>,
                        std::conditional_t<std::is_signed_v<A>, std::int32_t, std::uint32_t>>,
    nullptr};

template <typename D, typename W, unsigned bits>
void narrowing_shift(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<D*>(destination);
  const auto* bs = static_cast<const W*>(b);
  const auto* as = static_cast<const D*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = static_cast<D>(bs[i] >> (as[i] & (2 * bits - 1)));
}
constexpr Kernels narrow_logical = {narrowing_shift<u8, u16, 8>, narrowing_shift<u16, u32, 16>,
                                    narrowing_shift<u32, u64, 32>, nullptr};
constexpr Kernels narrow_arithmetic = {narrowing_shift<u8, i16, 8>, narrowing_shift<u16, i32, 16>,
                                       narrowing_shift<u32, i64, 32>, nullptr};

constexpr VectorShape widening(First first) { return {.first = first, .destination_width = 1}; }
constexpr VectorShape widening_w(First first) {
  return {.first = first, .destination_width = 1, .b_width = 1};
}
constexpr VectorShape accumulating(First first) {
  return {.first = first, .destination_width = 1, .reads_destination = true};
}
constexpr VectorShape narrowing(First first) { return {.first = first, .b_width = 1}; }

using S = int;
using U = unsigned;

// clang-format off
#define WV(NAME, F6, B, A, OP)  arithmetic(NAME ".vv", F6, mvv, run<widening(First::vector), kernels_of<B, A, false, OP>>)
#define WX(NAME, F6, B, A, OP)  arithmetic(NAME ".vx", F6, mvx, run<widening(First::x), kernels_of<B, A, false, OP>>)
#define WWV(NAME, F6, A, OP)    arithmetic(NAME ".wv", F6, mvv, run<widening_w(First::vector), kernels_of<U, A, true, OP>>)
#define WWX(NAME, F6, A, OP)    arithmetic(NAME ".wx", F6, mvx, run<widening_w(First::x), kernels_of<U, A, true, OP>>)
#define AV(NAME, F6, B, A)      arithmetic(NAME ".vv", F6, mvv, run<accumulating(First::vector), accumulate_kernels<B, A>>)
#define AX(NAME, F6, B, A)      arithmetic(NAME ".vx", F6, mvx, run<accumulating(First::x), accumulate_kernels<B, A>>)
#define NV(NAME, F6, KERNELS)   arithmetic(NAME ".wv", F6, ivv, run<narrowing(First::vector), KERNELS>)
#define NX(NAME, F6, KERNELS)   arithmetic(NAME ".wx", F6, ivx, run<narrowing(First::x), KERNELS>)
#define NI(NAME, F6, KERNELS)   with_syntax(arithmetic(NAME ".wi", F6, ivi, run<narrowing(First::uimm), KERNELS>), "vd, vs2, uimm5, vm")

constexpr Row rows[] = {
  WV("vwaddu",  0x30, U, U, add), WX("vwaddu",  0x30, U, U, add), WWV("vwaddu", 0x34, U, add), WWX("vwaddu", 0x34, U, add),
  WV("vwadd",   0x31, S, S, add), WX("vwadd",   0x31, S, S, add), WWV("vwadd",  0x35, S, add), WWX("vwadd",  0x35, S, add),
  WV("vwsubu",  0x32, U, U, sub), WX("vwsubu",  0x32, U, U, sub), WWV("vwsubu", 0x36, U, sub), WWX("vwsubu", 0x36, U, sub),
  WV("vwsub",   0x33, S, S, sub), WX("vwsub",   0x33, S, S, sub), WWV("vwsub",  0x37, S, sub), WWX("vwsub",  0x37, S, sub),
  WV("vwmulu",  0x38, U, U, mul), WX("vwmulu",  0x38, U, U, mul),
  WV("vwmulsu", 0x3a, S, U, mul), WX("vwmulsu", 0x3a, S, U, mul),
  WV("vwmul",   0x3b, S, S, mul), WX("vwmul",   0x3b, S, S, mul),
  AV("vwmaccu",  0x3c, U, U), AX("vwmaccu",  0x3c, U, U),
  AV("vwmacc",   0x3d, S, S), AX("vwmacc",   0x3d, S, S),
                              AX("vwmaccus", 0x3e, S, U),
  AV("vwmaccsu", 0x3f, U, S), AX("vwmaccsu", 0x3f, U, S),
  NV("vnsrl", 0x2c, narrow_logical),    NX("vnsrl", 0x2c, narrow_logical),    NI("vnsrl", 0x2c, narrow_logical),
  NV("vnsra", 0x2d, narrow_arithmetic), NX("vnsra", 0x2d, narrow_arithmetic), NI("vnsra", 0x2d, narrow_arithmetic),
};
// clang-format on

}  // namespace

std::span<const Row> wide_rows() { return rows; }

}  // namespace dojo::isa::vector
