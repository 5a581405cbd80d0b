// Arithmetic on x registers. rd is never x0 here.
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr std::int32_t small(const Decoded& d) { return static_cast<std::int32_t>(d.immediate); }
constexpr std::uint8_t amount(const Decoded& d) { return static_cast<std::uint8_t>(d.immediate); }

// Writes rd by `compute(r)`, in 32 bits and then sign-extended for the word instructions.
template <typename Compute>
bool result(W& w, const Decoded& d, Width width, Compute compute) {
  const Reg r = w.write(d.rd);
  compute(r);
  if (width == Width::word) w.as.load(4, true, r, r);
  return true;
}

Emit constant() {
  return [](W& w, const Decoded& d) {
    return result(w, d, Width::wide, [&](Reg r) { w.as.set(r, static_cast<std::uint64_t>(d.immediate)); });
  };
}

Emit two(Alu op, Width width = Width::wide) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, width, [&](Reg r) {
      if (op == Alu::add) return w.as.address(width, r, {a, 0, b});
      w.as.move(width, r, a);
      w.as.alu(op, width, r, b);
    });
  };
}

Emit with_immediate(Alu op, Width width = Width::wide) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, width, [&](Reg r) {
      if (op == Alu::add) return w.as.address(width, r, {a, small(d)});
      w.as.move(width, r, a);
      w.as.alu(op, width, r, small(d));
    });
  };
}

Emit shift(Shift op, Width width = Width::wide) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), count = w.read(d.rs2);
    return result(w, d, width, [&](Reg r) { w.as.shift(op, width, r, a, count); });
  };
}

Emit shift_immediate(Shift op, Width width = Width::wide) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, width, [&](Reg r) {
      w.as.move(width, r, a);
      w.as.shift(op, width, r, amount(d));
    });
  };
}

Emit multiply(Width width) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, width, [&](Reg r) {
      w.as.move(width, r, a);
      w.as.multiply(width, r, b);
    });
  };
}

Emit compare(Condition condition) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.alu(Alu::cmp, Width::wide, a, b);
      w.as.set_if(condition, W::scratch);
      w.as.load(1, false, r, W::scratch);
    });
  };
}

Emit compare_immediate(Condition condition) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.alu(Alu::cmp, Width::wide, RegMem(a), small(d));
      w.as.set_if(condition, W::scratch);
      w.as.load(1, false, r, W::scratch);
    });
  };
}

// (rs1 << log2) + rs2; `of_word`: of rs1's low word.
Emit shifted_sum(std::uint8_t log2, bool of_word) {
  return [=](W& w, const Decoded& d) {
    Reg a = w.read(d.rs1);
    const Reg b = w.read(d.rs2);
    if (of_word) {
      w.as.move(Width::word, W::scratch, a);
      a = W::scratch;
    }
    return result(w, d, Width::wide, [&](Reg r) { w.as.address(Width::wide, r, {b, 0, a, log2}); });
  };
}

bool shift_word_up(W& w, const Decoded& d) {  // slli.uw
  const Reg a = w.read(d.rs1);
  return result(w, d, Width::wide, [&](Reg r) {
    w.as.move(Width::word, r, a);
    w.as.shift(Shift::left, Width::wide, r, amount(d));
  });
}

Emit with_inverse(Alu op) {  // of rs2
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.move(Width::wide, r, b);
      w.as.invert(Width::wide, r);
      w.as.alu(op, Width::wide, r, a);
    });
  };
}

Emit choose(Condition second) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.move(Width::wide, r, a);
      w.as.alu(Alu::cmp, Width::wide, b, a);
      w.as.move_if(second, Width::wide, r, b);
    });
  };
}

Emit or_zero(Condition is_zero) {  // rs1, or 0 by what comparing rs2 with 0 says
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1), b = w.read(d.rs2);
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.move(Width::wide, r, a);
      w.as.set(W::scratch, 0);
      w.as.alu(Alu::cmp, Width::wide, RegMem(b), 0);
      w.as.move_if(is_zero, Width::wide, r, W::scratch);
    });
  };
}

Emit extend(unsigned bytes, bool is_signed) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, Width::wide, [&](Reg r) { w.as.load(bytes, is_signed, r, a); });
  };
}

Emit zeros(Width width, bool low) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, Width::wide, [&](Reg r) { w.as.count_zeros(width, low, r, a); });
  };
}

Emit ones(Width width) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    return result(w, d, Width::wide, [&](Reg r) { w.as.count_bits(width, r, a); });
  };
}

bool reverse_bytes(W& w, const Decoded& d) {
  const Reg a = w.read(d.rs1);
  return result(w, d, Width::wide, [&](Reg r) {
    w.as.move(Width::wide, r, a);
    w.as.swap_bytes(r);
  });
}

// One bit of rs1, named by rs2 or the immediate.
bool bit(W& w, const Decoded& d) {
  const Reg a = w.read(d.rs1), count = w.read(d.rs2);
  return result(w, d, Width::wide, [&](Reg r) {
    w.as.shift(Shift::right, Width::wide, r, a, count);
    w.as.alu(Alu::and_, Width::word, r, 1);
  });
}
bool bit_immediate(W& w, const Decoded& d) {
  const Reg a = w.read(d.rs1);
  return result(w, d, Width::wide, [&](Reg r) {
    w.as.move(Width::wide, r, a);
    w.as.shift(Shift::right, Width::wide, r, amount(d));
    w.as.alu(Alu::and_, Width::word, r, 1);
  });
}
Emit change_bit(Alu op, bool inverse) {
  return [=](W& w, const Decoded& d) {
    const Reg a = w.read(d.rs1);
    const std::uint64_t mask = std::uint64_t{1} << d.immediate;
    return result(w, d, Width::wide, [&](Reg r) {
      w.as.set(r, inverse ? ~mask : mask);
      w.as.alu(op, Width::wide, r, a);
    });
  };
}

}  // namespace

std::span<const Emitter> integer_emitters() {
  using enum Alu;
  constexpr Width word = Width::word, wide = Width::wide;
  static const Emitter table[] = {
      {"lui", constant()},
      {"auipc", constant()},
      {"addi", with_immediate(add)},
      {"xori", with_immediate(xor_)},
      {"ori", with_immediate(or_)},
      {"andi", with_immediate(and_)},
      {"addiw", with_immediate(add, word)},
      {"slti", compare_immediate(Condition::less)},
      {"sltiu", compare_immediate(Condition::below)},
      {"slli", shift_immediate(Shift::left)},
      {"srli", shift_immediate(Shift::right)},
      {"srai", shift_immediate(Shift::arithmetic)},
      {"slliw", shift_immediate(Shift::left, word)},
      {"srliw", shift_immediate(Shift::right, word)},
      {"sraiw", shift_immediate(Shift::arithmetic, word)},
      {"add", two(add)},
      {"sub", two(sub)},
      {"xor", two(xor_)},
      {"or", two(or_)},
      {"and", two(and_)},
      {"addw", two(add, word)},
      {"subw", two(sub, word)},
      {"slt", compare(Condition::less)},
      {"sltu", compare(Condition::below)},
      {"sll", shift(Shift::left)},
      {"srl", shift(Shift::right)},
      {"sra", shift(Shift::arithmetic)},
      {"sllw", shift(Shift::left, word)},
      {"srlw", shift(Shift::right, word)},
      {"sraw", shift(Shift::arithmetic, word)},
      {"mul", multiply(wide)},
      {"mulw", multiply(word)},

      {"czero.eqz", or_zero(Condition::equal)},
      {"czero.nez", or_zero(Condition::not_equal)},

      {"add.uw", shifted_sum(0, true)},
      {"sh1add", shifted_sum(1, false)},
      {"sh2add", shifted_sum(2, false)},
      {"sh3add", shifted_sum(3, false)},
      {"sh1add.uw", shifted_sum(1, true)},
      {"sh2add.uw", shifted_sum(2, true)},
      {"sh3add.uw", shifted_sum(3, true)},
      {"slli.uw", shift_word_up},

      {"andn", with_inverse(and_)},
      {"orn", with_inverse(or_)},
      {"xnor", with_inverse(xor_)},
      {"max", choose(Condition::greater)},
      {"maxu", choose(Condition::above)},
      {"min", choose(Condition::less)},
      {"minu", choose(Condition::below)},
      {"clz", zeros(wide, false)},
      {"ctz", zeros(wide, true)},
      {"clzw", zeros(word, false)},
      {"ctzw", zeros(word, true)},
      {"cpop", ones(wide)},
      {"cpopw", ones(word)},
      {"sext.b", extend(1, true)},
      {"sext.h", extend(2, true)},
      {"zext.h", extend(2, false)},
      {"rori", shift_immediate(Shift::rotate_right)},
      {"roriw", shift_immediate(Shift::rotate_right, word)},
      {"rev8", reverse_bytes},

      {"bext", bit},
      {"bexti", bit_immediate},
      {"bseti", change_bit(or_, false)},
      {"binvi", change_bit(xor_, false)},
      {"bclri", change_bit(and_, true)},
  };
  return table;
}

}  // namespace dojo::translate
