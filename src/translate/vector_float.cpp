// FP32 and FP64 arithmetic on vectors, unmasked. Where a NaN comes out, and if a scalar is not boxed, the
// meaning does it.
#include <algorithm>
#include <array>

#include "translate/emitters.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

enum class First { vector, scalar };

// The pieces of an instruction's operands; vs1 only if it is a vector.
struct Operands {
  Setting setting;
  Pieces pieces;
  unsigned vd, vs2, vs1 = 0;
};

constexpr std::uint64_t most_elements = 256;  // vstart is written as one byte's worth of groups

std::optional<Operands> operands_of(const W& w, const Decoded& d, First first) {
  const Setting s = setting_of(w.vectors());
  const auto fits = [&](unsigned r) { return r % s.registers == 0; };
  if (!s.is_plain || s.sew_bytes < 4 || is_masked(d) || !fits(d.rd) || !fits(d.rs2) ||
      (first == First::vector && !fits(d.rs1)) || w.vectors().vl > most_elements)
    return std::nullopt;
  const auto pieces = pieces_of(w, s.bytes);
  const auto vd = w.first_piece(d.rd), vs2 = w.first_piece(d.rs2), vs1 = w.first_piece(d.rs1);
  if (!pieces || !vd || !vs2 || (first == First::vector && !vs1)) return std::nullopt;
  return Operands{s, *pieces, *vd, *vs2, vs1.value_or(0)};
}

VectorOp of_width(VectorOp op, const Setting& s) {
  op.wide = s.sew_bytes == 8;
  if (op.wide && op.map == 1) op.prefix = 1;
  return op;
}

// f[rs1], boxed as it should be, in every element.
Vec spread_float(W& w, const Decoded& d, const Setting& s) {
  if (s.sew_bytes == 4 && !w.is_boxed(d.rs1)) {
    w.as.alu(Alu::cmp, Width::word, Operand(W::f(d.rs1, 4)), -1);
    w.as.jump_if(If::not_equal, w.meaning());
  }
  const Vec all = w.fresh();
  w.as.spread(s.sew_bytes, all, W::f(d.rs1));
  return all;
}

// Runs compute(piece), which leaves a piece of the result in a fresh register, for some pieces at once before
// it looks for NaN in them. From the element where one comes out on, the meaning does it: nothing of that
// group has become vd's.
template <typename Compute>
void each_piece(W& w, const Operands& o, Compute compute) {
  const unsigned at_once = w.as.has_masks() ? 8 : 4;
  std::array<Vec, 8> results{};
  o.pieces.set_part(w, o.setting.sew_bytes);
  for (unsigned first = 0; first < o.pieces.count(); first += at_once) {
    const unsigned count = std::min(at_once, o.pieces.count() - first);
    for (unsigned i = 0; i < count; ++i) results[i] = compute(first + i);
    const unsigned whole = o.pieces.is_part(first + count - 1) ? count - 1 : count;
    const unsigned done = first * o.pieces.piece_bytes / o.setting.sew_bytes;
    const auto label = [&]() -> Label& { return w.meaning(done); };
    check_numbers(w, {results.data(), whole}, o.setting.sew_bytes, label);
    if (whole != count) {
      w.as.compare_unordered(o.setting.sew_bytes, Mask::k2, results[whole], results[whole], Pieces::part);
      w.as.test_mask(w.piece_bytes() / o.setting.sew_bytes, Mask::k2);
      w.as.jump_if(If::not_equal, label());
    }
    for (unsigned i = 0; i < count; ++i) w.becomes(o.vd + first + i, results[i]);
  }
}

// A register for a piece of the result; a part keeps the elements of vd behind it.
Vec result_of(W& w, const Operands& o, unsigned piece, Mask& under) {
  under = o.pieces.is_part(piece) ? Pieces::part : Mask::k0;
  const Vec to = w.fresh();
  if (under == Mask::k0) return to;
  const Vec before = w.piece(o.vd + piece);
  w.as.move_vector(to, before);
  w.release(before);
  return to;
}

// vs2 op vs1; `reversed`: the other way round.
Emit arithmetic(std::uint8_t opcode, First first, bool reversed = false) {
  return [=](W& w, const Decoded& d) {
    const auto o = operands_of(w, d, first);
    if (!o) return false;
    const VectorOp op = of_width({0, 1, opcode}, o->setting);
    const Vec scalar = first == First::scalar ? spread_float(w, d, o->setting) : Vec{};
    each_piece(w, *o, [&](unsigned i) {
      Mask under;
      const Vec to = result_of(w, *o, i, under), a = w.piece(o->vs2 + i);
      const Vec b = first == First::scalar ? scalar : w.piece(o->vs1 + i);
      reversed ? w.as.vector(op, to, b, a, under) : w.as.vector(op, to, a, b, under);
      w.release(a);
      if (first == First::vector) w.release(b);
      return to;
    });
    return true;
  };
}

// +-(a * b) +- c. `accumulates`: c is vd, a vs2 (the host's form 231); otherwise a is vd, c vs2 (213). b is
// vs1.
Emit fused(std::uint8_t opcode, bool accumulates, First first) {
  return [=](W& w, const Decoded& d) {
    const auto o = operands_of(w, d, first);
    if (!o) return false;
    constexpr std::uint8_t from_231_to_213 = 0x10;
    const auto form = static_cast<std::uint8_t>(accumulates ? opcode : opcode - from_231_to_213);
    const VectorOp op = of_width({1, 2, form}, o->setting);
    const Vec scalar = first == First::scalar ? spread_float(w, d, o->setting) : Vec{};
    each_piece(w, *o, [&](unsigned i) {
      const Vec to = w.fresh(), before = w.piece(o->vd + i);
      w.as.move_vector(to, before);
      w.release(before);
      const Vec second = w.piece(o->vs2 + i), b = first == First::scalar ? scalar : w.piece(o->vs1 + i);
      const Mask under = o->pieces.is_part(i) ? Pieces::part : Mask::k0;
      w.as.vector(op, to, b, second, under);
      w.release(second);
      if (first == First::vector) w.release(b);
      return to;
    });
    return true;
  };
}

bool splat(W& w, const Decoded& d) {
  const auto o = operands_of(w, d, First::scalar);
  if (!o) return false;
  const Vec scalar = spread_float(w, d, o->setting);
  o->pieces.set_part(w, o->setting.sew_bytes);
  for (unsigned i = 0; i < o->pieces.count(); ++i) {
    Mask under;
    const Vec to = result_of(w, *o, i, under);
    w.as.vector(of_width({0, 1, 0x54}, o->setting), to, scalar, scalar, under);  // and
    w.becomes(o->vd + i, to);
  }
  return true;
}

}  // namespace

std::span<const Emitter> vector_float_emitters() {
  using enum First;
  constexpr std::uint8_t add = 0x58, sub = 0x5c, mul = 0x59;
  // The host's names; RISC-V's vfnmsac is -(a * b) + c, its vfnmacc -(a * b) - c.
  constexpr std::uint8_t madd = 0xb8, msub = 0xba, minus_product = 0xbc, minus_both = 0xbe;
  static const Emitter table[] = {
      {"vfadd.vv", arithmetic(add, vector)},
      {"vfadd.vf", arithmetic(add, scalar)},
      {"vfsub.vv", arithmetic(sub, vector)},
      {"vfsub.vf", arithmetic(sub, scalar)},
      {"vfrsub.vf", arithmetic(sub, scalar, true)},
      {"vfmul.vv", arithmetic(mul, vector)},
      {"vfmul.vf", arithmetic(mul, scalar)},
      {"vfmacc.vv", fused(madd, true, vector)},
      {"vfmacc.vf", fused(madd, true, scalar)},
      {"vfmsac.vv", fused(msub, true, vector)},
      {"vfmsac.vf", fused(msub, true, scalar)},
      {"vfnmsac.vv", fused(minus_product, true, vector)},
      {"vfnmsac.vf", fused(minus_product, true, scalar)},
      {"vfnmacc.vv", fused(minus_both, true, vector)},
      {"vfnmacc.vf", fused(minus_both, true, scalar)},
      {"vfmadd.vv", fused(madd, false, vector)},
      {"vfmadd.vf", fused(madd, false, scalar)},
      {"vfmsub.vv", fused(msub, false, vector)},
      {"vfmsub.vf", fused(msub, false, scalar)},
      {"vfnmsub.vv", fused(minus_product, false, vector)},
      {"vfnmsub.vf", fused(minus_product, false, scalar)},
      {"vfnmadd.vv", fused(minus_both, false, vector)},
      {"vfnmadd.vf", fused(minus_both, false, scalar)},
      {"vfmv.v.f", splat},
  };
  return table;
}

}  // namespace dojo::translate
