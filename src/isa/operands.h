// The words in which rows write their operands: Row::syntax.
//
// A syntax is text in which every known token stands for a part of the encoding; all else (commas,
// parentheses, "v0") is printed as it stands. A token that prints nothing takes the ", " before it away.
//
//   token               bits            Decoded::    printed as
//   rd rs1 rs2 rs3      11:7 19:15 24:20 31:27       x register
//   fd fs1 fs2 fs3      the same                     f register
//   vd vs1 vs2 vs3      11:7 19:15 24:20 11:7        v register (vs3: data of a store, in the rd field)
//   rm                  14:12           mode         ", rtz"...: always; 5 and 6 do not decode
//   rm_exact            14:12           mode         the same, but nothing if rne: exact conversions
//   vm                  25              mode         "v0.t" if the bit is 0, else nothing
//   aqrl                26:25           mode         ".aq", ".rl", ".aqrl" behind the mnemonic
//   mop_r mop_rr        30, 27:26, 21:20; 30, 27:26  the number of a may-be-operation behind the mnemonic
//   imm12               31:20           immediate    signed
//   store12             31:25 11:7      immediate    signed
//   block12             31:25           immediate    signed, a multiple of 32 (prefetch)
//   imm20               31:12           immediate    value << 12, signed; printed as the 20 bits
//   pcrel20             31:12           immediate    pc + (value << 12); printed as the 20 bits
//   branch jump         B and J types   immediate    absolute target; printed as an offset
//   shamt5 shamt6       24:20, 25:20    immediate    unsigned
//   csr                 31:20           immediate    its name, or the number
//   simm5 uimm5         19:15           immediate    signed, unsigned
//   uimm6               26, 19:15       immediate    unsigned (vror.vi)
//   zimm5               19:15           rs1          unsigned (csrrwi, vsetivli)
//   vtypei vtypei10     30:20, 29:20    immediate    "e32, m1, ta, ma", or the number
//   mt                  11:8            -            tile register
//   fli                 19:15           rs1          the constant, "min", "inf", "nan"
//   pred succ           27:24, 23:20    -            "iorw"
//   imm                 -               immediate    as the expansion left it (compressed rows)
//   cimm20 pcoffset     -               immediate    c.lui's 20 bits; the target as an offset (compressed)
//
// Decoded::rd, rs1, rs2 and rs3 always hold those fields, whether or not the syntax names them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "isa/instruction.h"

namespace dojo::isa {

struct OperandToken {
  std::string_view name;
  std::int64_t (*immediate)(std::uint32_t word);  // nullptr: not in Decoded::immediate
  bool pc_relative;                               // the instruction's address is added to the immediate
  std::uint8_t mode_shift, mode_bits;  // part of the word that goes to Decoded::mode; no bits: none
  std::string (*print)(const Decoded& decoded, std::uint64_t pc);
  bool in_mnemonic = false;  // printed behind it, without a comma
};

// nullptr if the word is not a token.
const OperandToken* find_token(std::string_view name);

// Calls visit(text, token or nullptr) for every piece of a syntax, left to right.
template <typename Visit>
void for_each_piece(std::string_view syntax, Visit visit) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  while (!syntax.empty()) {
    const bool word = is_word(syntax.front());
    std::size_t end = 1;
    while (end < syntax.size() && is_word(syntax[end]) == word) ++end;
    const std::string_view piece = syntax.substr(0, end);
    visit(piece, word ? find_token(piece) : nullptr);
    syntax.remove_prefix(end);
  }
}

}  // namespace dojo::isa
