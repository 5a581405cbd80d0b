// Branches and jumps: the last instruction of a block.
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr std::uint64_t target_of(const Decoded& d) { return static_cast<std::uint64_t>(d.immediate); }

Emit branch(Condition condition) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    w.as.alu(Alu::cmp, Width::wide, a, b);
    w.branch(condition, target_of(d));
    return true;
  };
}

void link(W& w, const Decoded& d) {
  if (d.rd == 0) return;
  w.as.set(w.write(d.rd), w.next_pc());
}

bool jump(W& w, const Decoded& d) {
  link(w, d);
  w.jump_to(target_of(d));
  return true;
}

bool jump_to_register(W& w, const Decoded& d) {
  w.as.address(Width::wide, W::scratch, {w.read(d.rs1), static_cast<std::int32_t>(d.immediate)});
  w.as.alu(Alu::and_, Width::wide, RegMem(W::scratch), -2);
  link(w, d);
  w.jump_to_scratch();
  return true;
}

bool nothing(W&, const Decoded&) { return true; }

}  // namespace

std::span<const Emitter> control_emitters() {
  static const Emitter table[] = {
      {"beq", branch(Condition::equal)},
      {"bne", branch(Condition::not_equal)},
      {"blt", branch(Condition::less)},
      {"bge", branch(Condition::not_less)},
      {"bltu", branch(Condition::below)},
      {"bgeu", branch(Condition::not_below)},
      {"jal", jump},
      {"jalr", jump_to_register},
      {"fence", nothing},
  };
  return table;
}

}  // namespace dojo::translate
