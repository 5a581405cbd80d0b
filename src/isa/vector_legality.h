// Where the operands of a vector instruction may lie: by the declaration in its row (operand_groups.h),
// nothing else.
#pragma once

#include "isa/hart.h"
#include "isa/instruction.h"

namespace dojo::isa::vector {

inline bool is_masked(const Decoded* d) { return (d->word >> 25 & 1) == 0; }
inline unsigned sew_log2(const Hart& hart) { return static_cast<unsigned>(__builtin_ctz(hart.sew)) - 3; }

inline const Decoded* illegal(Hart& hart, const Decoded* d) {
  return hart.raise(d, TrapCause::illegal_instruction, d->word);
}

inline ElementType element_type(const Hart& hart) {
  return {static_cast<int>(sew_log2(hart)), hart.lmul_log2};
}

// Whether the operand may begin at register `r`: its EEW and EMUL exist, and r is a multiple of the latter.
inline bool group_is_legal(unsigned r, const OperandGroup& operand, ElementType type) {
  return operand.exists(type) && (r & operand.misplaced_bits(type)) == 0;
}

// V 1.0 section 5.2: a destination may overlap a source of another EEW only so that no element is overwritten
// before it is read. What has one element only is read before anything is written.
inline bool overlap_is_legal(const Decoded* d, const VectorOperands& operands, unsigned r,
                             const OperandGroup& source, ElementType type) {
  const unsigned registers = operands.vd_registers(type), source_registers = source.registers(type);
  if (d->rd >= r + source_registers || r >= d->rd + registers) return true;
  if (operands.apart) return false;
  if (operands.vd.extent == Extent::element || source.extent == Extent::element) return true;
  const int width = operands.vd.eew_log2(type), source_width = source.eew_log2(type);
  if (width <= source_width) return width == source_width || d->rd == r;
  return source.emul_log2(type) >= 0 && r + source_registers == d->rd + registers;
}

// Whether every operand may lie where it does. `vill` is not asked for.
inline bool groups_are_legal(const Decoded* d, const VectorOperands& operands, ElementType type) {
  const auto fits = [&](unsigned r, const OperandGroup& operand) {
    return operand.extent == Extent::none || group_is_legal(r, operand, type);
  };
  const unsigned registers = operands.vd_registers(type);
  return fits(d->rd, operands.vd) && fits(d->rs2, operands.vs2) && fits(d->rs1, operands.vs1) &&
         (operands.fields == 1 || (registers <= 8 && d->rd + registers <= vector_registers));
}

// Whether vd, which is written, overlaps nothing that it must not: sources, and v0 where that masks. A mask
// may replace v0, and so may the one element of a reduction.
inline bool destination_is_legal(const Decoded* d, const VectorOperands& operands, ElementType type) {
  const auto leaves = [&](unsigned r, const OperandGroup& source) {
    return source.extent == Extent::none || overlap_is_legal(d, operands, r, source, type);
  };
  if (operands.vd.extent == Extent::none) return true;
  if (is_masked(d) && d->rd == 0 && (operands.vd.is_group() || operands.apart)) return false;
  return leaves(d->rs2, operands.vs2) && leaves(d->rs1, operands.vs1);
}

inline bool is_legal(const Hart& hart, const Decoded* d, const VectorOperands& operands) {
  const ElementType type = element_type(hart);
  return !hart.vill && groups_are_legal(d, operands, type) && destination_is_legal(d, operands, type);
}

// Runs body(hart, d) if the operands may lie where they do.
template <VectorOperands operands, auto body>
const Decoded* checked(Hart& hart, const Decoded* d) {
  if (!is_legal(hart, d, operands)) return illegal(hart, d);
  return body(hart, d);
}
template <VectorOperands operands, auto body>
constexpr VectorHandler handler = {checked<operands, body>, operands};

}  // namespace dojo::isa::vector
