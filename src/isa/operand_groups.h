// How the operands of a vector instruction lie in the vector registers: what the specification calls EEW and
// EMUL (V 1.0, sections 3.4.2, 5.2 and 7.3).
//
// A row takes its handler and this declaration as one value (`VectorHandler`), and the handler refuses
// registers by the same declaration (vector_operands.h), so that neither is written without the other. The
// pipeline's timing, the debugger, the translator and random programs read it from the row.
#pragma once

#include <algorithm>
#include <cstdint>

namespace dojo::isa {

struct Hart;
struct Decoded;

// The part of vtype that register groups depend on.
struct ElementType {
  int sew_log2 = 0;   // of bytes: 0..3
  int lmul_log2 = 0;  // -3..3

  static constexpr ElementType of(std::uint64_t vtype) {
    return {static_cast<int>(vtype >> 3 & 7), static_cast<int>((vtype & 7) ^ 4) - 4};
  }
};

enum class Extent : std::uint8_t {
  none,        // no vector register
  mask,        // one register, a bit for each element
  element,     // element 0 of one register; EEW = SEW << log2
  scaled,      // a group; EEW = SEW << log2, EMUL = LMUL << log2
  fixed,       // a group; EEW = 8 << log2 bits, EMUL = LMUL * EEW / SEW
  registers,   // 1 << log2 registers, whatever vtype says
  step_rows,   // of a matrix step: row k lies k * 8 / KMAX registers above the first
  tile_slice,  // not in vector registers: a row or column of a tile; EEW = 8 << log2 bits
};

struct OperandGroup {
  Extent extent = Extent::none;
  std::int8_t log2 = 0;

  constexpr bool is_group() const { return extent == Extent::scaled || extent == Extent::fixed; }

  // log2 of an element's bytes. A mask's bits are narrower than any element.
  constexpr int eew_log2(ElementType type) const {
    switch (extent) {
      case Extent::mask:
        return -3;
      case Extent::fixed:
      case Extent::tile_slice:
        return log2;
      case Extent::element:
      case Extent::scaled:
        return type.sew_log2 + log2;
      default:
        return type.sew_log2;
    }
  }

  // May be what does not exist: below -3 or above 3.
  constexpr int emul_log2(ElementType type) const {
    switch (extent) {
      case Extent::scaled:
        return type.lmul_log2 + log2;
      case Extent::fixed:
        return type.lmul_log2 + log2 - type.sew_log2;
      case Extent::registers:
        return log2;
      case Extent::step_rows:
        return type.lmul_log2;
      default:
        return 0;
    }
  }

  // Whether there are elements and groups of that size. An element has 8 to 64 bits.
  constexpr bool exists(ElementType type) const {
    const int emul = emul_log2(type), eew = extent == Extent::mask ? 0 : eew_log2(type);
    return emul >= -3 && emul <= 3 && eew >= 0 && eew <= 3;
  }

  // Consecutive registers; a fraction still takes one. Of matrix steps: for each row.
  constexpr unsigned registers(ElementType type) const {
    if (extent == Extent::none || extent == Extent::tile_slice) return 0;
    return 1u << std::clamp(emul_log2(type), 0, 3);
  }

  // The bits that are 0 in the number of a register at which the operand may begin: a group at a multiple of
  // its size; the first row of a matrix step also below 8 / KMAX among eight, where KMAX is 32 / SEW.
  constexpr unsigned misplaced_bits(ElementType type) const {
    const unsigned within_group = extent == Extent::tile_slice ? 0 : std::max(registers(type), 1u) - 1;
    if (extent != Extent::step_rows) return within_group;
    const unsigned most_rows = std::max(4u >> type.sew_log2, 1u);
    return within_group | (8 - 8 / most_rows);
  }

  bool operator==(const OperandGroup&) const = default;
};

constexpr OperandGroup mask_bits{Extent::mask};
constexpr OperandGroup scaled(int log2) { return {Extent::scaled, static_cast<std::int8_t>(log2)}; }
constexpr OperandGroup element_0(int log2 = 0) { return {Extent::element, static_cast<std::int8_t>(log2)}; }
constexpr OperandGroup fixed_width(int log2) { return {Extent::fixed, static_cast<std::int8_t>(log2)}; }
constexpr OperandGroup whole_registers(int log2) {
  return {Extent::registers, static_cast<std::int8_t>(log2)};
}

// Which elements of the sources an element of the result needs.
enum class Order : std::uint8_t {
  elementwise,     // those of its own place
  permuting,       // of any place
  gathering,       // of any place, and each result register asks each source register
  reducing,        // all of vs2
  element_serial,  // one element after another: ordered sums, strided and indexed accesses
};

// How a load or store finds its elements in memory. A tile's slice lies there with unit stride.
enum class AccessPattern : std::uint8_t {
  none,
  unit_stride,
  first_fault_only,  // unit stride; a fault behind element 0 cuts vl
  strided,
  indexed,
  mask_bytes,
  whole_registers,
};

struct VectorOperands {
  OperandGroup vd{}, vs2{}, vs1{};  // of a store, vd is what the specification calls vs3
  Order order = Order::elementwise;
  bool reads_vd = false;  // multiply-add: vd is the third source
  bool apart = false;     // vd may overlap no source, not even v0
  AccessPattern access = AccessPattern::none;
  std::uint8_t fields = 1;  // of a segment: as many groups follow one another from vd on

  constexpr unsigned vd_registers(ElementType type) const { return fields * vd.registers(type); }
  bool operator==(const VectorOperands&) const = default;
};

// What executes an instruction, and the operands that it takes.
struct VectorHandler {
  const Decoded* (*execute)(Hart&, const Decoded*);
  VectorOperands operands;
};

}  // namespace dojo::isa
