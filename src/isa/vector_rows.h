// How rows of the OP-V opcode are written: funct6, the format (funct3), the handler with its operands, and
// what follows from them.
#pragma once

#include "isa/instruction.h"

namespace dojo::isa::vector {

enum Format : unsigned { ivv = 0, fvv = 1, mvv = 2, ivi = 3, ivx = 4, fvf = 5, mvx = 6 };

constexpr Operand rs1_of(unsigned format) {
  constexpr Operand operands[] = {Operand::v_read, Operand::v_read, Operand::v_read, Operand::none,
                                  Operand::x_read, Operand::f_read, Operand::x_read};
  return operands[format];
}

// `extra`: properties besides maskable. A third source, as multiply-add has, turns the written order around.
constexpr Row arithmetic(std::string_view mnemonic, unsigned funct6, unsigned format,
                         const VectorHandler& handler, unsigned extra = 0, Unit unit = Unit::simd,
                         std::string_view extension = "V") {
  constexpr std::string_view plain[] = {"vd, vs2, vs1, vm",   "vd, vs2, vs1, vm", "vd, vs2, vs1, vm",
                                        "vd, vs2, simm5, vm", "vd, vs2, rs1, vm", "vd, vs2, fs1, vm",
                                        "vd, vs2, rs1, vm"};
  constexpr std::string_view turned[] = {"vd, vs1, vs2, vm", "vd, vs1, vs2, vm", "vd, vs1, vs2, vm", "",
                                         "vd, rs1, vs2, vm", "vd, fs1, vs2, vm", "vd, rs1, vs2, vm"};
  const bool has_third = handler.operands.reads_vd;
  return {mnemonic,
          funct6 << 26 | format << 12 | 0x57,
          0xfc00707f,
          has_third ? turned[format] : plain[format],
          extension,
          unit,
          has_third ? Operand::v_read_write : Operand::v_write,
          rs1_of(format),
          Operand::v_read,
          Operand::none,
          static_cast<std::uint16_t>(maskable | extra),
          handler.execute,
          handler.operands};
}

// The same with other text for the operands: unsigned immediates, or "v0" where it is data.
constexpr Row with_syntax(Row row, std::string_view syntax) {
  row.syntax = syntax;
  return row;
}

// vm is part of the encoding: 1 never masked, 0 always reads v0.
constexpr Row with_vm(Row row, unsigned vm, std::string_view syntax) {
  row.mask |= 1u << 25;
  row.match |= vm << 25;
  row.syntax = syntax;
  if (vm == 1) row.properties = static_cast<std::uint16_t>(row.properties & ~maskable);
  return row;
}

// The rs1 field is part of the encoding.
constexpr Row unary(std::string_view mnemonic, unsigned funct6, unsigned format, unsigned vs1,
                    const VectorHandler& handler, unsigned extra = 0, Unit unit = Unit::simd,
                    std::string_view extension = "V") {
  Row row = arithmetic(mnemonic, funct6, format, handler, extra, unit, extension);
  row.match |= vs1 << 15;
  row.mask |= 31u << 15;
  row.rs1 = Operand::none;
  row.syntax = "vd, vs2, vm";
  return row;
}

// The vs2 field is 0.
constexpr Row without_vs2(Row row) {
  row.mask |= 31u << 20;
  row.rs2 = Operand::none;
  row.vector.vs2 = {};
  return row;
}

}  // namespace dojo::isa::vector
