// Conversions between FP32 and bf16, its upper half. The slow path does what is no ordinary number: NaN; when
// narrowing, what may become infinite, subnormal numbers, and every rounding mode but the nearest even.
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "translate/emitters.h"
#include "translate/in_hart.h"
#include "translate/vector_pieces.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr unsigned half_bytes = 2, single_bytes = 4;
constexpr VectorOp keep_bits{1, 1, 0xdb}, or_bits{1, 1, 0xeb}, xor_bits{1, 1, 0xef}, add_words{1, 1, 0xfe},
    subtract_words{1, 1, 0xfa}, equal_words{1, 1, 0x76}, smaller_unsigned{1, 2, 0x3b},
    shift_words_by{1, 1, 0x72};
constexpr unsigned to_the_right = 2, to_the_left = 6;

// Both groups of a conversion in a configuration of half-words.
struct Conversion {
  Setting setting;
  Pieces halves, singles;
  unsigned vd, vs2;  // first pieces
};

std::optional<Conversion> conversion_of(const W& w, const Decoded& d) {
  const Setting s = setting_of(w.vectors());
  const isa::VectorOperands& operands = d.row->vector;
  if (!s.is_plain || s.sew_bytes != half_bytes || is_masked(d) ||
      !isa::vector::groups_are_legal(&d, operands, s.type) ||
      !isa::vector::destination_is_legal(&d, operands, s.type))
    return std::nullopt;
  const unsigned vl = s.bytes / half_bytes;
  const auto singles = pieces_of(w, vl * single_bytes);
  const auto vd = w.first_piece(d.rd), vs2 = w.first_piece(d.rs2);
  if (!singles || !vd || !vs2) return std::nullopt;
  return Conversion{s, {w.piece_bytes(), s.bytes}, *singles, *vd, *vs2};
}

bool apart(const Decoded& d, const Setting& s) {
  const isa::VectorOperands& operands = d.row->vector;
  return d.rd >= d.rs2 + operands.vs2.registers(s.type) || d.rs2 >= d.rd + operands.vd.registers(s.type);
}

bool widen(W& w, const Decoded& d) {
  const auto c = conversion_of(w, d);
  if (!c || !apart(d, c->setting)) return false;
  const GroupOperands o{c->setting, {c->singles, single_bytes}, Source::vector, c->vd, c->vs2};
  each_piece(w, o, [&](unsigned i, const Selected& under) {
    const Vec to = result_of(w, o, i, under), from = w.piece(o.vs2 + i / 2);
    const Vec wide = under.all() ? to : W::scratch_vector;
    if (i % 2 != 0) w.as.upper_half(wide, from);
    w.as.widen_words(wide, i % 2 != 0 ? wide : from);
    w.as.vector_shift(shift_words_by, to_the_left, wide, wide, 16);
    if (!under.all()) o.elements.merge(w, to, to, wide, under);
    w.release(from);
    return to;
  });
  return true;
}

// What narrowing computes with, each as long as a host vector.
struct Constants {
  std::array<std::uint32_t, 16> magnitude, least_normal, largest, one, below_half, dropped;
};
constexpr std::array<std::uint32_t, 16> all(std::uint32_t value) {
  std::array<std::uint32_t, 16> lanes{};
  lanes.fill(value);
  return lanes;
}
alignas(64) constexpr Constants constants{
    .magnitude = all(0x7fffffff),
    .least_normal = all(0x00800000),
    .largest = all(0x7f7f7fff - 0x00800000),  // above least_normal, and not rounded to infinity
    .one = all(1),
    .below_half = all(0x7fff),
    .dropped = all(0xffff)};
constexpr Mem constant(std::size_t offset) { return {W::scratch, static_cast<std::int32_t>(offset)}; }

// Takes the slow path unless each of these numbers is zero, or normal and not near infinity.
void check_normal(W& w, std::span<const Vec> numbers, unsigned done) {
  const Vec magnitude = W::scratch_vector, normal = W::second_scratch_vector, all_normal = w.fresh();
  const bool has_masks = w.as.has_masks();
  if (has_masks) w.as.vector(xor_bits, all_normal, all_normal, all_normal);  // zero
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    w.as.vector(keep_bits, magnitude, numbers[i], constant(offsetof(Constants, magnitude)));
    w.as.vector(subtract_words, normal, magnitude, constant(offsetof(Constants, least_normal)));
    if (has_masks) {
      constexpr std::uint8_t equal_not = 4, above = 6;
      w.as.compare_integers(single_bytes, false, Mask::k3, magnitude, all_normal, equal_not, Mask::k0);
      w.as.compare_integers(single_bytes, false, i == 0 ? Mask::k2 : Mask::k3, normal,
                            constant(offsetof(Constants, largest)), above, Mask::k3);
      if (i != 0) w.as.mask_or(Mask::k2, Mask::k2, Mask::k3);
      continue;
    }
    // Neither is a comparison without sign to be had, nor one of masks.
    const Vec zero = w.fresh();
    w.as.vector(xor_bits, zero, zero, zero);
    w.as.vector(equal_words, zero, zero, magnitude);
    w.as.vector(smaller_unsigned, magnitude, normal, constant(offsetof(Constants, largest)));
    w.as.vector(equal_words, magnitude, magnitude, normal);
    w.as.vector(or_bits, magnitude, magnitude, zero);
    i == 0 ? w.as.move_vector(all_normal, magnitude)
           : w.as.vector(keep_bits, all_normal, all_normal, magnitude);
    w.release(zero);
  }
  if (has_masks) {
    w.as.test_mask(16, Mask::k2);
    w.as.jump_if(Condition::not_equal, w.slow_path(done));
  } else {
    w.as.vector(equal_words, magnitude, magnitude, magnitude);
    w.as.test_all(all_normal, magnitude);
    w.as.jump_if(Condition::not_below, w.slow_path(done));
  }
  w.release(all_normal);
}

// Raises the inexact flag if one of these numbers has bits that are dropped.
void raise_inexact(W& w, std::span<const Vec> numbers) {
  const Vec bits = W::scratch_vector;
  w.as.move_vector(bits, numbers[0]);
  for (const Vec number : numbers.subspan(1)) w.as.vector(or_bits, bits, bits, number);
  if (w.as.has_masks()) {
    constexpr std::uint8_t equal_not = 4;
    const Vec zero = W::second_scratch_vector;
    w.as.vector(xor_bits, zero, zero, zero);
    w.as.vector(keep_bits, bits, bits, constant(offsetof(Constants, dropped)));
    w.as.compare_integers(single_bytes, false, Mask::k2, bits, zero, equal_not, Mask::k0);
    w.as.test_mask(16, Mask::k2);
  } else {
    w.as.test_all(bits, constant(offsetof(Constants, dropped)));
  }
  Label exact;
  w.as.jump_if(Condition::equal, exact);
  w.as.alu(Alu::or_, Width::word, RegMem(in_hart(offsetof(isa::Hart, fflags))), 1);
  w.as.bind(exact);
}

// Half an ulp is added to the bits, or a little less to an even number; the carry walks into the exponent.
void round(W& w, Vec to, Vec number) {
  w.as.vector_shift(shift_words_by, to_the_right, to, number, 16);
  w.as.vector(keep_bits, to, to, constant(offsetof(Constants, one)));
  w.as.vector(add_words, to, to, number);
  w.as.vector(add_words, to, to, constant(offsetof(Constants, below_half)));
  w.as.vector_shift(shift_words_by, to_the_right, to, to, 16);
}

bool narrow(W& w, const Decoded& d) {
  const auto c = conversion_of(w, d);
  if (!c) return false;
  const Elements singles{c->singles, single_bytes}, halves{c->halves, half_bytes};
  check_rounding(w);
  const unsigned in_half = halves.in_piece();
  constexpr unsigned at_once = 2;  // pieces of halves
  for (unsigned first = 0; first < c->halves.count(); first += at_once) {
    w.as.set_address(W::scratch, &constants);
    std::vector<Vec> numbers;
    const unsigned end = std::min(2 * (first + at_once), c->singles.count());
    for (unsigned i = 2 * first; i < end; ++i) {
      const Vec from = w.piece(c->vs2 + i);
      numbers.push_back(from);
      if (!c->singles.is_part(i)) continue;
      const Vec whole = numbers.back() = w.fresh();  // with zeros behind the last one
      w.as.vector(xor_bits, whole, whole, whole);
      singles.merge(w, whole, whole, from, singles.select(w, i, Mask::k1));
      w.as.set_address(W::scratch, &constants);
    }
    check_normal(w, numbers, first * in_half);
    raise_inexact(w, numbers);
    for (unsigned i = first; i < std::min(first + at_once, c->halves.count()); ++i) {
      const Vec to = w.fresh(), low = numbers[2 * (i - first)];
      const bool has_upper = 2 * (i - first) + 1 < numbers.size();
      round(w, W::scratch_vector, low);
      if (has_upper) round(w, W::second_scratch_vector, numbers[2 * (i - first) + 1]);
      const Vec upper = has_upper ? W::second_scratch_vector : W::scratch_vector;
      w.as.pack_words(to, W::scratch_vector, upper);
      if (!c->halves.is_part(i)) {
        w.becomes(c->vd + i, to);
      } else if (w.as.has_masks()) {
        halves.become(w, c->vd, i, to, halves.select(w, i, Mask::k1));
        w.as.set_address(W::scratch, &constants);
      } else {
        const Vec before = w.piece(c->vd + i);
        w.as.join_halves(to, to, before);
        w.release(before);
        w.becomes(c->vd + i, to);
      }
      w.release(to);
    }
    for (const Vec number : numbers) w.release(number);
  }
  return true;
}

}  // namespace

std::span<const Emitter> vector_convert_emitters() {
  static const Emitter table[] = {{"vfwcvtbf16.f.f.v", widen}, {"vfncvtbf16.f.f.w", narrow}};
  return table;
}

}  // namespace dojo::translate
