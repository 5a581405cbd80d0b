// Reductions: element 0 of vd = vs1[0] combined with every active element of vs2, in element order.
//
// The unordered float sums are added in order too, which the specification permits.
#include <type_traits>

#include "isa/float_format.h"
#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

// vs1 and vd are elements of EEW = SEW << wide; vs2 is a group. Without elements vd does not change.
constexpr VectorOperands reduced(int wide, Order order = Order::reducing) {
  return {.vd = element_0(wide), .vs2 = scaled(0), .vs1 = element_0(wide), .order = order};
}

template <typename T>
T element(Hart& hart, unsigned r, std::size_t i) {
  T value;
  std::memcpy(&value, group(hart, r) + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void set_element(Hart& hart, unsigned r, T value) {
  std::memcpy(group(hart, r), &value, sizeof(T));
}

// --- Integers: D is the accumulator's type, S that of vs2's elements

template <typename D, typename S, auto op>
void fold(Hart& hart, const Decoded* d) {
  const std::uint8_t* mask = is_masked(d) ? group(hart, 0) : nullptr;
  D sum = element<D>(hart, d->rs1, 0);
  for (std::size_t i = 0; i < hart.vl; ++i)
    if (mask == nullptr || mask_bit(mask, i))
      sum = static_cast<D>(op(sum, static_cast<D>(element<S>(hart, d->rs2, i))));
  set_element(hart, d->rd, sum);
}

using Fold = void (*)(Hart&, const Decoded*);
using Folds = std::array<Fold, 4>;

template <const Folds& folds, bool floats>
const Decoded* reduce(Hart& hart, const Decoded* d) {
  const Fold one = folds[sew_log2(hart)];
  if (one == nullptr || hart.vstart != 0 || (floats && hart.frm > 4)) return illegal(hart, d);
  if (hart.vl != 0) one(hart, d);
  return d + 1;
}

constexpr auto add = [](auto a, auto b) { return a + b; };
constexpr auto bit_and = [](auto a, auto b) { return a & b; };
constexpr auto bit_or = [](auto a, auto b) { return a | b; };
constexpr auto bit_xor = [](auto a, auto b) { return a ^ b; };
constexpr auto smaller = [](auto a, auto b) { return b < a ? b : a; };
constexpr auto larger = [](auto a, auto b) { return b > a ? b : a; };

template <auto op>
constexpr Folds of_unsigned = {fold<std::uint8_t, std::uint8_t, op>, fold<std::uint16_t, std::uint16_t, op>,
                               fold<std::uint32_t, std::uint32_t, op>,
                               fold<std::uint64_t, std::uint64_t, op>};
template <auto op>
constexpr Folds of_signed = {fold<std::int8_t, std::int8_t, op>, fold<std::int16_t, std::int16_t, op>,
                             fold<std::int32_t, std::int32_t, op>, fold<std::int64_t, std::int64_t, op>};
constexpr Folds wide_unsigned = {fold<std::uint16_t, std::uint8_t, add>,
                                 fold<std::uint32_t, std::uint16_t, add>,
                                 fold<std::uint64_t, std::uint32_t, add>, nullptr};
constexpr Folds wide_signed = {fold<std::uint16_t, std::int8_t, add>, fold<std::uint32_t, std::int16_t, add>,
                               fold<std::uint64_t, std::int32_t, add>, nullptr};

// --- Floats

// F's elements are summed in W. The sum keeps vs1[0] as it is if no element is active.
template <typename W, typename F>
void sum_floats(Hart& hart, const Decoded* d) {
  const std::uint8_t* mask = is_masked(d) ? group(hart, 0) : nullptr;
  typename W::Bits sum = element<typename W::Bits>(hart, d->rs1, 0);
  for (std::size_t i = 0; i < hart.vl; ++i) {
    if (mask != nullptr && !mask_bit(mask, i)) continue;
    const auto next = F::value(element<typename F::Bits>(hart, d->rs2, i));
    if (hart.frm == rmm) {
      const Quad x = W::value(sum), y = next;
      sum = ties_away<W>(hart.fflags, [&] { return pin(x) + pin(y); });
    } else {
      sum = W::of_value(W::value(sum) + static_cast<typename W::Value>(next));
    }
  }
  set_element(hart, d->rd, sum);
}

template <typename F, bool maximum>
void extreme_float(Hart& hart, const Decoded* d) {
  using Bits = typename F::Bits;
  const std::uint8_t* mask = is_masked(d) ? group(hart, 0) : nullptr;
  Bits best = element<Bits>(hart, d->rs1, 0);
  for (std::size_t i = 0; i < hart.vl; ++i) {
    if (mask != nullptr && !mask_bit(mask, i)) continue;
    const Bits next = element<Bits>(hart, d->rs2, i);
    if (F::is_signaling(best) || F::is_signaling(next)) hart.fflags |= invalid;
    if (F::is_nan(best))
      best = F::is_nan(next) ? F::nan : next;
    else if (!F::is_nan(next) && F::less(next, best) != maximum)
      best = next;
  }
  set_element(hart, d->rd, best);
}

constexpr Folds float_sum = {nullptr, sum_floats<Half, Half>, sum_floats<Single, Single>,
                             sum_floats<Double, Double>};
constexpr Folds wide_float_sum = {nullptr, sum_floats<Single, Half>, sum_floats<Double, Single>, nullptr};
constexpr Folds float_min = {nullptr, extreme_float<Half, false>, extreme_float<Single, false>,
                             extreme_float<Double, false>};
constexpr Folds float_max = {nullptr, extreme_float<Half, true>, extreme_float<Single, true>,
                             extreme_float<Double, true>};

constexpr unsigned flagged = rounds | raises_flags;
constexpr Order any_order = Order::reducing, in_order = Order::element_serial;

// clang-format off
#define RED(NAME, F6, FOLDS)               arithmetic(NAME ".vs", F6, mvv, handler<reduced(0), reduce<FOLDS, false>>)
#define WIDE(NAME, F6, FOLDS)              arithmetic(NAME ".vs", F6, ivv, handler<reduced(1), reduce<FOLDS, false>>)
#define FRED(NAME, F6, FOLDS, WIDE, ORDER) arithmetic(NAME ".vs", F6, fvv, handler<reduced(WIDE, ORDER), reduce<FOLDS, true>>, flagged)

constexpr Row rows[] = {
  RED("vredsum",  0x00, of_unsigned<add>),     RED("vredand", 0x01, of_unsigned<bit_and>),
  RED("vredor",   0x02, of_unsigned<bit_or>),  RED("vredxor", 0x03, of_unsigned<bit_xor>),
  RED("vredminu", 0x04, of_unsigned<smaller>), RED("vredmin", 0x05, of_signed<smaller>),
  RED("vredmaxu", 0x06, of_unsigned<larger>),  RED("vredmax", 0x07, of_signed<larger>),
  WIDE("vwredsumu", 0x30, wide_unsigned),      WIDE("vwredsum", 0x31, wide_signed),
  FRED("vfredusum",  0x01, float_sum, 0, any_order),      FRED("vfredosum",  0x03, float_sum, 0, in_order),
  FRED("vfredmin",   0x05, float_min, 0, any_order),      FRED("vfredmax",   0x07, float_max, 0, any_order),
  FRED("vfwredusum", 0x31, wide_float_sum, 1, any_order), FRED("vfwredosum", 0x33, wide_float_sum, 1, in_order),
};
// clang-format on

}  // namespace

std::span<const Row> reduction_rows() { return rows; }

}  // namespace dojo::isa::vector
