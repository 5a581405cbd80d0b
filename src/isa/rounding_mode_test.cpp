// Does everything that computes with floats trap while frm holds no rounding mode?
#include <gtest/gtest.h>

#include <memory>

#include "isa/float_host.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::isa {
namespace {

constexpr unsigned modes = 8;

// Whether the instruction traps in this configuration and mode.
bool traps(std::uint32_t word, std::uint64_t vtype, unsigned frm) {
  static const auto pristine = std::make_unique<Hart>();
  auto hart = std::make_unique<Hart>(*pristine);
  set_vtype(*hart, vtype);
  hart->vl = vector_length_limit(*hart);
  hart->frm = static_cast<std::uint8_t>(frm);
  begin_floats(*hart);
  execute_alone(*hart, decode(word, 0));
  end_floats(*hart);
  return hart->stop == Stop::trap && hart->trap == TrapCause::illegal_instruction;
}

// V 1.0, chapter 13: all of OP-V's formats FVV and FVF, whether or not they round.
TEST(RoundingMode, NoVectorFloatRunsWithoutOne) {
  constexpr std::uint32_t op_v = 0x57, fvv = 1, fvf = 5, registers = 16 << 7 | 8 << 15 | 24 << 20 | 1 << 25;
  unsigned rows = 0;
  for (const Row* row : all_rows()) {
    const unsigned format = row->match >> 12 & 7;
    if ((row->match & 0x7f) != op_v || (format != fvv && format != fvf)) continue;
    unsigned legal = 0;
    for (unsigned sew = 0; sew < 4; ++sew)
      for (unsigned lmul = 0; lmul < 8; ++lmul) {
        const std::uint32_t word = row->match | (registers & ~row->mask);
        const std::uint64_t vtype = sew << 3 | lmul;
        if (traps(word, vtype, rne)) continue;
        ++legal;
        for (unsigned frm = 0; frm < modes; ++frm)
          EXPECT_EQ(traps(word, vtype, frm), frm > rmm) << row->mnemonic << " sew " << sew << " frm " << frm;
      }
    EXPECT_NE(legal, 0u) << row->mnemonic;
    ++rows;
  }
  EXPECT_GT(rows, 90u);
}

// Those without a field for a rounding mode (signs, compares, moves) need none.
TEST(RoundingMode, ScalarFloatsAskForOneIfTheyAreDynamic) {
  unsigned rows = 0;
  for (const Row* row : all_rows()) {
    if (row->rs1 != Operand::f_read && row->rd != Operand::f_write) continue;
    if ((row->match & 0x7f) == 0x57 || row->unit == Unit::load || row->unit == Unit::store) continue;
    const bool asks = row->syntax.find("rm") != std::string_view::npos;
    EXPECT_EQ(asks, (row->mask >> 12 & 7) == 0) << row->mnemonic;
    rows += asks;
    for (unsigned frm = 0; frm < modes; ++frm)
      for (unsigned rm = 0; rm < modes; ++rm) {
        const std::uint32_t word = row->match | (asks ? rm << 12 : 0);
        const bool is_a_mode = (rm == dynamic ? frm : rm) <= rmm;
        EXPECT_EQ(traps(word, 0, frm), asks && !is_a_mode) << row->mnemonic << " rm " << rm << " frm " << frm;
      }
  }
  EXPECT_GT(rows, 50u);
}

}  // namespace
}  // namespace dojo::isa
