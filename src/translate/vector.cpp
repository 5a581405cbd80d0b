// Vector instructions in the configuration that the translation is for: unit-stride loads and stores, FP32
// arithmetic, integers, splats. Unmasked only, in whole host vectors; everything else calls its meaning.
#include <bit>

#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = BlockWriter;

constexpr unsigned host_bytes = 32;
constexpr unsigned at_once = 8;  // host vectors between two looks for NaN
constexpr Vec scalar_vec{15}, found{14}, other{13};
constexpr Vec numbered(unsigned i) { return static_cast<Vec>(i); }

// The translation's configuration, as the instruction sees it.
struct Setting {
  unsigned sew_bytes, bytes, registers;
  bool is_plain;  // a vector configuration, no matrix one, with elements in it
};

Setting setting_of(const Vectors& vectors) {
  const std::uint64_t vtype = vectors.vtype;
  const unsigned sew_bytes = 1u << (vtype >> 3 & 7), lmul = vtype & 7;
  return {.sew_bytes = sew_bytes,
          .bytes = static_cast<unsigned>(vectors.vl) * sew_bytes,
          .registers = lmul < 4 ? 1u << lmul : 1u,
          .is_plain = vtype >> 8 == 0 && sew_bytes <= 8 && vectors.vl != 0};
}

constexpr bool is_masked(const Decoded& d) { return (d.word >> 25 & 1) == 0; }

// Whether r begins a group.
bool fits(const Setting& s, unsigned r) { return r % s.registers == 0; }

// Copies through host registers; all pieces but the last are whole, which may overlap the one before.
template <typename From, typename To>
void copy(W& w, unsigned bytes, From from, To to) {
  if (bytes < host_bytes) {  // 16
    w.as.load_vector(numbered(0), from(0), true);
    return w.as.store_vector(to(0), numbered(0), true);
  }
  unsigned i = 0;
  for (unsigned at = 0; at < bytes; at += host_bytes, ++i) {
    const unsigned offset = at + host_bytes <= bytes ? at : bytes - host_bytes;
    w.as.load_vector(numbered(i % at_once), from(offset));
    w.as.store_vector(to(offset), numbered(i % at_once));
  }
}

// `bytes` at x[rs1], to or from the registers from rd on.
bool move_bytes(W& w, const Decoded& d, unsigned bytes, bool is_store) {
  if (bytes < host_bytes && bytes != 16) return false;
  const Reg address = w.read(d.rs1);
  Label not_plain;
  w.check(address, 0, bytes, is_store, not_plain);
  const auto memory = [&](unsigned at) { return W::bytes_at(address, static_cast<std::int32_t>(at)); };
  const auto group = [&](unsigned at) { return w.v(d.rd, at); };
  is_store ? copy(w, bytes, group, memory) : copy(w, bytes, memory, group);
  w.meaning_at(not_plain);
  return true;
}

// Unit stride, of any element width: EMUL = LMUL * width / SEW, also in a matrix configuration.
Emit access(unsigned element_log2, bool is_store) {
  return [=](W& w, const Decoded& d) {
    const std::uint64_t vtype = w.vectors.vtype;
    const int sew_log2 = static_cast<int>(vtype >> 3 & 7), lmul_log2 = static_cast<int>((vtype & 7) ^ 4) - 4;
    const int emul_log2 = lmul_log2 + static_cast<int>(element_log2) - sew_log2;
    const unsigned registers = emul_log2 > 0 ? 1u << emul_log2 : 1u;
    if (vtype >> 63 != 0 || emul_log2 < -3 || emul_log2 > 3 || d.rd % registers != 0 || is_masked(d))
      return false;
    return move_bytes(w, d, static_cast<unsigned>(w.vectors.vl) << element_log2, is_store);
  };
}

Emit whole_registers(unsigned registers, bool is_store) {
  return [=](W& w, const Decoded& d) {
    return d.rd % registers == 0 && move_bytes(w, d, registers * w.vectors.vlen_bits / 8, is_store);
  };
}

// --- FP32

enum class First { vector, scalar };

// Runs compute(host register, byte offset) on groups of host vectors and stores them to rd. From the element
// where a NaN comes out on, the meaning does it: nothing of that group has been stored.
template <typename Compute>
void each_float(W& w, const Decoded& d, unsigned bytes, Compute compute) {
  std::array<Label, 16> not_numbers;
  unsigned group = 0;
  for (unsigned begin = 0; begin < bytes; begin += at_once * host_bytes, ++group) {
    const unsigned count = std::min(at_once, (bytes - begin) / host_bytes);
    for (unsigned i = 0; i < count; ++i) compute(numbered(i), begin + i * host_bytes);
    check_numbers(w, count, found, other, not_numbers[group]);
    for (unsigned i = 0; i < count; ++i) w.as.store_vector(w.v(d.rd, begin + i * host_bytes), numbered(i));
  }
  for (unsigned i = 0; i < group; ++i)
    w.meaning_at(not_numbers[i], i * at_once * host_bytes / static_cast<unsigned>(sizeof(float)));
}

bool is_single(const W& w, const Setting& s, const Decoded& d, First first) {
  return s.is_plain && s.sew_bytes == 4 && s.bytes % host_bytes == 0 && !is_masked(d) && fits(s, d.rd) &&
         fits(s, d.rs2) && (first == First::scalar || fits(s, d.rs1)) && w.vectors.vl <= 256;
}

// f[rs1], boxed as it should be, in every element of scalar_vec.
void spread_float(W& w, const Decoded& d, Label& not_plain) {
  w.as.alu(Alu::cmp, Width::word, Operand(W::f(d.rs1, 4)), -1);
  w.as.jump_if(If::not_equal, not_plain);
  w.as.vector(1, 2, 0x18, scalar_vec, numbered(0), W::f(d.rs1));  // vbroadcastss
}

// vs2 op vs1; `reversed`: the other way round.
Emit arithmetic(std::uint8_t opcode, First first, bool reversed = false) {
  return [=](W& w, const Decoded& d) {
    const Setting s = setting_of(w.vectors);
    if (!is_single(w, s, d, first)) return false;
    Label not_boxed;
    if (first == First::scalar) spread_float(w, d, not_boxed);
    each_float(w, d, s.bytes, [&](Vec to, unsigned at) {
      if (reversed) return w.as.vector(0, 1, opcode, to, scalar_vec, w.v(d.rs2, at));
      w.as.load_vector(to, w.v(d.rs2, at));
      w.as.vector(0, 1, opcode, to, to, first == First::scalar ? Operand(scalar_vec) : w.v(d.rs1, at));
    });
    if (first == First::scalar) w.meaning_at(not_boxed);
    return true;
  };
}

// The host's 231 form: to = +-(a * b) +- to, where `accumulate` says that the addend is vd, otherwise vs2.
Emit fused(std::uint8_t opcode, bool accumulate, First first) {
  return [=](W& w, const Decoded& d) {
    const Setting s = setting_of(w.vectors);
    if (!is_single(w, s, d, first)) return false;
    Label not_boxed;
    if (first == First::scalar) spread_float(w, d, not_boxed);
    each_float(w, d, s.bytes, [&](Vec to, unsigned at) {
      const Place addend = w.v(accumulate ? d.rd : d.rs2, at), factor = w.v(accumulate ? d.rs2 : d.rd, at);
      w.as.load_vector(to, addend);
      if (first == First::vector) w.as.load_vector(other, w.v(d.rs1, at));
      w.as.vector(1, 2, opcode, to, first == First::scalar ? scalar_vec : other, factor);
    });
    if (first == First::scalar) w.meaning_at(not_boxed);
    return true;
  };
}

// --- Integers and moves

enum class Source { vector, x, immediate };

// The signed immediate in rs1's place.
constexpr std::int64_t simm5(const Decoded& d) { return (std::int64_t{d.rs1} ^ 16) - 16; }

void spread(W& w, const Decoded& d, const Setting& s, Source source) {
  if (source == Source::x && d.rs1 != 0) return w.as.spread(s.sew_bytes, scalar_vec, W::x(d.rs1));
  const std::int64_t value = source == Source::x ? 0 : simm5(d);
  if (value == 0) return w.as.vector(1, 1, 0xef, scalar_vec, scalar_vec, scalar_vec);  // xor
  w.as.set(W::scratch, static_cast<std::uint64_t>(value));
  w.as.move_to_vector(Width::wide, scalar_vec, W::scratch);
  w.as.spread(s.sew_bytes, scalar_vec, scalar_vec);
}

bool is_whole(const Setting& s, const Decoded& d, Source source) {
  return s.is_plain && s.bytes % host_bytes == 0 && !is_masked(d) && fits(s, d.rd) && fits(s, d.rs2) &&
         (source != Source::vector || fits(s, d.rs1));
}

// By element size; 0: the host has none.
using Opcodes = std::array<std::uint8_t, 4>;

Emit integers(Opcodes opcodes, Source source) {
  return [=](W& w, const Decoded& d) {
    const Setting s = setting_of(w.vectors);
    const std::uint8_t opcode = opcodes[static_cast<unsigned>(std::countr_zero(s.sew_bytes)) & 3];
    if (opcode == 0 || !is_whole(s, d, source)) return false;
    if (source != Source::vector) spread(w, d, s, source);
    for (unsigned at = 0, i = 0; at < s.bytes; at += host_bytes, i = (i + 1) % at_once) {
      w.as.load_vector(numbered(i), w.v(d.rs2, at));
      w.as.vector(1, 1, opcode, numbered(i), numbered(i),
                  source == Source::vector ? Operand(w.v(d.rs1, at)) : Operand(scalar_vec));
      w.as.store_vector(w.v(d.rd, at), numbered(i));
    }
    return true;
  };
}

Emit splat(Source source) {
  return [=](W& w, const Decoded& d) {
    const Setting s = setting_of(w.vectors);
    if (!is_whole(s, d, source)) return false;
    if (source == Source::vector) {
      copy(
          w, s.bytes, [&](unsigned at) { return w.v(d.rs1, at); },
          [&](unsigned at) { return w.v(d.rd, at); });
      return true;
    }
    spread(w, d, s, source);
    for (unsigned at = 0; at < s.bytes; at += host_bytes) w.as.store_vector(w.v(d.rd, at), scalar_vec);
    return true;
  };
}

bool splat_float(W& w, const Decoded& d) {
  const Setting s = setting_of(w.vectors);
  if (!is_single(w, s, d, First::scalar)) return false;
  Label not_boxed;
  spread_float(w, d, not_boxed);
  for (unsigned at = 0; at < s.bytes; at += host_bytes) w.as.store_vector(w.v(d.rd, at), scalar_vec);
  w.meaning_at(not_boxed);
  return true;
}

}  // namespace

// One comparison looks at two registers.
void check_numbers(BlockWriter& w, unsigned count, Vec found_in, Vec compared, Label& label) {
  for (unsigned i = 0; i < count; i += 2) {
    const Vec to = i == 0 ? found_in : compared;
    w.as.compare_unordered(to, numbered(i), numbered(i + 1 < count ? i + 1 : i));
    if (i != 0) w.as.vector(0, 1, 0x56, found_in, found_in, compared);  // or
  }
  w.as.test_any(found_in);
  w.as.jump_if(If::not_equal, label);
}

std::span<const Emitter> vector_emitters() {
  using enum First;
  constexpr std::uint8_t add = 0x58, sub = 0x5c, mul = 0x59;
  // The host's names; RISC-V's vfnmsac is -(a * b) + c, its vfnmacc -(a * b) - c.
  constexpr std::uint8_t madd = 0xb8, msub = 0xba, minus_product = 0xbc, minus_both = 0xbe;
  constexpr Opcodes adds = {0xfc, 0xfd, 0xfe, 0xd4}, subs = {0xf8, 0xf9, 0xfa, 0xfb};
  constexpr Opcodes ands = {0xdb, 0xdb, 0xdb, 0xdb}, ors = {0xeb, 0xeb, 0xeb, 0xeb},
                    xors = {0xef, 0xef, 0xef, 0xef};
  static const Emitter table[] = {
      {"vle8.v", access(0, false)},
      {"vle16.v", access(1, false)},
      {"vle32.v", access(2, false)},
      {"vle64.v", access(3, false)},
      {"vse8.v", access(0, true)},
      {"vse16.v", access(1, true)},
      {"vse32.v", access(2, true)},
      {"vse64.v", access(3, true)},
      {"vl1re8.v", whole_registers(1, false)},
      {"vl1re16.v", whole_registers(1, false)},
      {"vl1re32.v", whole_registers(1, false)},
      {"vl1re64.v", whole_registers(1, false)},
      {"vl2re8.v", whole_registers(2, false)},
      {"vl2re16.v", whole_registers(2, false)},
      {"vl2re32.v", whole_registers(2, false)},
      {"vl2re64.v", whole_registers(2, false)},
      {"vl4re8.v", whole_registers(4, false)},
      {"vl4re16.v", whole_registers(4, false)},
      {"vl4re32.v", whole_registers(4, false)},
      {"vl4re64.v", whole_registers(4, false)},
      {"vl8re8.v", whole_registers(8, false)},
      {"vl8re16.v", whole_registers(8, false)},
      {"vl8re32.v", whole_registers(8, false)},
      {"vl8re64.v", whole_registers(8, false)},
      {"vs1r.v", whole_registers(1, true)},
      {"vs2r.v", whole_registers(2, true)},
      {"vs4r.v", whole_registers(4, true)},
      {"vs8r.v", whole_registers(8, true)},

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
      {"vfmv.v.f", splat_float},

      {"vadd.vv", integers(adds, Source::vector)},
      {"vadd.vx", integers(adds, Source::x)},
      {"vadd.vi", integers(adds, Source::immediate)},
      {"vsub.vv", integers(subs, Source::vector)},
      {"vsub.vx", integers(subs, Source::x)},
      {"vand.vv", integers(ands, Source::vector)},
      {"vand.vx", integers(ands, Source::x)},
      {"vand.vi", integers(ands, Source::immediate)},
      {"vor.vv", integers(ors, Source::vector)},
      {"vor.vx", integers(ors, Source::x)},
      {"vor.vi", integers(ors, Source::immediate)},
      {"vxor.vv", integers(xors, Source::vector)},
      {"vxor.vx", integers(xors, Source::x)},
      {"vxor.vi", integers(xors, Source::immediate)},
      {"vmv.v.v", splat(Source::vector)},
      {"vmv.v.x", splat(Source::x)},
      {"vmv.v.i", splat(Source::immediate)},
  };
  return table;
}

}  // namespace dojo::translate
