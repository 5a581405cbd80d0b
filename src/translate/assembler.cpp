#include "translate/assembler.h"

#include <utility>

#include "translate/assembler_encoding.h"

namespace dojo::translate {
namespace {

constexpr bool is_byte(std::int64_t value) { return value >= -128 && value <= 127; }

}  // namespace

void Assembler::number(std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) byte(static_cast<unsigned>(value >> 8 * i & 255));
}

// ModRM, SIB and displacement; one of a single byte counts in `unit` bytes.
void Assembler::operands(unsigned reg, const RegMem& rm, std::int32_t unit) {
  reg = (reg & 7) << 3;
  if (!rm.in_memory_) return byte(0xc0 | reg | (rm.number_ & 7u));
  const Mem& mem = rm.mem_;
  const unsigned base = of(mem.base) & 7;
  const bool no_displacement = mem.displacement == 0 && base != 5,
             short_one = mem.displacement % unit == 0 && is_byte(mem.displacement / unit);
  const unsigned mod = no_displacement ? 0u : short_one ? 0x40u : 0x80u;
  const bool needs_sib = mem.index != Reg::sp || base == 4;
  byte(mod | reg | (needs_sib ? 4 : base));
  if (needs_sib) byte(unsigned{mem.scale_log2} << 6 | (of(mem.index) & 7) << 3 | base);
  const std::int32_t displacement = short_one ? mem.displacement / unit : mem.displacement;
  if (!no_displacement) number(static_cast<std::uint32_t>(displacement), short_one ? 1 : 4);
}

void Assembler::plain(Width width, unsigned prefix, unsigned map, unsigned opcode, unsigned reg,
                      const RegMem& rm, bool byte_register) {
  constexpr unsigned prefixes[] = {0, 0x66, 0xf3, 0xf2};
  if (prefix != no_prefix) byte(prefixes[prefix]);
  const unsigned base = rm.in_memory_ ? of(rm.mem_.base) : rm.number_;
  const unsigned index = rm.in_memory_ ? of(rm.mem_.index) : 0;
  const unsigned rex = (width == Width::wide ? 8u : 0u) | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
  const bool low_byte = byte_register && (reg >= 4 || (!rm.in_memory_ && base >= 4));  // sil, dil...
  if (rex != 0 || low_byte) byte(0x40 | rex);
  if (map != one_byte) byte(0x0f);
  if (map == map_0f38) byte(0x38);
  byte(opcode);
  operands(reg, rm);
}

void Assembler::vex(bool wide, bool long_vector, unsigned prefix, unsigned map, unsigned opcode, unsigned reg,
                    unsigned second, const RegMem& rm) {
  const unsigned base = rm.in_memory_ ? of(rm.mem_.base) : rm.number_;
  const unsigned index = rm.in_memory_ ? of(rm.mem_.index) : 0;
  byte(0xc4);
  byte((~reg >> 3 & 1) << 7 | (~index >> 3 & 1) << 6 | (~base >> 3 & 1) << 5 | map);
  byte((wide ? 0x80u : 0u) | (~second & 15) << 3 | (long_vector ? 4u : 0u) | prefix);
  byte(opcode);
  operands(reg, rm);
}

void Assembler::evex(const VectorOp& op, unsigned reg, unsigned second, const RegMem& rm, const Evex& rest) {
  const unsigned base = rm.in_memory_ ? of(rm.mem_.base) : rm.number_;
  const unsigned index =
      rm.in_memory_ ? of(rm.mem_.index) : rm.number_ >> 1;  // bit 3: of a register, its bit 4
  byte(0x62);
  byte((~reg >> 3 & 1) << 7 | (~index >> 3 & 1) << 6 | (~base >> 3 & 1) << 5 | (~reg >> 4 & 1) << 4 | op.map);
  byte((op.wide ? 0x80u : 0u) | (~second & 15) << 3 | 4u | op.prefix);
  const unsigned length = rest.bytes == 64 ? 2 : rest.bytes == 32 ? 1 : 0;
  byte(length << 5 | (rest.spread ? 0x10u : 0u) | (~second >> 4 & 1) << 3 |
       static_cast<unsigned>(rest.under));
  byte(op.opcode);
  operands(reg, rm, static_cast<std::int32_t>(rest.unit));
}

// `bytes`: of the vector, and of what is in memory.
void Assembler::any_vector(const VectorOp& op, unsigned bytes, unsigned reg, unsigned second,
                           const RegMem& rm) {
  if (vectors_ == HostVectors::avx512) return evex(op, reg, second, rm, {.bytes = bytes, .unit = bytes});
  vex(op.wide, bytes == 32, op.prefix, op.map, op.opcode, reg, second, rm);
}

void Assembler::bind(Label& label) {
  label.position = static_cast<std::ptrdiff_t>(code_.size());
  for (const std::size_t at : label.jumps) {
    const auto distance = static_cast<std::uint32_t>(label.position - static_cast<std::ptrdiff_t>(at) - 4);
    for (unsigned i = 0; i < 4; ++i) code_[at + i] = static_cast<std::uint8_t>(distance >> 8 * i);
  }
  label.jumps.clear();
}

void Assembler::to_label(Label& label) {
  const auto here = static_cast<std::ptrdiff_t>(code_.size());
  if (label.position < 0) label.jumps.push_back(code_.size());
  number(label.position < 0 ? 0 : static_cast<std::uint64_t>(label.position - here - 4), 4);
}
void Assembler::jump(Label& label) {
  byte(0xe9);
  to_label(label);
}
void Assembler::jump(RegMem to) { plain(Width::word, no_prefix, one_byte, 0xff, 4, to); }
void Assembler::jump_if(Condition condition, Label& label) {
  byte(0x0f);
  byte(0x80 | static_cast<unsigned>(condition));
  to_label(label);
}
void Assembler::call(const void* function) {
  set_address(Reg::ax, function);
  plain(Width::word, no_prefix, one_byte, 0xff, 2, Reg::ax);
}
void Assembler::push(Reg r) {
  if (of(r) >= 8) byte(0x41);
  byte(0x50 | (of(r) & 7));
}
void Assembler::pop(Reg r) {
  if (of(r) >= 8) byte(0x41);
  byte(0x58 | (of(r) & 7));
}
void Assembler::ret() { byte(0xc3); }

void Assembler::set(Reg to, std::uint64_t value) {
  if (value == 0) return alu(Alu::xor_, Width::word, to, to);
  const auto as_signed = static_cast<std::int64_t>(value);
  if (value <= 0xffffffff) {
    if (of(to) >= 8) byte(0x41);
    byte(0xb8 | (of(to) & 7));
    number(value, 4);
  } else if (as_signed >= INT32_MIN && as_signed < 0) {
    plain(Width::wide, no_prefix, one_byte, 0xc7, 0, to);
    number(value, 4);
  } else {
    byte(of(to) >= 8 ? 0x49 : 0x48);
    byte(0xb8 | (of(to) & 7));
    number(value, 8);
  }
}

void Assembler::move(Width width, Reg to, RegMem from) {
  plain(width, no_prefix, one_byte, 0x8b, of(to), from);
}

void Assembler::store(unsigned bytes, Mem to, Reg from) {
  const Width width = bytes == 8 ? Width::wide : Width::word;
  plain(width, bytes == 2 ? p66 : no_prefix, one_byte, bytes == 1 ? 0x88 : 0x89, of(from), to, bytes == 1);
}

void Assembler::store(unsigned bytes, Mem to, std::int32_t value) {
  plain(bytes == 8 ? Width::wide : Width::word, no_prefix, one_byte, bytes == 1 ? 0xc6 : 0xc7, 0, to);
  number(static_cast<std::uint32_t>(value), bytes == 1 ? 1 : 4);
}

void Assembler::load(unsigned bytes, bool is_signed, Reg to, RegMem from) {
  switch (bytes) {
    case 1:
      return plain(is_signed ? Width::wide : Width::word, no_prefix, map_0f, is_signed ? 0xbe : 0xb6, of(to),
                   from, true);
    case 2:
      return plain(is_signed ? Width::wide : Width::word, no_prefix, map_0f, is_signed ? 0xbf : 0xb7, of(to),
                   from);
    case 4:
      return is_signed ? plain(Width::wide, no_prefix, one_byte, 0x63, of(to), from)
                       : move(Width::word, to, from);
    default:
      return move(Width::wide, to, from);
  }
}

void Assembler::address(Width width, Reg to, Mem mem) {
  plain(width, no_prefix, one_byte, 0x8d, of(to), mem);
}

void Assembler::alu(Alu op, Width width, Reg to, RegMem from) {
  plain(width, no_prefix, one_byte, static_cast<unsigned>(op) << 3 | 3, of(to), from);
}
void Assembler::alu(Alu op, Width width, RegMem to, std::int32_t value) {
  plain(width, no_prefix, one_byte, is_byte(value) ? 0x83 : 0x81, static_cast<unsigned>(op), to);
  number(static_cast<std::uint32_t>(value), is_byte(value) ? 1 : 4);
}
void Assembler::invert(Width width, Reg r) { plain(width, no_prefix, one_byte, 0xf7, 2, r); }
void Assembler::multiply(Width width, Reg to, RegMem from) {
  plain(width, no_prefix, map_0f, 0xaf, of(to), from);
}
void Assembler::shift(Shift op, Width width, Reg to, std::uint8_t count) {
  plain(width, no_prefix, one_byte, 0xc1, static_cast<unsigned>(op), to);
  byte(count);
}
void Assembler::shift(Shift op, Width width, Reg to, Reg from, Reg count) {
  const unsigned prefix = op == Shift::left ? p66 : op == Shift::right ? pf2 : pf3;
  vex(width == Width::wide, false, prefix, map_0f38, 0xf7, of(to), of(count), from);
}
void Assembler::swap_bytes(Reg r) {
  byte(0x48 | of(r) >> 3);
  byte(0x0f);
  byte(0xc8 | (of(r) & 7));
}
void Assembler::count_bits(Width width, Reg to, RegMem from) {
  plain(width, pf3, map_0f, 0xb8, of(to), from);
}
void Assembler::count_zeros(Width width, bool low, Reg to, RegMem from) {
  plain(width, pf3, map_0f, low ? 0xbc : 0xbd, of(to), from);
}
void Assembler::test(Width width, Reg a, Reg b) { plain(width, no_prefix, one_byte, 0x85, of(a), b); }
void Assembler::set_if(Condition condition, Reg to) {
  plain(Width::word, no_prefix, map_0f, 0x90 | static_cast<unsigned>(condition), 0, to);
}
void Assembler::move_if(Condition condition, Width width, Reg to, RegMem from) {
  plain(width, no_prefix, map_0f, 0x40 | static_cast<unsigned>(condition), of(to), from);
}

}  // namespace dojo::translate
