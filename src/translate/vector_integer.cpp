// Integer arithmetic on vectors and splats, where the host has the operation for that element size.
#include <array>
#include <bit>

#include "translate/emitters.h"
#include "translate/vector_scalars.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

// By element size: map and opcode; opcode 0: the host has none. All have prefix 66.
struct Instruction {
  std::uint8_t map = 1, opcode = 0;
  bool needs_masks = false;  // AVX-512 alone has it
};
using Sizes = std::array<Instruction, 4>;

std::optional<VectorOp> op_of(const W& w, const Sizes& sizes, const Setting& s) {
  const Instruction& one = sizes[static_cast<unsigned>(std::countr_zero(s.sew_bytes)) & 3];
  if (one.opcode == 0 || (one.needs_masks && !w.as.has_masks())) return std::nullopt;
  return VectorOp{1, one.map, one.opcode, s.sew_bytes == 8};
}

// vs2 op vs1; `reversed`: the other way round.
Emit integers(Sizes sizes, bool reversed = false) {
  return [=](W& w, const Decoded& d) {
    const auto o = operands_of(w, d);
    if (!o) return false;
    const auto op = op_of(w, sizes, o->setting);
    if (!op) return false;
    const FirstSource first(w, d, *o);
    o->elements.prepare(w);
    for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
      const Vec a = w.piece(o->vs2 + i), b = first.piece(i);
      const Vec to = w.fresh();
      reversed ? w.as.vector(*op, to, b, a) : w.as.vector(*op, to, a, b);
      w.release(a);
      first.release(b);
      o->elements.become(w, o->vd, i, to, o->elements.select(w, i, Mask::k1));
    }
    return true;
  };
}

// By an immediate, of which only the bits that name a place in an element count. `group` completes the
// opcode.
Emit shifts(unsigned group) {
  return [=](W& w, const Decoded& d) {
    const auto o = operands_of(w, d);
    if (!o || o->setting.sew_bytes == 1) return false;
    const bool arithmetic = group == 4, wide = o->setting.sew_bytes == 8;
    if (arithmetic && wide && !w.as.has_masks()) return false;
    const std::uint8_t opcode = o->setting.sew_bytes == 2 ? 0x71 : wide && !arithmetic ? 0x73 : 0x72;
    const auto count = static_cast<std::uint8_t>(d.rs1 & (8 * o->setting.sew_bytes - 1));
    o->elements.prepare(w);
    for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
      const Vec a = w.piece(o->vs2 + i), to = w.fresh();
      w.as.vector_shift({1, 1, opcode, wide}, group, to, a, count);
      w.release(a);
      o->elements.become(w, o->vd, i, to, o->elements.select(w, i, Mask::k1));
    }
    return true;
  };
}

bool splat_integer(W& w, const Decoded& d) {
  const auto o = operands_of(w, d);
  if (!o) return false;
  const FirstSource first(w, d, *o);
  o->elements.prepare(w);
  for (unsigned i = 0; i < o->elements.pieces.count(); ++i) {
    const Vec to = w.fresh(), from = first.piece(i);
    w.as.move_vector(to, from);
    first.release(from);
    o->elements.become(w, o->vd, i, to, o->elements.select(w, i, Mask::k1));
  }
  return true;
}

}  // namespace

std::span<const Emitter> vector_integer_emitters() {
  constexpr auto every = [](std::uint8_t opcode) {
    return Sizes{{{1, opcode}, {1, opcode}, {1, opcode}, {1, opcode}}};
  };
  constexpr Sizes add = {{{1, 0xfc}, {1, 0xfd}, {1, 0xfe}, {1, 0xd4}}},
                  sub = {{{1, 0xf8}, {1, 0xf9}, {1, 0xfa}, {1, 0xfb}}},
                  mul = {{{}, {1, 0xd5}, {2, 0x40}, {2, 0x40, true}}},
                  min_unsigned = {{{1, 0xda}, {2, 0x3a}, {2, 0x3b}, {2, 0x3b, true}}},
                  min_signed = {{{2, 0x38}, {1, 0xea}, {2, 0x39}, {2, 0x39, true}}},
                  max_unsigned = {{{1, 0xde}, {2, 0x3e}, {2, 0x3f}, {2, 0x3f, true}}},
                  max_signed = {{{2, 0x3c}, {1, 0xee}, {2, 0x3d}, {2, 0x3d, true}}};
  constexpr Sizes and_ = every(0xdb), or_ = every(0xeb), xor_ = every(0xef);
  static const Emitter table[] = {
      {"vadd.vv", integers(add)},
      {"vadd.vx", integers(add)},
      {"vadd.vi", integers(add)},
      {"vsub.vv", integers(sub)},
      {"vsub.vx", integers(sub)},
      {"vrsub.vx", integers(sub, true)},
      {"vrsub.vi", integers(sub, true)},
      {"vand.vv", integers(and_)},
      {"vand.vx", integers(and_)},
      {"vand.vi", integers(and_)},
      {"vor.vv", integers(or_)},
      {"vor.vx", integers(or_)},
      {"vor.vi", integers(or_)},
      {"vxor.vv", integers(xor_)},
      {"vxor.vx", integers(xor_)},
      {"vxor.vi", integers(xor_)},
      {"vmul.vv", integers(mul)},
      {"vmul.vx", integers(mul)},
      {"vminu.vv", integers(min_unsigned)},
      {"vminu.vx", integers(min_unsigned)},
      {"vmin.vv", integers(min_signed)},
      {"vmin.vx", integers(min_signed)},
      {"vmaxu.vv", integers(max_unsigned)},
      {"vmaxu.vx", integers(max_unsigned)},
      {"vmax.vv", integers(max_signed)},
      {"vmax.vx", integers(max_signed)},
      {"vsll.vi", shifts(6)},
      {"vsrl.vi", shifts(2)},
      {"vsra.vi", shifts(4)},
      {"vmv.v.v", splat_integer},
      {"vmv.v.x", splat_integer},
      {"vmv.v.i", splat_integer},
  };
  return table;
}

}  // namespace dojo::translate
