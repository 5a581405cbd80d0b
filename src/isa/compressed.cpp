#include "isa/compressed.h"

namespace dojo::isa {
namespace {

using u32 = std::uint32_t;

// Bits high..low of h, moved so that the lowest lands at `to`.
constexpr u32 part(u32 h, unsigned high, unsigned low, unsigned to) {
  return ((h >> low) & ((1u << (high - low + 1)) - 1)) << to;
}
constexpr u32 sign_extend(u32 value, unsigned width) {
  return static_cast<u32>(static_cast<std::int32_t>(value << (32 - width)) >> (32 - width));
}

// Register fields: full, and the short ones that name x8..x15.
constexpr u32 rd(u32 h) { return part(h, 11, 7, 0); }
constexpr u32 rs2(u32 h) { return part(h, 6, 2, 0); }
constexpr u32 short_high(u32 h) { return 8 + part(h, 9, 7, 0); }
constexpr u32 short_low(u32 h) { return 8 + part(h, 4, 2, 0); }

// Immediates, by the instructions that scatter their bits in the same way.
constexpr u32 imm6(u32 h) { return sign_extend(part(h, 12, 12, 5) | part(h, 6, 2, 0), 6); }
constexpr u32 shift(u32 h) { return part(h, 12, 12, 5) | part(h, 6, 2, 0); }
constexpr u32 bytes(u32 h) { return part(h, 6, 6, 0) | part(h, 5, 5, 1); }
constexpr u32 halves(u32 h) { return part(h, 5, 5, 1); }
constexpr u32 words(u32 h) { return part(h, 12, 10, 3) | part(h, 6, 6, 2) | part(h, 5, 5, 6); }
constexpr u32 doubles(u32 h) { return part(h, 12, 10, 3) | part(h, 6, 5, 6); }
constexpr u32 words_sp(u32 h) { return part(h, 12, 12, 5) | part(h, 6, 4, 2) | part(h, 3, 2, 6); }
constexpr u32 doubles_sp(u32 h) { return part(h, 12, 12, 5) | part(h, 6, 5, 3) | part(h, 4, 2, 6); }
constexpr u32 store_words_sp(u32 h) { return part(h, 12, 9, 2) | part(h, 8, 7, 6); }
constexpr u32 store_doubles_sp(u32 h) { return part(h, 12, 10, 3) | part(h, 9, 7, 6); }
constexpr u32 addi4spn(u32 h) {
  return part(h, 12, 11, 4) | part(h, 10, 7, 6) | part(h, 6, 6, 2) | part(h, 5, 5, 3);
}
constexpr u32 addi16sp(u32 h) {
  return sign_extend(
      part(h, 12, 12, 9) | part(h, 6, 6, 4) | part(h, 5, 5, 6) | part(h, 4, 3, 7) | part(h, 2, 2, 5), 10);
}
constexpr u32 jump(u32 h) {
  return sign_extend(part(h, 12, 12, 11) | part(h, 11, 11, 4) | part(h, 10, 9, 8) | part(h, 8, 8, 10) |
                         part(h, 7, 7, 6) | part(h, 6, 6, 7) | part(h, 5, 3, 1) | part(h, 2, 2, 5),
                     12);
}
constexpr u32 branch(u32 h) {
  return sign_extend(
      part(h, 12, 12, 8) | part(h, 11, 10, 3) | part(h, 6, 5, 6) | part(h, 4, 3, 1) | part(h, 2, 2, 5), 9);
}

// 32-bit formats. `base` holds opcode and functions.
constexpr u32 r_type(u32 base, u32 d, u32 s1, u32 s2) { return base | d << 7 | s1 << 15 | s2 << 20; }
constexpr u32 i_type(u32 base, u32 d, u32 s1, u32 imm) { return base | d << 7 | s1 << 15 | imm << 20; }
constexpr u32 s_type(u32 base, u32 s1, u32 s2, u32 imm) {
  return base | part(imm, 4, 0, 7) | s1 << 15 | s2 << 20 | part(imm, 11, 5, 25);
}
constexpr u32 b_type(u32 base, u32 s1, u32 imm) {
  return base | s1 << 15 | part(imm, 11, 11, 7) | part(imm, 4, 1, 8) | part(imm, 10, 5, 25) |
         part(imm, 12, 12, 31);
}
constexpr u32 j_type(u32 base, u32 imm) {
  return base | part(imm, 19, 12, 12) | part(imm, 11, 11, 20) | part(imm, 10, 1, 21) | part(imm, 20, 20, 31);
}
constexpr u32 may_be(u32) { return 0x00000013; }  // c.mop.n writes no register
constexpr u32 unless_zero(u32 value, u32 word) { return value == 0 ? 0 : word; }

// clang-format off
#define AS(word) [](u32 h) -> u32 { return word; }
constexpr CompressedRow rows[] = {
  // The first match wins: special operands stand before the general case.
  // mnemonic      match   mask    ext      syntax            the 32-bit instruction
  {"c.addi4spn",  0x0000, 0xe003, "C",     "rd, rs1, imm",    AS(unless_zero(addi4spn(h), i_type(0x00000013, short_low(h), 2, addi4spn(h))))},
  {"c.fld",       0x2000, 0xe003, "C",     "fd, imm(rs1)",    AS(i_type(0x00003007, short_low(h), short_high(h), doubles(h)))},
  {"c.lw",        0x4000, 0xe003, "C",     "rd, imm(rs1)",    AS(i_type(0x00002003, short_low(h), short_high(h), words(h)))},
  {"c.ld",        0x6000, 0xe003, "C",     "rd, imm(rs1)",    AS(i_type(0x00003003, short_low(h), short_high(h), doubles(h)))},
  {"c.lbu",       0x8000, 0xfc03, "Zcb",   "rd, imm(rs1)",    AS(i_type(0x00004003, short_low(h), short_high(h), bytes(h)))},
  {"c.lhu",       0x8400, 0xfc43, "Zcb",   "rd, imm(rs1)",    AS(i_type(0x00005003, short_low(h), short_high(h), halves(h)))},
  {"c.lh",        0x8440, 0xfc43, "Zcb",   "rd, imm(rs1)",    AS(i_type(0x00001003, short_low(h), short_high(h), halves(h)))},
  {"c.sb",        0x8800, 0xfc03, "Zcb",   "rs2, imm(rs1)",   AS(s_type(0x00000023, short_high(h), short_low(h), bytes(h)))},
  {"c.sh",        0x8c00, 0xfc43, "Zcb",   "rs2, imm(rs1)",   AS(s_type(0x00001023, short_high(h), short_low(h), halves(h)))},
  {"c.fsd",       0xa000, 0xe003, "C",     "fs2, imm(rs1)",   AS(s_type(0x00003027, short_high(h), short_low(h), doubles(h)))},
  {"c.sw",        0xc000, 0xe003, "C",     "rs2, imm(rs1)",   AS(s_type(0x00002023, short_high(h), short_low(h), words(h)))},
  {"c.sd",        0xe000, 0xe003, "C",     "rs2, imm(rs1)",   AS(s_type(0x00003023, short_high(h), short_low(h), doubles(h)))},

  {"c.nop",       0x0001, 0xffff, "C",     "",                AS((static_cast<void>(h), 0x00000013))},
  {"c.nop",       0x0001, 0xef83, "C",     "imm",             AS(i_type(0x00000013, 0, 0, imm6(h)))},
  {"c.addi",      0x0001, 0xe003, "C",     "rd, imm",         AS(i_type(0x00000013, rd(h), rd(h), imm6(h)))},
  {"c.addiw",     0x2001, 0xe003, "C",     "rd, imm",         AS(unless_zero(rd(h), i_type(0x0000001b, rd(h), rd(h), imm6(h))))},
  {"c.li",        0x4001, 0xe003, "C",     "rd, imm",         AS(i_type(0x00000013, rd(h), 0, imm6(h)))},
  {"c.addi16sp",  0x6101, 0xef83, "C",     "rd, imm",         AS(unless_zero(addi16sp(h), i_type(0x00000013, 2, 2, addi16sp(h))))},
  {"c.mop.1",     0x6081, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.3",     0x6181, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.5",     0x6281, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.7",     0x6381, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.9",     0x6481, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.11",    0x6581, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.13",    0x6681, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.mop.15",    0x6781, 0xffff, "Zcmop", "",                AS(may_be(h))},
  {"c.lui",       0x6001, 0xe003, "C",     "rd, cimm20",      AS(unless_zero(imm6(h), 0x00000037 | rd(h) << 7 | imm6(h) << 12))},
  {"c.srli",      0x8001, 0xec03, "C",     "rd, imm",         AS(i_type(0x00005013, short_high(h), short_high(h), shift(h)))},
  {"c.srai",      0x8401, 0xec03, "C",     "rd, imm",         AS(i_type(0x40005013, short_high(h), short_high(h), shift(h)))},
  {"c.andi",      0x8801, 0xec03, "C",     "rd, imm",         AS(i_type(0x00007013, short_high(h), short_high(h), imm6(h)))},
  {"c.sub",       0x8c01, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x40000033, short_high(h), short_high(h), short_low(h)))},
  {"c.xor",       0x8c21, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x00004033, short_high(h), short_high(h), short_low(h)))},
  {"c.or",        0x8c41, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x00006033, short_high(h), short_high(h), short_low(h)))},
  {"c.and",       0x8c61, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x00007033, short_high(h), short_high(h), short_low(h)))},
  {"c.subw",      0x9c01, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x4000003b, short_high(h), short_high(h), short_low(h)))},
  {"c.addw",      0x9c21, 0xfc63, "C",     "rd, rs2",         AS(r_type(0x0000003b, short_high(h), short_high(h), short_low(h)))},
  {"c.mul",       0x9c41, 0xfc63, "Zcb",   "rd, rs2",         AS(r_type(0x02000033, short_high(h), short_high(h), short_low(h)))},
  {"c.zext.b",    0x9c61, 0xfc7f, "Zcb",   "rd",              AS(i_type(0x00007013, short_high(h), short_high(h), 0xff))},
  {"c.sext.b",    0x9c65, 0xfc7f, "Zcb",   "rd",              AS(i_type(0x60401013, short_high(h), short_high(h), 0))},
  {"c.zext.h",    0x9c69, 0xfc7f, "Zcb",   "rd",              AS(i_type(0x0800403b, short_high(h), short_high(h), 0))},
  {"c.sext.h",    0x9c6d, 0xfc7f, "Zcb",   "rd",              AS(i_type(0x60501013, short_high(h), short_high(h), 0))},
  {"c.zext.w",    0x9c71, 0xfc7f, "Zcb",   "rd",              AS(r_type(0x0800003b, short_high(h), short_high(h), 0))},
  {"c.not",       0x9c75, 0xfc7f, "Zcb",   "rd",              AS(i_type(0xfff04013, short_high(h), short_high(h), 0))},
  {"c.j",         0xa001, 0xe003, "C",     "pcoffset",        AS(j_type(0x0000006f, jump(h)))},
  {"c.beqz",      0xc001, 0xe003, "C",     "rs1, pcoffset",   AS(b_type(0x00000063, short_high(h), branch(h)))},
  {"c.bnez",      0xe001, 0xe003, "C",     "rs1, pcoffset",   AS(b_type(0x00001063, short_high(h), branch(h)))},

  {"c.slli",      0x0002, 0xe003, "C",     "rd, imm",         AS(i_type(0x00001013, rd(h), rd(h), shift(h)))},
  {"c.fldsp",     0x2002, 0xe003, "C",     "fd, imm(rs1)",    AS(i_type(0x00003007, rd(h), 2, doubles_sp(h)))},
  {"c.lwsp",      0x4002, 0xe003, "C",     "rd, imm(rs1)",    AS(unless_zero(rd(h), i_type(0x00002003, rd(h), 2, words_sp(h))))},
  {"c.ldsp",      0x6002, 0xe003, "C",     "rd, imm(rs1)",    AS(unless_zero(rd(h), i_type(0x00003003, rd(h), 2, doubles_sp(h))))},
  {"c.jr",        0x8002, 0xf07f, "C",     "rs1",             AS(unless_zero(rd(h), i_type(0x00000067, 0, rd(h), 0)))},
  {"c.mv",        0x8002, 0xf003, "C",     "rd, rs2",         AS(r_type(0x00000033, rd(h), 0, rs2(h)))},
  {"c.ebreak",    0x9002, 0xffff, "C",     "",                AS((static_cast<void>(h), 0x00100073))},
  {"c.jalr",      0x9002, 0xf07f, "C",     "rs1",             AS(i_type(0x00000067, 1, rd(h), 0))},
  {"c.add",       0x9002, 0xf003, "C",     "rd, rs2",         AS(r_type(0x00000033, rd(h), rd(h), rs2(h)))},
  {"c.fsdsp",     0xa002, 0xe003, "C",     "fs2, imm(rs1)",   AS(s_type(0x00003027, 2, rs2(h), store_doubles_sp(h)))},
  {"c.swsp",      0xc002, 0xe003, "C",     "rs2, imm(rs1)",   AS(s_type(0x00002023, 2, rs2(h), store_words_sp(h)))},
  {"c.sdsp",      0xe002, 0xe003, "C",     "rs2, imm(rs1)",   AS(s_type(0x00003023, 2, rs2(h), store_doubles_sp(h)))},
};
#undef AS
// clang-format on

}  // namespace

std::span<const CompressedRow> compressed_rows() { return rows; }

const CompressedRow* find_compressed(std::uint16_t half) {
  for (const CompressedRow& row : rows)
    if ((half & row.mask) == row.match) return row.expand(half) != 0 ? &row : nullptr;
  return nullptr;
}

std::uint32_t expand(std::uint16_t half) {
  const CompressedRow* row = find_compressed(half);
  return row == nullptr ? 0 : row->expand(half);
}

}  // namespace dojo::isa
