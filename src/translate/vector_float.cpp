// FP32 and FP64 arithmetic on vectors. Where a NaN comes out, and if a scalar is not boxed, the
// slow path does it.
#include "translate/emitters.h"
#include "translate/vector_pieces.h"
#include "translate/vector_scalars.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr std::uint64_t most_elements = 256;
constexpr std::uint8_t divide = 0x5e;
constexpr VectorOp range{1, 3, 0x50}, ternary{1, 3, 0x25}, square_root{0, 1, 0x51}, and_bits{1, 1, 0xdb};

std::optional<GroupOperands> floats_of(const W& w, const Decoded& d) {
  auto o = operands_of(w, d);
  if (!o || o->setting.sew_bytes < 4 || w.vectors().vl > most_elements) return std::nullopt;
  return o;
}

VectorOp of_width(VectorOp op, const Setting& s) {
  op.wide = s.sew_bytes == 8;
  if (op.wide && op.map == 1) op.prefix = 1;  // of packed doubles
  return op;
}

// compute(to, vs2's piece, vs1's piece or scalar, mask), then `each_piece`.
template <typename Compute>
bool two_sources(W& w, const Decoded& d, Compute compute) {
  const auto o = floats_of(w, d);
  if (!o) return false;
  const FirstSource first(w, d, *o);
  each_piece(w, *o, [&](unsigned i, const Selected& under) {
    const Vec to = result_of(w, *o, i, under), a = w.piece(o->vs2 + i);
    const Vec b = first.piece(i);
    const SourcePiece used_a(w, a, under), used_b(w, b, under);
    compute(o->setting, to, used_a.vec(), used_b.vec(), under.mask);
    used_a.release();
    used_b.release();
    w.release(a);
    first.release(b);
    return to;
  });
  return true;
}

// vs2 op vs1; `reversed`: the other way round.
Emit arithmetic(std::uint8_t opcode, bool reversed = false) {
  return [=](W& w, const Decoded& d) {
    if (opcode == divide && is_masked(d) && !w.as.has_masks()) return false;
    return two_sources(w, d, [&](const Setting& s, Vec to, Vec a, Vec b, Mask under) {
      reversed ? w.as.vector(of_width({0, 1, opcode}, s), to, b, a, under)
               : w.as.vector(of_width({0, 1, opcode}, s), to, a, b, under);
    });
  };
}

// The smaller or larger, by AVX-512: a NaN gives way to a number, -0 is below +0.
Emit extreme(bool maximum) {
  return [=](W& w, const Decoded& d) {
    if (!w.as.has_masks()) return false;
    constexpr std::uint8_t with_its_sign = 4;
    return two_sources(w, d, [&](const Setting& s, Vec to, Vec a, Vec b, Mask under) {
      const auto which = static_cast<std::uint8_t>(with_its_sign | (maximum ? 1 : 0));
      w.as.vector_with(of_width(range, s), to, a, b, which, under);
    });
  };
}

bool root(W& w, const Decoded& d) {
  const auto o = floats_of(w, d);
  if (!o) return false;
  each_piece(w, *o, [&](unsigned i, const Selected& under) {
    const Vec to = result_of(w, *o, i, under), a = w.piece(o->vs2 + i);
    const SourcePiece used(w, a, under);
    w.as.vector(of_width(square_root, o->setting), to, Vec{}, used.vec(), under.mask);
    used.release();
    w.release(a);
    return to;
  });
  return true;
}

// vs2 with another sign, by AVX-512's table of three bits: vs2's, vs1's, whether it is the sign that stands
// here.
Emit sign(std::uint8_t table) {
  return [=](W& w, const Decoded& d) {
    const auto o = floats_of(w, d);
    if (!o || !w.as.has_masks()) return false;
    const FirstSource first(w, d, *o);
    const Vec signs = w.fresh();
    w.as.set(W::scratch, o->setting.sew_bytes == 8 ? std::uint64_t{1} << 63 : std::uint64_t{1} << 31);
    w.as.move_to_vector(Width::wide, W::scratch_vector, W::scratch);
    w.as.spread(o->setting.sew_bytes, signs, W::scratch_vector);
    o->elements.prepare(w);
    for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
      const Selected under = o->elements.select(w, i, Mask::k1);
      const Vec a = w.piece(o->vs2 + i), b = first.piece(i), to = w.fresh();
      w.as.move_vector(to, a);
      w.as.vector_with(of_width(ternary, o->setting), to, b, signs, table);
      w.release(a);
      first.release(b);
      o->elements.become(w, o->vd, i, to, under);
    }
    return true;
  };
}

// +-(a * b) +- c. `accumulates`: c is vd, a vs2 (the host's form 231); otherwise a is vd, c vs2 (213). b is
// vs1.
Emit fused(std::uint8_t opcode, bool accumulates) {
  return [=](W& w, const Decoded& d) {
    const auto o = floats_of(w, d);
    if (!o) return false;
    constexpr std::uint8_t from_231_to_213 = 0x10;
    const auto form = static_cast<std::uint8_t>(accumulates ? opcode : opcode - from_231_to_213);
    const VectorOp op = of_width({1, 2, form}, o->setting);
    const FirstSource first(w, d, *o);
    each_piece(w, *o, [&](unsigned i, const Selected& under) {
      const Vec to = w.copy_of(o->vd + i);
      if (under.lanes) w.as.vector(and_bits, to, to, *under.lanes);
      const Vec second = w.piece(o->vs2 + i), b = first.piece(i);
      const SourcePiece used_second(w, second, under), used_b(w, b, under);
      w.as.vector(op, to, used_b.vec(), used_second.vec(), under.mask);
      used_second.release();
      used_b.release();
      w.release(second);
      first.release(b);
      return to;
    });
    return true;
  };
}

bool splat_float(W& w, const Decoded& d) {
  const auto o = floats_of(w, d);
  if (!o) return false;
  const Vec scalar = spread_float(w, d, o->setting);
  for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
    const Selected under = o->elements.select(w, i, Mask::k1);
    const Vec to = w.fresh();
    w.as.move_vector(to, scalar);
    o->elements.become(w, o->vd, i, to, under);
  }
  return true;
}

}  // namespace

std::span<const Emitter> vector_float_emitters() {
  constexpr std::uint8_t add = 0x58, sub = 0x5c, mul = 0x59;
  // The host's names; RISC-V's vfnmsac is -(a * b) + c, its vfnmacc -(a * b) - c.
  constexpr std::uint8_t madd = 0xb8, msub = 0xba, minus_product = 0xbc, minus_both = 0xbe;
  static const Emitter table[] = {
      {"vfadd.vv", arithmetic(add)},
      {"vfadd.vf", arithmetic(add)},
      {"vfsub.vv", arithmetic(sub)},
      {"vfsub.vf", arithmetic(sub)},
      {"vfrsub.vf", arithmetic(sub, true)},
      {"vfmul.vv", arithmetic(mul)},
      {"vfmul.vf", arithmetic(mul)},
      {"vfdiv.vv", arithmetic(divide)},
      {"vfdiv.vf", arithmetic(divide)},
      {"vfrdiv.vf", arithmetic(divide, true)},
      {"vfsqrt.v", root},
      {"vfmin.vv", extreme(false)},
      {"vfmin.vf", extreme(false)},
      {"vfmax.vv", extreme(true)},
      {"vfmax.vf", extreme(true)},
      {"vfsgnj.vv", sign(0xd8)},
      {"vfsgnj.vf", sign(0xd8)},
      {"vfsgnjn.vv", sign(0x72)},
      {"vfsgnjn.vf", sign(0x72)},
      {"vfsgnjx.vv", sign(0x78)},
      {"vfsgnjx.vf", sign(0x78)},
      {"vfmacc.vv", fused(madd, true)},
      {"vfmacc.vf", fused(madd, true)},
      {"vfmsac.vv", fused(msub, true)},
      {"vfmsac.vf", fused(msub, true)},
      {"vfnmsac.vv", fused(minus_product, true)},
      {"vfnmsac.vf", fused(minus_product, true)},
      {"vfnmacc.vv", fused(minus_both, true)},
      {"vfnmacc.vf", fused(minus_both, true)},
      {"vfmadd.vv", fused(madd, false)},
      {"vfmadd.vf", fused(madd, false)},
      {"vfmsub.vv", fused(msub, false)},
      {"vfmsub.vf", fused(msub, false)},
      {"vfnmsub.vv", fused(minus_product, false)},
      {"vfnmsub.vf", fused(minus_product, false)},
      {"vfnmadd.vv", fused(minus_both, false)},
      {"vfnmadd.vf", fused(minus_both, false)},
      {"vfmv.v.f", splat_float},
  };
  return table;
}

}  // namespace dojo::translate
