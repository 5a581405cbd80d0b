// Instructions on masks: logic, counting, first set bits, prefix sums, element numbers.
#include <bit>

#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

// Bits [vstart, vl) of vd = op(vs2, vs1), a byte at a time.
template <auto op>
const Decoded* logic(Hart& hart, const Decoded* d) {
  const std::uint8_t *b = group(hart, d->rs2), *a = group(hart, d->rs1);
  std::uint8_t* to = group(hart, d->rd);
  for (std::size_t byte = hart.vstart / 8; byte * 8 < hart.vl; ++byte) {
    unsigned changed = 0xff;
    if (byte * 8 < hart.vstart) changed &= 0xffu << (hart.vstart - byte * 8);
    if (byte * 8 + 8 > hart.vl) changed &= 0xffu >> (byte * 8 + 8 - hart.vl);
    const unsigned result = op(unsigned{b[byte]}, unsigned{a[byte]});
    to[byte] = static_cast<std::uint8_t>((to[byte] & ~changed) | (result & changed));
  }
  hart.vstart = 0;
  return d + 1;
}

constexpr auto and_ = [](unsigned b, unsigned a) { return b & a; };
constexpr auto nand = [](unsigned b, unsigned a) { return ~(b & a); };
constexpr auto andn = [](unsigned b, unsigned a) { return b & ~a; };
constexpr auto xor_ = [](unsigned b, unsigned a) { return b ^ a; };
constexpr auto or_ = [](unsigned b, unsigned a) { return b | a; };
constexpr auto nor = [](unsigned b, unsigned a) { return ~(b | a); };
constexpr auto orn = [](unsigned b, unsigned a) { return b | ~a; };
constexpr auto xnor = [](unsigned b, unsigned a) { return ~(b ^ a); };

// Bit i of vs2 where element i is active.
bool counts(Hart& hart, const Decoded* d, std::size_t i) {
  return mask_bit(group(hart, d->rs2), i) && (!is_masked(d) || mask_bit(group(hart, 0), i));
}

const Decoded* population(Hart& hart, const Decoded* d) {
  if (hart.vstart != 0) return illegal(hart, d);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < hart.vl; ++i) sum += counts(hart, d, i);
  hart.set_x(d->rd, sum);
  return d + 1;
}

const Decoded* first_set(Hart& hart, const Decoded* d) {
  if (hart.vstart != 0) return illegal(hart, d);
  std::size_t i = 0;
  while (i < hart.vl && !counts(hart, d, i)) ++i;
  hart.set_x(d->rd, i < hart.vl ? i : ~std::uint64_t{0});
  return d + 1;
}

enum class Set { before_first, only_first, including_first };
template <Set what>
const Decoded* set_around_first(Hart& hart, const Decoded* d) {
  if (hart.vstart != 0) return illegal(hart, d);
  bool found = false;
  for (std::size_t i = 0; i < hart.vl; ++i) {
    if (is_masked(d) && !mask_bit(group(hart, 0), i)) continue;
    const bool first = !found && mask_bit(group(hart, d->rs2), i);
    const bool value = what == Set::only_first        ? first
                       : what == Set::including_first ? !found
                                                      : !found && !first;
    set_mask_bit(group(hart, d->rd), i, value);
    found |= first;
  }
  return d + 1;
}

void store_element(Hart& hart, unsigned r, std::size_t i, std::uint64_t value) {
  std::memcpy(group(hart, r) + i * (hart.sew / 8), &value, hart.sew / 8);
}

const Decoded* prefix_sums(Hart& hart, const Decoded* d) {
  if (hart.vstart != 0) return illegal(hart, d);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < hart.vl; ++i) {
    if (is_masked(d) && !mask_bit(group(hart, 0), i)) continue;
    store_element(hart, d->rd, i, sum);
    sum += mask_bit(group(hart, d->rs2), i);
  }
  return d + 1;
}

const Decoded* numbers(Hart& hart, const Decoded* d) {
  for (std::size_t i = hart.vstart; i < hart.vl; ++i)
    if (!is_masked(d) || mask_bit(group(hart, 0), i)) store_element(hart, d->rd, i, i);
  hart.vstart = 0;
  return d + 1;
}

constexpr Row to_x(Row row) {
  row.rd = Operand::x_write;
  row.syntax = "rd, vs2, vm";
  return row;
}

constexpr VectorOperands two_masks = {.vd = mask_bits, .vs2 = mask_bits, .vs1 = mask_bits},
                         counted = {.vs2 = mask_bits},
                         around = {.vd = mask_bits, .vs2 = mask_bits, .apart = true},
                         summed = {.vd = scaled(0), .vs2 = mask_bits, .apart = true},
                         numbered = {.vd = scaled(0)};

// clang-format off
#define LOGIC(NAME, F6, OP) with_vm(arithmetic(NAME, F6, mvv, handler<two_masks, logic<OP>>), 1, "vd, vs2, vs1")

constexpr Row rows[] = {
  LOGIC("vmandn.mm", 0x18, andn), LOGIC("vmand.mm",  0x19, and_), LOGIC("vmor.mm",  0x1a, or_), LOGIC("vmxor.mm",  0x1b, xor_),
  LOGIC("vmorn.mm",  0x1c, orn),  LOGIC("vmnand.mm", 0x1d, nand), LOGIC("vmnor.mm", 0x1e, nor), LOGIC("vmxnor.mm", 0x1f, xnor),
  to_x(unary("vcpop.m",  0x10, mvv, 16, handler<counted, population>)),
  to_x(unary("vfirst.m", 0x10, mvv, 17, handler<counted, first_set>)),
  unary("vmsbf.m", 0x14, mvv, 1,  handler<around, set_around_first<Set::before_first>>),
  unary("vmsof.m", 0x14, mvv, 2,  handler<around, set_around_first<Set::only_first>>),
  unary("vmsif.m", 0x14, mvv, 3,  handler<around, set_around_first<Set::including_first>>),
  unary("viota.m", 0x14, mvv, 16, handler<summed, prefix_sums>),
  with_syntax(without_vs2(unary("vid.v", 0x14, mvv, 17, handler<numbered, numbers>)), "vd, vm"),
};
// clang-format on

}  // namespace

std::span<const Row> mask_rows() { return rows; }

}  // namespace dojo::isa::vector
