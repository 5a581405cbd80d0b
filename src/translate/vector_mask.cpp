// Comparisons of vectors, which write mask bits, and merges, which are told by them. By AVX-512's masks
// alone.
#include "translate/emitters.h"
#include "translate/vector_scalars.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

// Whether a mask register lies in the group that begins at r.
bool overlaps(const Operands& o, unsigned mask, unsigned r) {
  return mask >= r && mask < r + o.setting.registers;
}

// Bits of vd: compare(to, vs2's piece, vs1's piece or what stands for it, mask).
template <typename Compare>
void write_bits(W& w, const Decoded& d, const Operands& o, bool has_vector, Vec same, Compare compare) {
  const unsigned in_piece = o.elements.in_piece();
  o.elements.prepare(w);
  w.write_back(o.vd, w.pieces_in_register());
  w.forget(o.vd, w.pieces_in_register());
  for (unsigned i = 0; i < o.elements.pieces.count(); ++i) {
    const Mask under = o.elements.select(w, i, Mask::k1);
    const Vec a = w.piece(o.vs2 + i), b = has_vector ? w.piece(o.vs1 + i) : same;
    compare(Mask::k2, a, b, under);
    w.release(a);
    if (has_vector) w.release(b);
    const Place bits = w.v(d.rd, i * in_piece / 8);
    if (under != Mask::k0) {
      w.as.load_mask(in_piece, Mask::k3, bits);
      w.as.mask_and_not(Mask::k3, under, Mask::k3);
      w.as.mask_or(Mask::k2, Mask::k2, Mask::k3);
    }
    w.as.store_mask(in_piece, bits, Mask::k2);
  }
}

std::optional<Operands> bits_operands(const W& w, const Decoded& d) {
  if (!w.as.has_masks()) return std::nullopt;
  auto o = operands_of(w, d);
  if (!o || overlaps(*o, d.rd, d.rs2) || (d.row->vector.vs1.is_group() && overlaps(*o, d.rd, d.rs1)))
    return std::nullopt;
  return o;
}

// By vcmpps's predicate.
Emit compare_floats(std::uint8_t predicate, First first) {
  return [=](W& w, const Decoded& d) {
    const auto o = bits_operands(w, d);
    if (!o || o->setting.sew_bytes < 4) return false;
    const Vec scalar = first == First::scalar ? spread_float(w, d, o->setting) : Vec{};
    write_bits(w, d, *o, first == First::vector, scalar, [&](Mask to, Vec a, Vec b, Mask under) {
      w.as.compare(o->setting.sew_bytes, to, a, b, predicate, under);
    });
    return true;
  };
}

// By vpcmpd's predicate.
Emit compare_integers(std::uint8_t predicate, bool is_signed, Source source) {
  return [=](W& w, const Decoded& d) {
    const auto o = bits_operands(w, d);
    if (!o) return false;
    const Vec same = source == Source::vector ? Vec{} : spread_integer(w, d, o->setting, source);
    write_bits(w, d, *o, source == Source::vector, same, [&](Mask to, Vec a, Vec b, Mask under) {
      w.as.compare_integers(o->setting.sew_bytes, is_signed, to, a, b, predicate, under);
    });
    return true;
  };
}

// vd = v0 ? vs1 : vs2. The encoding is that of a masked instruction.
template <typename Spread>
bool merge(W& w, const Decoded& d, First first, Spread spread) {
  const auto o = operands_of(w, d);
  if (!o || o->elements.pieces.bytes % w.piece_bytes() != 0) return false;
  const Vec same = first == First::scalar ? spread(o->setting) : Vec{};
  o->elements.prepare(w);
  for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
    const Mask chosen = o->elements.select(w, i, Mask::k1);
    const Vec a = w.piece(o->vs2 + i), b = first == First::vector ? w.piece(o->vs1 + i) : same,
              to = w.fresh();
    w.as.move_vector(to, a);
    w.as.merge(o->setting.sew_bytes, to, b, chosen);
    w.release(a);
    if (first == First::vector) w.release(b);
    w.becomes(o->vd + i, to);
  }
  return true;
}

Emit merge_integers(Source source) {
  return [=](W& w, const Decoded& d) {
    return w.as.has_masks() &&
           merge(w, d, first_of(source), [&](const Setting& s) { return spread_integer(w, d, s, source); });
  };
}

bool merge_floats(W& w, const Decoded& d) {
  return w.as.has_masks() && setting_of(w.vectors()).sew_bytes >= 4 &&
         merge(w, d, First::scalar, [&](const Setting& s) { return spread_float(w, d, s); });
}

}  // namespace

std::span<const Emitter> vector_mask_emitters() {
  using enum Source;
  // vcmpps's predicates, which raise the invalid flag as RISC-V's comparisons do, and vpcmpd's.
  constexpr std::uint8_t f_eq = 0, f_lt = 1, f_le = 2, f_ne = 4, f_ge = 13, f_gt = 14;
  constexpr std::uint8_t eq = 0, lt = 1, le = 2, ne = 4, gt = 6;
  static const Emitter table[] = {
      {"vmfeq.vv", compare_floats(f_eq, First::vector)},
      {"vmfeq.vf", compare_floats(f_eq, First::scalar)},
      {"vmfne.vv", compare_floats(f_ne, First::vector)},
      {"vmfne.vf", compare_floats(f_ne, First::scalar)},
      {"vmflt.vv", compare_floats(f_lt, First::vector)},
      {"vmflt.vf", compare_floats(f_lt, First::scalar)},
      {"vmfle.vv", compare_floats(f_le, First::vector)},
      {"vmfle.vf", compare_floats(f_le, First::scalar)},
      {"vmfgt.vf", compare_floats(f_gt, First::scalar)},
      {"vmfge.vf", compare_floats(f_ge, First::scalar)},
      {"vmseq.vv", compare_integers(eq, true, vector)},
      {"vmseq.vx", compare_integers(eq, true, x)},
      {"vmseq.vi", compare_integers(eq, true, immediate)},
      {"vmsne.vv", compare_integers(ne, true, vector)},
      {"vmsne.vx", compare_integers(ne, true, x)},
      {"vmsne.vi", compare_integers(ne, true, immediate)},
      {"vmsltu.vv", compare_integers(lt, false, vector)},
      {"vmsltu.vx", compare_integers(lt, false, x)},
      {"vmslt.vv", compare_integers(lt, true, vector)},
      {"vmslt.vx", compare_integers(lt, true, x)},
      {"vmsleu.vv", compare_integers(le, false, vector)},
      {"vmsleu.vx", compare_integers(le, false, x)},
      {"vmsleu.vi", compare_integers(le, false, immediate)},
      {"vmsle.vv", compare_integers(le, true, vector)},
      {"vmsle.vx", compare_integers(le, true, x)},
      {"vmsle.vi", compare_integers(le, true, immediate)},
      {"vmsgtu.vx", compare_integers(gt, false, x)},
      {"vmsgtu.vi", compare_integers(gt, false, immediate)},
      {"vmsgt.vx", compare_integers(gt, true, x)},
      {"vmsgt.vi", compare_integers(gt, true, immediate)},
      {"vmerge.vvm", merge_integers(vector)},
      {"vmerge.vxm", merge_integers(x)},
      {"vmerge.vim", merge_integers(immediate)},
      {"vfmerge.vfm", merge_floats},
  };
  return table;
}

}  // namespace dojo::translate
