// The assembler's vector instructions.
#include "translate/assembler_encoding.h"

namespace dojo::translate {

void Assembler::load_part(Vec to, Mem from, unsigned bytes) {
  any_vector({pf3, map_0f, 0x6f}, bytes, of(to), 0, from);
}
void Assembler::store_part(Mem to, Vec from, unsigned bytes) {
  any_vector({pf3, map_0f, 0x7f}, bytes, of(from), 0, to);
}
void Assembler::load_bytes(Vec to, Mem from, Mask under) {
  evex({pf2, map_0f, 0x6f}, of(to), 0, from, {.bytes = 64, .under = under, .unit = 64});
}
void Assembler::store_bytes(Mem to, Vec from, Mask under) {
  evex({pf2, map_0f, 0x7f}, of(from), 0, to, {.bytes = 64, .under = under, .unit = 64});
}
void Assembler::move_vector(Vec to, Vec from) {
  any_vector({no_prefix, map_0f, 0x28}, vector_bytes(), of(to), 0, from);
}
void Assembler::merge(unsigned bytes, Vec to, Vec from, Mask under) {
  const VectorOp op{bytes <= 2 ? pf2 : pf3, map_0f, 0x6f, bytes == 2 || bytes == 8};
  evex(op, of(to), 0, from, {.bytes = 64, .under = under, .unit = 64});
}
void Assembler::spread(unsigned bytes, Vec to, RegMem from) {
  const std::uint8_t opcode = bytes == 1 ? 0x78 : bytes == 2 ? 0x79 : bytes == 4 ? 0x58 : 0x59;
  const VectorOp op{p66, map_0f38, opcode, bytes == 8 && has_masks()};
  if (has_masks()) return evex(op, of(to), 0, from, {.bytes = 64, .unit = bytes});
  vex(op.wide, true, op.prefix, op.map, op.opcode, of(to), 0, from);
}
void Assembler::move_to_vector(Width width, Vec to, RegMem from) {
  vex(width == Width::wide, false, p66, map_0f, 0x6e, of(to), 0, from);
}
void Assembler::move_from_vector(Width width, RegMem to, Vec from) {
  vex(width == Width::wide, false, p66, map_0f, 0x7e, of(from), 0, to);
}
void Assembler::vector(const VectorOp& op, Vec to, Vec a, RegMem b, Mask under) {
  if (has_masks()) return evex(op, of(to), of(a), b, {.bytes = 64, .under = under, .unit = 64});
  vex(op.wide, true, op.prefix, op.map, op.opcode, of(to), of(a), b);
}
void Assembler::vector_spread(const VectorOp& op, Vec to, Vec a, Mem element) {
  evex(op, of(to), of(a), element, {.bytes = 64, .spread = true, .unit = op.wide ? 8u : 4u});
}
void Assembler::vector_with(const VectorOp& op, Vec to, Vec a, RegMem b, std::uint8_t constant, Mask under) {
  vector(op, to, a, b, under);
  byte(constant);
}
void Assembler::vector_shift(const VectorOp& op, unsigned group, Vec to, Vec from, std::uint8_t count) {
  any_vector(op, vector_bytes(), group, of(to), from);
  byte(count);
}
void Assembler::insert(unsigned bytes, Vec to, Mem from, unsigned element) {
  vex(false, false, p66, bytes == 2 ? map_0f : map_0f3a, bytes == 2 ? 0xc4 : 0x22, of(to), of(to), from);
  byte(element);
}
void Assembler::extract(unsigned bytes, Mem to, Vec from, unsigned element) {
  vex(false, false, p66, map_0f3a, bytes == 2 ? 0x15 : 0x16, of(from), 0, to);
  byte(element);
}
void Assembler::insert_lowest(Vec to, Vec from, unsigned place) {
  const VectorOp op{p66, map_0f3a, 0x38};
  if (has_masks())
    evex(op, of(to), of(to), from, {.bytes = 64, .unit = 16});
  else
    vex(false, true, op.prefix, op.map, op.opcode, of(to), of(to), from);
  byte(place);
}
void Assembler::to_lowest(Vec to, Vec from, unsigned place) {
  const VectorOp op{p66, map_0f3a, 0x39};
  if (has_masks())
    evex(op, of(from), 0, to, {.bytes = 64, .unit = 16});
  else
    vex(false, true, op.prefix, op.map, op.opcode, of(from), 0, to);
  byte(place);
}
void Assembler::scalar(bool wide, unsigned prefix, unsigned map, std::uint8_t opcode, Vec to, Vec a,
                       RegMem b) {
  vex(wide, false, prefix, map, opcode, of(to), of(a), b);
}
void Assembler::compare_scalar(unsigned bytes, Vec a, Vec b) {
  vex(false, false, bytes == 8 ? p66 : no_prefix, map_0f, 0x2e, of(a), 0, b);
}
void Assembler::compare_lanes(unsigned bytes, Vec to, Vec a, Vec b, std::uint8_t predicate) {
  vex(false, true, bytes == 8 ? p66 : no_prefix, map_0f, 0xc2, of(to), of(a), b);
  byte(predicate);
}
void Assembler::signs(unsigned bytes, Reg to, Vec from) {
  vex(false, true, bytes == 8 ? p66 : no_prefix, map_0f, 0x50, of(to), 0, from);
}
void Assembler::choose(Vec to, Vec a, Vec b, Vec lanes) {
  vex(false, true, p66, map_0f3a, 0x4a, of(to), of(a), b);
  byte(of(lanes) << 4);
}
void Assembler::compare_unordered(unsigned bytes, Vec to, Vec a, Vec b) { compare_lanes(bytes, to, a, b, 3); }
void Assembler::test_any(Vec v) { vex(false, true, p66, map_0f38, 0x17, of(v), 0, v); }
void Assembler::test_any_low(Vec v) { vex(false, false, p66, map_0f38, 0x17, of(v), 0, v); }
void Assembler::test_all(Vec v, RegMem bits) { vex(false, true, p66, map_0f38, 0x17, of(v), 0, bits); }
void Assembler::join_halves(Vec to, Vec a, Vec b) {
  vex(false, true, p66, map_0f3a, 0x02, of(to), of(a), b);
  byte(0xf0);
}
void Assembler::upper_quarter(Vec to, Vec from) {
  vex(false, false, p66, map_0f, 0x6d, of(to), of(from), from);
}
void Assembler::compare(unsigned bytes, Mask to, Vec a, Vec b, std::uint8_t predicate, Mask under) {
  const VectorOp op{bytes == 8 ? p66 : no_prefix, map_0f, 0xc2, bytes == 8};
  evex(op, of(to), of(a), b, {.bytes = 64, .under = under, .unit = 64});
  byte(predicate);
}
void Assembler::compare_ordered(unsigned bytes, Mask to, Vec a, Vec b, Mask under) {
  compare(bytes, to, a, b, 7, under);
}
void Assembler::compare_unordered(unsigned bytes, Mask to, Vec a, Vec b, Mask under) {
  compare(bytes, to, a, b, 3, under);
}
void Assembler::compare_integers(unsigned bytes, bool is_signed, Mask to, Vec a, RegMem b,
                                 std::uint8_t predicate, Mask under) {
  const auto opcode = static_cast<std::uint8_t>((bytes <= 2 ? 0x3e : 0x1e) | (is_signed ? 1 : 0));
  evex({p66, map_0f3a, opcode, bytes == 2 || bytes == 8}, of(to), of(a), b,
       {.bytes = 64, .under = under, .unit = 64});
  byte(predicate);
}
namespace {
// Moves between masks and memory: prefix and W by the number of elements.
constexpr bool mask_is_wide(unsigned elements) { return elements >= 32; }
constexpr unsigned mask_prefix(unsigned elements) {
  return elements == 8 || elements == 32 ? p66 : no_prefix;
}
}  // namespace
void Assembler::load_mask(unsigned elements, Mask to, Mem from) {
  vex(mask_is_wide(elements), false, mask_prefix(elements), map_0f, 0x90, of(to), 0, from);
}
void Assembler::store_mask(unsigned elements, Mem to, Mask from) {
  vex(mask_is_wide(elements), false, mask_prefix(elements), map_0f, 0x91, of(from), 0, to);
}
void Assembler::mask_and(Mask to, Mask a, Mask b) {
  vex(true, true, no_prefix, map_0f, 0x41, of(to), of(a), Vec{static_cast<std::uint8_t>(b)});
}
void Assembler::mask_and_not(Mask to, Mask a, Mask b) {
  vex(true, true, no_prefix, map_0f, 0x42, of(to), of(a), Vec{static_cast<std::uint8_t>(b)});
}
void Assembler::mask_or(Mask to, Mask a, Mask b) {
  vex(true, true, no_prefix, map_0f, 0x45, of(to), of(a), Vec{static_cast<std::uint8_t>(b)});
}
void Assembler::compare_equal_bytes(Mask to, Vec a, Vec b, Mask under) {
  evex({p66, map_0f, 0x74}, of(to), of(a), b, {.bytes = 64, .under = under, .unit = 64});
}
void Assembler::set_mask(Mask to, Reg from) { vex(true, false, pf2, map_0f, 0x92, of(to), 0, from); }
void Assembler::test_mask(unsigned elements, Mask mask) {
  const bool bytewise = elements == 8, wide = elements == 64;
  vex(wide, false, bytewise ? p66 : no_prefix, map_0f, 0x98, of(mask), 0,
      Vec{static_cast<std::uint8_t>(mask)});
}
void Assembler::widen_words(Vec to, RegMem from) {
  const VectorOp op{p66, map_0f38, 0x33};
  if (has_masks()) return evex(op, of(to), 0, from, {.bytes = 64, .unit = 32});
  vex(false, true, op.prefix, op.map, op.opcode, of(to), 0, from);
}
void Assembler::widen_bytes(bool is_signed, Vec to, RegMem from) {
  const VectorOp op{p66, map_0f38, static_cast<std::uint8_t>(is_signed ? 0x20 : 0x30)};
  if (has_masks()) return evex(op, of(to), 0, from, {.bytes = 32, .unit = 16});
  vex(false, false, op.prefix, op.map, op.opcode, of(to), 0, from);
}
void Assembler::widen_halves(Vec to, Vec from) {
  any_vector({p66, map_0f38, 0x13}, vector_bytes(), of(to), 0, from);
}
void Assembler::upper_half(Vec to, Vec from) {
  const VectorOp op{p66, map_0f3a, 0x39};
  if (has_masks())
    evex({op.prefix, op.map, 0x3b, true}, of(from), 0, to, {.bytes = 64, .unit = 32});
  else
    vex(false, true, op.prefix, op.map, op.opcode, of(from), 0, to);
  byte(1);
}
void Assembler::pack_words(Vec to, Vec lower, Vec upper) {
  if (!has_masks()) {  // each half of a vector for itself, so the middle quarters change places
    vex(false, true, p66, map_0f38, 0x2b, of(to), of(lower), upper);
    vex(true, true, p66, map_0f3a, 0x00, of(to), 0, to);
    return byte(0xd8);
  }
  const VectorOp narrow{pf3, map_0f38, 0x33};
  evex(narrow, of(lower), 0, to, {.bytes = 64, .unit = 32});
  evex(narrow, of(upper), 0, upper, {.bytes = 64, .unit = 32});
  evex({p66, map_0f3a, 0x3a, true}, of(to), of(to), upper, {.bytes = 64, .unit = 32});
  byte(1);
}
void Assembler::end_vectors() {
  byte(0xc5);
  byte(0xf8);
  byte(0x77);
}
void Assembler::store_float_state(Mem to) { plain(Width::word, no_prefix, map_0f, 0xae, 3, to); }

}  // namespace dojo::translate
