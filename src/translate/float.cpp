// Scalar floating point in single and double precision, as float_host.h says: the host is in the hart's
// rounding mode and holds its flags. A NaN or a number that is not boxed takes the slow path.
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr unsigned dynamic_rounding = 7;
constexpr Vec v0 = W::scratch_vector, v1 = W::second_scratch_vector;
constexpr Width width_of(unsigned bytes) { return bytes == 8 ? Width::wide : Width::word; }

void check_box(W& w, unsigned r, unsigned bytes, Label& not_plain) {
  if (bytes == 8 || w.is_boxed(r)) return;
  w.as.alu(Alu::cmp, Width::word, RegMem(W::f(r, 4)), -1);
  w.as.jump_if(Condition::not_equal, not_plain);
}

void read(W& w, Vec to, unsigned r, unsigned bytes, Label& not_plain) {
  check_box(w, r, bytes, not_plain);
  w.as.move_to_vector(width_of(bytes), to, W::f(r));
}

// Writes what is in `from`, boxed.
void write(W& w, unsigned r, Vec from, unsigned bytes) {
  w.set_boxed(r, bytes == 4);
  if (bytes == 8) return w.as.move_from_vector(Width::wide, W::f(r), from);
  w.as.move_from_vector(Width::word, W::scratch, from);
  w.as.set(W::second_scratch, 0xffffffff00000000);
  w.as.alu(Alu::or_, Width::wide, W::scratch, W::second_scratch);
  w.as.store(8, W::f(r), W::scratch);
}

void write_number(W& w, const Decoded& d, Vec result, unsigned bytes, Label& not_plain) {
  w.as.compare_scalar(bytes, result, result);
  w.as.jump_if(Condition::unordered, not_plain);
  write(w, d.rd, result, bytes);
}

Emit two(std::uint8_t opcode, unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    if (d.mode != dynamic_rounding) return false;
    Label& not_plain = w.slow_path();
    check_box(w, d.rs2, bytes, not_plain);
    read(w, v0, d.rs1, bytes, not_plain);
    w.as.scalar(false, bytes == 8 ? 3 : 2, 1, opcode, v0, v0, W::f(d.rs2));
    write_number(w, d, v0, bytes, not_plain);
    return true;
  };
}

// The host's 231 forms: to = +-(a * b) +- to.
Emit fused(std::uint8_t opcode, unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    if (d.mode != dynamic_rounding) return false;
    Label& not_plain = w.slow_path();
    check_box(w, d.rs2, bytes, not_plain);
    read(w, v0, d.rs3, bytes, not_plain);
    read(w, v1, d.rs1, bytes, not_plain);
    w.as.scalar(bytes == 8, 1, 2, opcode, v0, v1, W::f(d.rs2));
    write_number(w, d, v0, bytes, not_plain);
    return true;
  };
}

// Only where it moves a whole register's number: fmv.s, fmv.d.
Emit move(unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    if (d.rs1 != d.rs2) return false;
    Label& not_plain = w.slow_path();
    check_box(w, d.rs1, bytes, not_plain);
    w.as.move(Width::wide, W::scratch, W::f(d.rs1));
    w.as.store(8, W::f(d.rd), W::scratch);
    w.set_boxed(d.rd, bytes == 4);
    return true;
  };
}

bool from_integer_bits_wide(W& w, const Decoded& d) {
  w.as.store(8, W::f(d.rd), w.read(d.rs1));
  w.set_boxed(d.rd, false);
  return true;
}
bool from_integer_bits(W& w, const Decoded& d) {
  w.as.move(Width::word, W::scratch, w.read(d.rs1));
  w.as.set(W::second_scratch, 0xffffffff00000000);
  w.as.alu(Alu::or_, Width::wide, W::scratch, W::second_scratch);
  w.as.store(8, W::f(d.rd), W::scratch);
  w.set_boxed(d.rd, true);
  return true;
}
Emit to_integer_bits(unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    if (d.rd == 0) return true;
    w.as.load(bytes, true, w.write(d.rd), W::f(d.rs1));
    return true;
  };
}

}  // namespace

std::span<const Emitter> float_emitters() {
  constexpr std::uint8_t add = 0x58, sub = 0x5c, mul = 0x59;
  constexpr std::uint8_t madd = 0xb9, msub = 0xbb, nmadd_of_host = 0xbd, nmsub_of_host = 0xbf;
  static const Emitter table[] = {
      {"fadd.s", two(add, 4)},
      {"fadd.d", two(add, 8)},
      {"fsub.s", two(sub, 4)},
      {"fsub.d", two(sub, 8)},
      {"fmul.s", two(mul, 4)},
      {"fmul.d", two(mul, 8)},
      {"fmadd.s", fused(madd, 4)},
      {"fmadd.d", fused(madd, 8)},
      {"fmsub.s", fused(msub, 4)},
      {"fmsub.d", fused(msub, 8)},
      {"fnmsub.s", fused(nmadd_of_host, 4)},  // RISC-V's -(a * b) + c
      {"fnmsub.d", fused(nmadd_of_host, 8)},
      {"fnmadd.s", fused(nmsub_of_host, 4)},  // -(a * b) - c
      {"fnmadd.d", fused(nmsub_of_host, 8)},
      {"fsgnj.s", move(4)},
      {"fsgnj.d", move(8)},
      {"fmv.w.x", from_integer_bits},
      {"fmv.d.x", from_integer_bits_wide},
      {"fmv.x.w", to_integer_bits(4)},
      {"fmv.x.d", to_integer_bits(8)},
  };
  return table;
}

}  // namespace dojo::translate
