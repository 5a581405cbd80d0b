// Floating-point arithmetic: one width and widening. Rounding and flags as float_host.h says; formats are
// float_format.h's.
#include <cmath>
#include <type_traits>
#include <utility>

#include "isa/float_format.h"
#include "isa/vector_compare.h"
#include "isa/vector_estimate.h"
#include "isa/vector_fused.h"
#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

template <typename F>
using Bits [[gnu::may_alias]] = typename F::Bits;

// Formats that only vectors have: bf16 as a source, and a half whose products are summed in double (see
// multiply_add in float_rows.cpp).
struct BrainSource : Bfloat16 {
  static float value(Bits b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16); }
};
template <typename F>
auto fma_value(typename F::Bits b) {
  if constexpr (std::is_same_v<F, Half>)
    return static_cast<double>(F::value(b));
  else
    return F::value(b);
}

// --- Two sources: To's bits from From's; they differ in widening instructions

constexpr auto add = [](auto b, auto a) { return b + a; };
constexpr auto sub = [](auto b, auto a) { return b - a; };
constexpr auto rsub = [](auto b, auto a) { return a - b; };
constexpr auto mul = [](auto b, auto a) { return b * a; };
constexpr auto div = [](auto b, auto a) { return b / a; };
constexpr auto rdiv = [](auto b, auto a) { return a / b; };

// `one_a`: the first source is one number for all elements.
template <typename To, typename B, typename A, auto op, bool one_a>
[[gnu::noinline]] void two_away(Hart& hart, void* destination, const void* b, const void* a,
                                std::size_t count) {
  auto* d = static_cast<Bits<To>*>(destination);
  const auto* bs = static_cast<const Bits<B>*>(b);
  const auto* as = static_cast<const Bits<A>*>(a);
  for (std::size_t i = 0; i < count; ++i)
    d[i] = ties_away<To>(hart.fflags,
                         [x = static_cast<Quad>(B::value(bs[i])),
                          y = static_cast<Quad>(A::value(as[one_a ? 0 : i]))] { return op(pin(x), pin(y)); });
}

// The number as To computes with it.
template <typename To, typename From>
typename To::Value as(typename From::Bits bits) {
  return static_cast<typename To::Value>(From::value(bits));
}

template <typename To, typename B, typename A, auto op, bool one_a = false>
void two(Hart& hart, void* destination, const void* b, const void* a, std::size_t count) {
  if (count == 0) return;  // no first element, whose conversion might raise a flag
  if (hart.frm == rmm) [[unlikely]]
    return two_away<To, B, A, op, one_a>(hart, destination, b, a, count);
  auto* d = static_cast<Bits<To>*>(destination);
  const auto* bs = static_cast<const Bits<B>*>(b);
  const auto* as_ = static_cast<const Bits<A>*>(a);
  const auto first = as<To, A>(as_[0]);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i)
    d[i] = To::of_value(op(as<To, B>(bs[i]), one_a ? first : as<To, A>(as_[i])));
}

// --- Multiply-add: c is vd, b vs2, a vs1. `accumulate`: a * b + c, otherwise a * c + b.

// x86 lets a quiet NaN as addend hide that inf * 0 is invalid.
template <typename F, typename W, bool one_a>
[[gnu::noinline]] void note_hidden_products(Hart& hart, const void* x, const void* y, const void* addend,
                                            std::size_t count) {
  const auto *xs = static_cast<const Bits<F>*>(x), *ys = static_cast<const Bits<F>*>(y);
  const auto* addends = static_cast<const Bits<W>*>(addend);
  const auto product_is_invalid = [](auto p, auto q) {
    return F::magnitude(p) == 0 && F::magnitude(q) == F::infinity;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const auto x_i = xs[one_a ? 0 : i];
    if (W::is_nan(addends[i]) && (product_is_invalid(x_i, ys[i]) || product_is_invalid(ys[i], x_i)))
      hart.fflags |= invalid;
  }
}

template <typename W>
bool any_nan(const void* values, std::size_t count) {
  const auto* bits = static_cast<const Bits<W>*>(values);
  typename W::Bits any = 0;
  for (std::size_t i = 0; i < count; ++i)
    any |= static_cast<typename W::Bits>(W::magnitude(bits[i]) > W::infinity);
  return any != 0;
}

template <typename W, typename F, bool negate_product, bool negate_addend, bool one_a>
[[gnu::noinline]] void multiply_add_away(Hart& hart, void* d, const void* x, const void* y,
                                         const void* addend, std::size_t count) {
  const auto *xs = static_cast<const Bits<F>*>(x), *ys = static_cast<const Bits<F>*>(y);
  const auto* addends = static_cast<const Bits<W>*>(addend);
  auto* to = static_cast<Bits<W>*>(d);
  for (std::size_t i = 0; i < count; ++i) {
    const Quad x_i = F::value(xs[one_a ? 0 : i]), p = negate_product ? -x_i : x_i;
    const Quad q = F::value(ys[i]);
    const Quad s =
        negate_addend ? -static_cast<Quad>(W::value(addends[i])) : static_cast<Quad>(W::value(addends[i]));
    to[i] = ties_away<W>(hart.fflags, [&] { return pin(p) * pin(q) + pin(s); });
  }
}

template <typename W, typename F, bool accumulate, bool negate_product, bool negate_addend,
          bool one_a = false>
void multiply_add(Hart& hart, void* destination, const void* b, const void* a, std::size_t count) {
  if (count == 0) return;
  auto* d = static_cast<Bits<W>*>(destination);
  const auto* bs = static_cast<const Bits<std::conditional_t<accumulate, F, W>>*>(b);
  const auto* xs = static_cast<const Bits<F>*>(a);
  if constexpr (std::is_same_v<F, Single>) {
    constexpr MultiplyAdd kind{accumulate, negate_product, negate_addend, one_a};
    if (std::is_same_v<W, Single> && hart.frm != rmm) {
      const std::size_t done = fused_without_nan<kind>(
          static_cast<f32*>(destination), static_cast<const f32*>(b), static_cast<const f32*>(a), count);
      if (done == count) return;
      d += done;
      bs += done;
      if (!one_a) xs += done;
      count -= done;
    }
  }
  const void* y = bs;
  const void* addend = d;
  if (!accumulate) std::swap(y, addend);
  if (any_nan<W>(addend, count)) [[unlikely]]
    note_hidden_products<F, W, one_a>(hart, xs, y, addend, count);
  if (hart.frm == rmm) [[unlikely]]
    return multiply_add_away<W, F, negate_product, negate_addend, one_a>(hart, d, xs, y, addend, count);
  const auto* ys = static_cast<const Bits<F>*>(y);
  const auto* addends = static_cast<const Bits<W>*>(addend);
  using V = decltype(fma_value<W>(addends[0]));
  const V first = static_cast<V>(fma_value<F>(xs[0]));
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    const V p = one_a ? first : static_cast<V>(fma_value<F>(xs[i])), q = static_cast<V>(fma_value<F>(ys[i])),
            s = fma_value<W>(addends[i]);
    d[i] = W::of_value(std::fma(negate_product ? -p : p, q, negate_addend ? -s : s));
  }
}

// --- Minimum, maximum, signs, compares, classes: by the bits

// Without conditions that choose between computations, so that compilers can use host vectors.
template <typename F, bool maximum>
void min_max(Hart& hart, void* destination, const void* b, const void* a, std::size_t count) {
  using Plain = typename F::Bits;
  using Signed = std::make_signed_t<Plain>;
  constexpr unsigned last = 8 * sizeof(Plain) - 1;
  const auto rank = [](Plain x) {  // ordered as the numbers are, -0 before +0
    return static_cast<Signed>(x ^ (static_cast<Plain>(static_cast<Signed>(x) >> last) & ~F::sign));
  };
  auto* d = static_cast<Bits<F>*>(destination);
  const auto *bs = static_cast<const Bits<F>*>(b), *as_ = static_cast<const Bits<F>*>(a);
  Plain signaling = 0;
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    const Plain x = bs[i], y = as_[i];
    signaling |= static_cast<Plain>(F::is_signaling(x)) | static_cast<Plain>(F::is_signaling(y));
    const unsigned second =
        unsigned{F::is_nan(x)} | (unsigned{!F::is_nan(y)} & unsigned{(rank(x) < rank(y)) == maximum});
    const Plain chosen = second != 0 ? y : x;
    d[i] = F::is_nan(chosen) ? F::nan : chosen;
  }
  if (signaling != 0) hart.fflags |= invalid;
}

enum class Sign { copy, negate, multiply };
template <typename F, Sign rule>
void inject_sign(Hart&, void* destination, const void* b, const void* a, std::size_t count) {
  auto* d = static_cast<Bits<F>*>(destination);
  const auto *bs = static_cast<const Bits<F>*>(b), *as_ = static_cast<const Bits<F>*>(a);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) {
    const auto from = static_cast<typename F::Bits>(rule == Sign::copy     ? as_[i]
                                                    : rule == Sign::negate ? ~as_[i]
                                                                           : as_[i] ^ bs[i]);
    d[i] = static_cast<typename F::Bits>(F::magnitude(bs[i]) | (from & F::sign));
  }
}

constexpr auto equal = [](auto less, auto same) { return !less && same; };
constexpr auto not_equal = [](auto less, auto same) { return less || !same; };
constexpr auto less_than = [](auto less, auto) { return less; };
constexpr auto less_equal = [](auto less, auto same) { return less || same; };
constexpr auto greater = [](auto less, auto same) { return !less && !same; };
constexpr auto greater_equal = [](auto less, auto) { return !less; };

// `quiet`: only a signalling NaN is invalid; `unordered`: the answer if either is NaN.
template <typename F, auto relation, bool quiet, bool unordered>
void compare(Hart& hart, void* destination, const void* b, const void* a, std::size_t count) {
  auto* out = static_cast<std::uint8_t*>(destination);
  const auto *bs = static_cast<const Bits<F>*>(b), *as_ = static_cast<const Bits<F>*>(a);
  unsigned bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const typename F::Bits x = bs[i], y = as_[i];
    const bool nan = (unsigned{F::is_nan(x)} | unsigned{F::is_nan(y)}) != 0,
               zeros = F::magnitude(static_cast<typename F::Bits>(x | y)) == 0;
    bad |= quiet ? unsigned{F::is_signaling(x)} | unsigned{F::is_signaling(y)} : unsigned{nan};
    const bool same = x == y || zeros, less = !same && F::less(x, y);
    out[i] = nan ? unordered : relation(less, same);
  }
  if (bad != 0) hart.fflags |= invalid;
}

// --- One source

template <typename F>
void square_root(Hart&, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<Bits<F>*>(destination);
  const auto* bs = static_cast<const Bits<F>*>(b);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) d[i] = F::of_value(std::sqrt(F::value(bs[i])));
}

template <typename F, auto estimate>
void by_estimate(Hart& hart, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<Bits<F>*>(destination);
  const auto* bs = static_cast<const Bits<F>*>(b);
  for (std::size_t i = 0; i < count; ++i)
    d[i] = static_cast<typename F::Bits>(
        estimate(bs[i], F::precision - 1, 8 * sizeof(typename F::Bits), hart.frm, hart.fflags));
}

template <typename F>
void classify(Hart&, void* destination, const void* b, const void*, std::size_t count) {
  auto* d = static_cast<Bits<F>*>(destination);
  const auto* bs = static_cast<const Bits<F>*>(b);
  for (std::size_t i = 0; i < count; ++i) {
    const typename F::Bits x = bs[i], magnitude = F::magnitude(x);
    const bool negative = (x & F::sign) != 0;
    constexpr auto normal = static_cast<typename F::Bits>(typename F::Bits{1} << (F::precision - 1));
    unsigned kind = magnitude == F::infinity ? 7 : magnitude >= normal ? 6 : magnitude != 0 ? 5 : 4;
    if (negative) kind = 7 - kind;
    if (F::is_nan(x)) kind = F::is_signaling(x) ? 8 : 9;
    d[i] = static_cast<typename F::Bits>(typename F::Bits{1} << kind);
  }
}

// --- Tables of kernels by SEW

template <auto op>
constexpr Kernels same = {nullptr, two<Half, Half, Half, op>, two<Single, Single, Single, op>,
                          two<Double, Double, Double, op>};
template <auto op>
constexpr Kernels wide = {nullptr, two<Single, Half, Half, op>, two<Double, Single, Single, op>, nullptr};
template <auto op>
constexpr Kernels wide_w = {nullptr, two<Single, Single, Half, op>, two<Double, Double, Single, op>, nullptr};
template <bool accumulate, bool np, bool na>
constexpr Kernels fused = {nullptr, multiply_add<Half, Half, accumulate, np, na>,
                           multiply_add<Single, Single, accumulate, np, na>,
                           multiply_add<Double, Double, accumulate, np, na>};
template <auto op>
constexpr Kernels same_by_one = {nullptr, two<Half, Half, Half, op, true>,
                                 two<Single, Single, Single, op, true>,
                                 two<Double, Double, Double, op, true>};
template <bool accumulate, bool np, bool na>
constexpr Kernels fused_by_one = {nullptr, multiply_add<Half, Half, accumulate, np, na, true>,
                                  multiply_add<Single, Single, accumulate, np, na, true>,
                                  multiply_add<Double, Double, accumulate, np, na, true>};
template <bool np, bool na>
constexpr Kernels wide_fused = {nullptr, multiply_add<Single, Half, true, np, na>,
                                multiply_add<Double, Single, true, np, na>, nullptr};
constexpr Kernels brain_fused = {nullptr, multiply_add<Single, BrainSource, true, false, false>, nullptr,
                                 nullptr};
template <bool maximum>
constexpr Kernels min_maxes = {nullptr, min_max<Half, maximum>, min_max<Single, maximum>,
                               min_max<Double, maximum>};
template <Sign rule>
constexpr Kernels signs = {nullptr, inject_sign<Half, rule>, inject_sign<Single, rule>,
                           inject_sign<Double, rule>};
template <auto relation, bool quiet, bool unordered>
constexpr Kernels compares = {nullptr, compare<Half, relation, quiet, unordered>,
                              compare<Single, relation, quiet, unordered>,
                              compare<Double, relation, quiet, unordered>};
constexpr Kernels roots = {nullptr, square_root<Half>, square_root<Single>, square_root<Double>};
constexpr Kernels classes = {nullptr, classify<Half>, classify<Single>, classify<Double>};
template <auto estimate>
constexpr Kernels estimates = {nullptr, by_estimate<Half, estimate>, by_estimate<Single, estimate>,
                               by_estimate<Double, estimate>};

constexpr VectorShape floats(First first) { return {.first = first, .floats = true, .rounds = true}; }
constexpr VectorShape accumulates(First first) {
  return {.first = first, .reads_destination = true, .floats = true, .rounds = true};
}
constexpr VectorShape widens(First first) {
  return {.first = first, .destination_width = 1, .floats = true, .rounds = true};
}
constexpr VectorShape widens_w(First first) {
  return {.first = first, .destination_width = 1, .b_width = 1, .floats = true, .rounds = true};
}
constexpr VectorShape widens_fused(First first) {
  return {.first = first, .destination_width = 1, .reads_destination = true, .floats = true, .rounds = true};
}

constexpr unsigned flagged = rounds | raises_flags;

// clang-format off
#define VV(NAME, F6, KERNELS)  arithmetic(NAME ".vv", F6, fvv, run<floats(First::vector), KERNELS>, flagged)
#define VF(NAME, F6, KERNELS)  arithmetic(NAME ".vf", F6, fvf, run<floats(First::f), KERNELS>, flagged)
#define ONE(NAME, F6, OP)      arithmetic(NAME ".vf", F6, fvf, run_by_one<floats(First::f), same<OP>, same_by_one<OP>>, flagged)
#define DV(NAME, F6, KERNELS)  arithmetic(NAME ".vv", F6, fvv, run<floats(First::vector), KERNELS>, flagged, Unit::simd_divide)
#define DF(NAME, F6, KERNELS)  arithmetic(NAME ".vf", F6, fvf, run<floats(First::f), KERNELS>, flagged, Unit::simd_divide)
#define MV(NAME, F6, ...)      arithmetic(NAME ".vv", F6, fvv, run<accumulates(First::vector), fused<__VA_ARGS__>>, flagged)
#define MF(NAME, F6, ...)      arithmetic(NAME ".vf", F6, fvf, run_by_one<accumulates(First::f), fused<__VA_ARGS__>, fused_by_one<__VA_ARGS__>>, flagged)
#define WV(NAME, F6, OP)       arithmetic(NAME ".vv", F6, fvv, run<widens(First::vector), wide<OP>>, flagged)
#define WF(NAME, F6, OP)       arithmetic(NAME ".vf", F6, fvf, run<widens(First::f), wide<OP>>, flagged)
#define WWV(NAME, F6, OP)      arithmetic(NAME ".wv", F6, fvv, run<widens_w(First::vector), wide_w<OP>>, flagged)
#define WWF(NAME, F6, OP)      arithmetic(NAME ".wf", F6, fvf, run<widens_w(First::f), wide_w<OP>>, flagged)
#define XV(NAME, F6, ...)      arithmetic(NAME ".vv", F6, fvv, run<widens_fused(First::vector), wide_fused<__VA_ARGS__>>, flagged)
#define XF(NAME, F6, ...)      arithmetic(NAME ".vf", F6, fvf, run<widens_fused(First::f), wide_fused<__VA_ARGS__>>, flagged)
#define CV(NAME, F6, ...)      arithmetic(NAME ".vv", F6, fvv, run_compare<floats(First::vector), compares<__VA_ARGS__>>, flagged)
#define CF(NAME, F6, ...)      arithmetic(NAME ".vf", F6, fvf, run_compare<floats(First::f), compares<__VA_ARGS__>>, flagged)
#define BRAIN(NAME, FORMAT, FIRST) \
  arithmetic(NAME, 0x3b, FORMAT, run<widens_fused(FIRST), brain_fused>, flagged, Unit::simd, "Zvfbfwma")

constexpr Row rows[] = {
  VV("vfadd",   0x00, same<add>),   ONE("vfadd", 0x00, add),
  VV("vfsub",   0x02, same<sub>),   ONE("vfsub", 0x02, sub),
                                    ONE("vfrsub", 0x27, rsub),
  VV("vfmul",   0x24, same<mul>),   ONE("vfmul", 0x24, mul),
  DV("vfdiv",   0x20, same<div>),   DF("vfdiv",   0x20, same<div>),
                                    DF("vfrdiv",  0x21, same<rdiv>),
  VV("vfmin",   0x04, min_maxes<false>), VF("vfmin", 0x04, min_maxes<false>),
  VV("vfmax",   0x06, min_maxes<true>),  VF("vfmax", 0x06, min_maxes<true>),
  VV("vfsgnj",  0x08, signs<Sign::copy>),     VF("vfsgnj",  0x08, signs<Sign::copy>),
  VV("vfsgnjn", 0x09, signs<Sign::negate>),   VF("vfsgnjn", 0x09, signs<Sign::negate>),
  VV("vfsgnjx", 0x0a, signs<Sign::multiply>), VF("vfsgnjx", 0x0a, signs<Sign::multiply>),
  //               accumulate, -product, -addend
  MV("vfmadd",  0x28, false, false, false), MF("vfmadd",  0x28, false, false, false),
  MV("vfnmadd", 0x29, false, true,  true),  MF("vfnmadd", 0x29, false, true,  true),
  MV("vfmsub",  0x2a, false, false, true),  MF("vfmsub",  0x2a, false, false, true),
  MV("vfnmsub", 0x2b, false, true,  false), MF("vfnmsub", 0x2b, false, true,  false),
  MV("vfmacc",  0x2c, true,  false, false), MF("vfmacc",  0x2c, true,  false, false),
  MV("vfnmacc", 0x2d, true,  true,  true),  MF("vfnmacc", 0x2d, true,  true,  true),
  MV("vfmsac",  0x2e, true,  false, true),  MF("vfmsac",  0x2e, true,  false, true),
  MV("vfnmsac", 0x2f, true,  true,  false), MF("vfnmsac", 0x2f, true,  true,  false),
  WV("vfwadd",  0x30, add), WF("vfwadd", 0x30, add), WWV("vfwadd", 0x34, add), WWF("vfwadd", 0x34, add),
  WV("vfwsub",  0x32, sub), WF("vfwsub", 0x32, sub), WWV("vfwsub", 0x36, sub), WWF("vfwsub", 0x36, sub),
  WV("vfwmul",  0x38, mul), WF("vfwmul", 0x38, mul),
  //                -product, -addend
  XV("vfwmacc",  0x3c, false, false), XF("vfwmacc",  0x3c, false, false),
  XV("vfwnmacc", 0x3d, true,  true),  XF("vfwnmacc", 0x3d, true,  true),
  XV("vfwmsac",  0x3e, false, true),  XF("vfwmsac",  0x3e, false, true),
  XV("vfwnmsac", 0x3f, true,  false), XF("vfwnmsac", 0x3f, true,  false),
  BRAIN("vfwmaccbf16.vv", fvv, First::vector), BRAIN("vfwmaccbf16.vf", fvf, First::brain),
  //             relation       quiet  unordered
  CV("vmfeq", 0x18, equal,      true,  false), CF("vmfeq", 0x18, equal,         true,  false),
  CV("vmfle", 0x19, less_equal, false, false), CF("vmfle", 0x19, less_equal,    false, false),
  CV("vmflt", 0x1b, less_than,  false, false), CF("vmflt", 0x1b, less_than,     false, false),
  CV("vmfne", 0x1c, not_equal,  true,  true),  CF("vmfne", 0x1c, not_equal,     true,  true),
                                               CF("vmfgt", 0x1d, greater,       false, false),
                                               CF("vmfge", 0x1f, greater_equal, false, false),
  unary("vfsqrt.v",   0x13, fvv, 0,  run<floats(First::none), roots>, flagged, Unit::simd_divide),
  unary("vfrsqrt7.v", 0x13, fvv, 4,  run<floats(First::none), estimates<inverse_root_estimate>>, flagged),
  unary("vfrec7.v",   0x13, fvv, 5,  run<floats(First::none), estimates<reciprocal_estimate>>, flagged),
  unary("vfclass.v",  0x13, fvv, 16, run<floats(First::none), classes>),
};
// clang-format on

}  // namespace

std::span<const Row> float_rows() { return rows; }

}  // namespace dojo::isa::vector
