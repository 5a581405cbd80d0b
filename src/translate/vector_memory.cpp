// Unit-stride loads and stores of vector registers.
#include "isa/vector_legality.h"
#include "translate/emitters.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr unsigned half_vector = 16;  // of AVX2

void load_pieces(W& w, unsigned first, Pieces pieces, Reg address) {
  const Elements elements{pieces, 1};
  for (unsigned i = 0; i < pieces.count(); ++i) {
    const Mem from = W::bytes_at(address, static_cast<std::int32_t>(i * pieces.piece_bytes));
    const Vec to = w.fresh();
    if (const Selected under = elements.select(w, i, Mask::k1); !under.all()) {
      w.as.move_vector(to, w.piece(first + i));
      w.as.load_bytes(to, from, under.mask);
    } else {
      w.as.load_vector(to, from);
    }
    w.becomes(first + i, to);
  }
}

void store_pieces(W& w, unsigned first, Pieces pieces, Reg address) {
  const Elements elements{pieces, 1};
  for (unsigned i = 0; i < pieces.count(); ++i) {
    const Mem to = W::bytes_at(address, static_cast<std::int32_t>(i * pieces.piece_bytes));
    const Vec from = w.piece(first + i);
    const Selected under = elements.select(w, i, Mask::k1);
    under.all() ? w.as.store_vector(to, from) : w.as.store_bytes(to, from, under.mask);
    w.release(from);
  }
}

// Through a host register, from memory to memory: whole vectors, the last of which may overlap the one
// before, or half a vector.
template <typename From, typename To>
void copy(W& w, unsigned bytes, From from, To to) {
  const unsigned step = std::min(bytes, w.piece_bytes());
  for (unsigned at = 0; at < bytes; at += step) {
    const unsigned offset = std::min(at, bytes - step);
    w.as.load_part(W::scratch_vector, from(offset), step);
    w.as.store_part(to(offset), W::scratch_vector, step);
  }
}

// `bytes` at x[rs1], to or from the registers from rd on.
bool move_bytes(W& w, const Decoded& d, unsigned bytes, bool is_store) {
  if (bytes == 0) return false;
  const auto first = w.first_piece(d.rd);
  const auto pieces = pieces_of(w, bytes);
  const bool by_pieces = first && pieces;
  if (!by_pieces && bytes != half_vector && bytes < w.piece_bytes()) return false;
  const Reg address = w.read(d.rs1);
  w.check(address, 0, bytes, is_store, w.slow_path());
  if (by_pieces) {
    is_store ? store_pieces(w, *first, *pieces, address) : load_pieces(w, *first, *pieces, address);
    return true;
  }
  const auto memory = [&](unsigned at) { return W::bytes_at(address, static_cast<std::int32_t>(at)); };
  const auto group = [&](unsigned at) { return w.v(d.rd, at); };
  const unsigned begin = d.rd * w.vlen_bits / 8;
  const unsigned from = begin / w.piece_bytes(), count = (begin + bytes - 1) / w.piece_bytes() + 1 - from;
  w.write_back(from, count);
  if (!is_store) w.forget(from, count);
  is_store ? copy(w, bytes, group, memory) : copy(w, bytes, memory, group);
  return true;
}

bool is_store(const Decoded& d) { return (d.row->properties & isa::writes_memory) != 0; }

// Unit stride, of any element width, also in a matrix configuration.
bool access(W& w, const Decoded& d) {
  const std::uint64_t vtype = w.vectors().vtype;
  const auto type = isa::ElementType::of(vtype);
  const isa::OperandGroup& data = d.row->vector.vd;
  if (vtype >> 63 != 0 || !isa::vector::group_is_legal(d.rd, data, type) || is_masked(d)) return false;
  return move_bytes(w, d, static_cast<unsigned>(w.vectors().vl) << data.eew_log2(type), is_store(d));
}

bool whole_registers(W& w, const Decoded& d) {
  const isa::OperandGroup& data = d.row->vector.vd;
  return isa::vector::group_is_legal(d.rd, data, {}) &&
         move_bytes(w, d, data.registers({}) * w.vlen_bits / 8, is_store(d));
}

}  // namespace

std::span<const Emitter> vector_memory_emitters() {
  static const Emitter table[] = {
      {"vle8.v", access},
      {"vle16.v", access},
      {"vle32.v", access},
      {"vle64.v", access},
      {"vse8.v", access},
      {"vse16.v", access},
      {"vse32.v", access},
      {"vse64.v", access},
      {"vl1re8.v", whole_registers},
      {"vl1re16.v", whole_registers},
      {"vl1re32.v", whole_registers},
      {"vl1re64.v", whole_registers},
      {"vl2re8.v", whole_registers},
      {"vl2re16.v", whole_registers},
      {"vl2re32.v", whole_registers},
      {"vl2re64.v", whole_registers},
      {"vl4re8.v", whole_registers},
      {"vl4re16.v", whole_registers},
      {"vl4re32.v", whole_registers},
      {"vl4re64.v", whole_registers},
      {"vl8re8.v", whole_registers},
      {"vl8re16.v", whole_registers},
      {"vl8re32.v", whole_registers},
      {"vl8re64.v", whole_registers},
      {"vs1r.v", whole_registers},
      {"vs2r.v", whole_registers},
      {"vs4r.v", whole_registers},
      {"vs8r.v", whole_registers},
  };
  return table;
}

}  // namespace dojo::translate
