// Comparisons of vectors, which write mask bits, and merges, which are told by them. By AVX-512's masks, and
// by AVX2 where it has the comparison.
#include "translate/emitters.h"
#include "translate/vector_scalars.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

// vpcmpd's predicates.
constexpr std::uint8_t eq = 0, lt = 1, le = 2, ne = 4, gt = 6;

// Whether a mask register lies in the operand that begins at r.
bool overlaps(const GroupOperands& o, unsigned mask, unsigned r, const isa::OperandGroup& operand) {
  return mask >= r && mask < r + operand.registers(o.setting.type);
}

// Bits of vd: compare(to, vs2's piece, vs1's piece or what stands for it, mask).
template <typename Compare>
void write_bits(W& w, const Decoded& d, const GroupOperands& o, Compare compare) {
  const FirstSource first(w, d, o);
  const unsigned in_piece = o.elements.in_piece();
  o.elements.prepare(w);
  w.write_back(o.vd, w.pieces_in_register());
  w.forget(o.vd, w.pieces_in_register());
  for (unsigned i = 0; i < o.elements.pieces.count(); ++i) {
    const Mask under = o.elements.select(w, i, Mask::k1).mask;
    const Vec a = w.piece(o.vs2 + i), b = first.piece(i);
    compare(Mask::k2, a, b, under);
    w.release(a);
    first.release(b);
    const Mem bits = w.v(d.rd, i * in_piece / 8);
    if (under != Mask::k0) {
      w.as.load_mask(in_piece, Mask::k3, bits);
      w.as.mask_and_not(Mask::k3, under, Mask::k3);
      w.as.mask_or(Mask::k2, Mask::k2, Mask::k3);
    }
    w.as.store_mask(in_piece, bits, Mask::k2);
  }
}

std::optional<GroupOperands> bits_operands(const W& w, const Decoded& d) {
  auto o = operands_of(w, d);
  const isa::VectorOperands& operands = d.row->vector;
  if (!o || overlaps(*o, d.rd, d.rs2, operands.vs2) || overlaps(*o, d.rd, d.rs1, operands.vs1))
    return std::nullopt;
  if (!w.as.has_masks() && (o->elements.masked || o->setting.bytes % (8 * o->setting.sew_bytes) != 0))
    return std::nullopt;
  return o;
}

// The same by AVX2: compare(to, a, b) makes elements all ones, whole bytes of bits.
template <typename Compare>
void write_bytes_of_bits(W& w, const Decoded& d, const GroupOperands& o, bool inverted, Compare compare) {
  const FirstSource first(w, d, o);
  const unsigned in_piece = o.elements.in_piece();
  w.write_back(o.vd, w.pieces_in_register());
  w.forget(o.vd, w.pieces_in_register());
  for (unsigned i = 0; i < o.elements.pieces.count(); ++i) {
    const Vec a = w.piece(o.vs2 + i), b = first.piece(i);
    compare(W::scratch_vector, a, b);
    w.release(a);
    first.release(b);
    const bool is_upper = i * in_piece % 8 != 0, is_lower = in_piece < 8 && !is_upper;
    w.as.signs(o.setting.sew_bytes, is_upper ? W::second_scratch : W::scratch, W::scratch_vector);
    if (is_lower) continue;
    if (is_upper) {
      w.as.shift(Shift::left, Width::word, W::second_scratch, 4);
      w.as.alu(Alu::or_, Width::word, W::scratch, W::second_scratch);
    }
    if (inverted) w.as.alu(Alu::xor_, Width::word, RegMem(W::scratch), -1);
    w.as.store(1, w.v(d.rd, i * in_piece / 8), W::scratch);
  }
}

// By vcmpps's predicate.
Emit compare_floats(std::uint8_t predicate) {
  return [=](W& w, const Decoded& d) {
    const auto o = bits_operands(w, d);
    if (!o || o->setting.sew_bytes < 4) return false;
    if (!w.as.has_masks()) {
      write_bytes_of_bits(w, d, *o, false, [&](Vec to, Vec a, Vec b) {
        w.as.compare_lanes(o->setting.sew_bytes, to, a, b, predicate);
      });
      return true;
    }
    write_bits(w, d, *o, [&](Mask to, Vec a, Vec b, Mask under) {
      w.as.compare(o->setting.sew_bytes, to, a, b, predicate, under);
    });
    return true;
  };
}

// AVX2 has `equal` and `greater`, the others are their opposites or the other way round.
bool compare_signed_words(W& w, const Decoded& d, const GroupOperands& o, std::uint8_t predicate,
                          bool is_signed) {
  const bool equality = predicate == eq || predicate == ne;
  if (o.setting.sew_bytes != 4 || (!equality && !is_signed)) return false;
  const VectorOp op = equality ? VectorOp{1, 1, 0x76} : VectorOp{1, 1, 0x66};
  write_bytes_of_bits(w, d, o, predicate == ne || predicate == le, [&](Vec to, Vec a, Vec b) {
    predicate == lt ? w.as.vector(op, to, b, a) : w.as.vector(op, to, a, b);
  });
  return true;
}

// By vpcmpd's predicate.
Emit compare_integers(std::uint8_t predicate, bool is_signed) {
  return [=](W& w, const Decoded& d) {
    const auto o = bits_operands(w, d);
    if (!o) return false;
    if (!w.as.has_masks()) return compare_signed_words(w, d, *o, predicate, is_signed);
    write_bits(w, d, *o, [&](Mask to, Vec a, Vec b, Mask under) {
      w.as.compare_integers(o->setting.sew_bytes, is_signed, to, a, b, predicate, under);
    });
    return true;
  };
}

// vd = v0 ? vs1 : vs2. The encoding is that of a masked instruction.
bool merge(W& w, const Decoded& d) {
  const auto o = operands_of(w, d);
  if (!o || o->elements.pieces.bytes % w.piece_bytes() != 0) return false;
  if (o->source == Source::f && o->setting.sew_bytes < 4) return false;
  const FirstSource first(w, d, *o);
  o->elements.prepare(w);
  for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
    const Selected chosen = o->elements.select(w, i, Mask::k1);
    const Vec a = w.piece(o->vs2 + i), b = first.piece(i), to = w.fresh();
    if (!chosen.lanes) w.as.move_vector(to, a);
    o->elements.merge(w, to, a, b, chosen);
    if (chosen.lanes) w.release(*chosen.lanes);
    w.release(a);
    first.release(b);
    w.becomes(o->vd + i, to);
  }
  return true;
}

}  // namespace

std::span<const Emitter> vector_mask_emitters() {
  // vcmpps's predicates, which raise the invalid flag as RISC-V's comparisons do.
  constexpr std::uint8_t f_eq = 0, f_lt = 1, f_le = 2, f_ne = 4, f_ge = 13, f_gt = 14;
  static const Emitter table[] = {
      {"vmfeq.vv", compare_floats(f_eq)},
      {"vmfeq.vf", compare_floats(f_eq)},
      {"vmfne.vv", compare_floats(f_ne)},
      {"vmfne.vf", compare_floats(f_ne)},
      {"vmflt.vv", compare_floats(f_lt)},
      {"vmflt.vf", compare_floats(f_lt)},
      {"vmfle.vv", compare_floats(f_le)},
      {"vmfle.vf", compare_floats(f_le)},
      {"vmfgt.vf", compare_floats(f_gt)},
      {"vmfge.vf", compare_floats(f_ge)},
      {"vmseq.vv", compare_integers(eq, true)},
      {"vmseq.vx", compare_integers(eq, true)},
      {"vmseq.vi", compare_integers(eq, true)},
      {"vmsne.vv", compare_integers(ne, true)},
      {"vmsne.vx", compare_integers(ne, true)},
      {"vmsne.vi", compare_integers(ne, true)},
      {"vmsltu.vv", compare_integers(lt, false)},
      {"vmsltu.vx", compare_integers(lt, false)},
      {"vmslt.vv", compare_integers(lt, true)},
      {"vmslt.vx", compare_integers(lt, true)},
      {"vmsleu.vv", compare_integers(le, false)},
      {"vmsleu.vx", compare_integers(le, false)},
      {"vmsleu.vi", compare_integers(le, false)},
      {"vmsle.vv", compare_integers(le, true)},
      {"vmsle.vx", compare_integers(le, true)},
      {"vmsle.vi", compare_integers(le, true)},
      {"vmsgtu.vx", compare_integers(gt, false)},
      {"vmsgtu.vi", compare_integers(gt, false)},
      {"vmsgt.vx", compare_integers(gt, true)},
      {"vmsgt.vi", compare_integers(gt, true)},
      {"vmerge.vvm", merge},
      {"vmerge.vxm", merge},
      {"vmerge.vim", merge},
      {"vfmerge.vfm", merge},
  };
  return table;
}

}  // namespace dojo::translate
