// Rows and columns of tiles to and from memory, tiles of zeros, and the extents of a matrix configuration.
#include <algorithm>
#include <bit>

#include "isa/vector_config.h"
#include "translate/emitters.h"
#include "translate/in_hart.h"
#include "translate/tile_shape.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr bool is_matrix(std::uint64_t vtype) { return vtype >> 63 == 0 && (vtype >> 9 & 3) != 0; }
constexpr unsigned widen_of(std::uint64_t vtype) { return 1u << ((vtype >> 9 & 3) - 1); }
constexpr unsigned sew_of(std::uint64_t vtype) { return 8u << (vtype >> 3 & 7); }

// A slice of a tile of `bytes`-byte elements, 2 or 4. Such tiles begin at every `bytes`-th register of 256
// bytes; the specifier says row or column below 16, which of both (bit 24), and the register (from bit 27
// on).
struct TileSlice {
  unsigned bytes, elements;
  bool is_store;

  static constexpr unsigned column_bit = 24, pattern_end = 27, tiles_end = 31;
  unsigned first_tile_bit() const { return pattern_end + static_cast<unsigned>(std::countr_zero(bytes)); }
  unsigned row() const { return edge * bytes; }

  // Leaves where the tile begins in scratch, and the slice's number in second_scratch.
  void find(W& w, Reg specifier) const {
    const auto tile_log2 = static_cast<unsigned>(std::countr_zero(row() * edge));
    const unsigned tile_bits = (1u << (tiles_end - first_tile_bit())) - 1;
    w.as.move(Width::word, W::scratch, specifier);
    w.as.move(Width::word, W::second_scratch, specifier);
    w.as.shift(Shift::right, Width::word, W::scratch,
               static_cast<std::uint8_t>(first_tile_bit() - tile_log2));
    w.as.alu(Alu::and_, Width::word, RegMem(W::scratch), static_cast<std::int32_t>(tile_bits << tile_log2));
    w.as.alu(Alu::and_, Width::word, RegMem(W::second_scratch), edge - 1);
  }
  // Adds what the slice lies behind the tile's begin.
  void go_to(W& w, unsigned bytes_apart) const {
    w.as.shift(Shift::left, Width::word, W::second_scratch,
               static_cast<std::uint8_t>(std::countr_zero(bytes_apart)));
    w.as.alu(Alu::add, Width::word, W::scratch, W::second_scratch);
  }
  void move_row(W& w, Reg address) const {
    const unsigned moved = elements * bytes;
    go_to(w, row());
    if (moved != row() && w.as.has_masks()) {
      w.as.set(W::second_scratch, (std::uint64_t{1} << moved) - 1);
      w.as.set_mask(Mask::k1, W::second_scratch);
      w.as.load_bytes(W::scratch_vector, from(address, 0, 0), Mask::k1);
      w.as.store_bytes(to(address, 0, 0), W::scratch_vector, Mask::k1);
      return;
    }
    for (unsigned at = 0; at < moved;) {
      const unsigned step = std::min(std::bit_floor(moved - at), w.piece_bytes());
      if (step >= 16) {
        w.as.load_part(W::scratch_vector, from(address, at, at), step);
        w.as.store_part(to(address, at, at), W::scratch_vector, step);
      } else {
        w.as.load(step, false, W::second_scratch, from(address, at, at));
        w.as.store(step, to(address, at, at), W::second_scratch);
      }
      at += step;
    }
  }
  void move_column(W& w, Reg address) const {
    go_to(w, bytes);
    for (unsigned i = 0; i < elements; ++i) {
      w.as.load(bytes, false, W::second_scratch, from(address, i * bytes, i * row()));
      w.as.store(bytes, to(address, i * bytes, i * row()), W::second_scratch);
    }
  }

private:
  static Mem in_tile(unsigned at) {
    Mem place = in_hart(offsetof(isa::Hart, tiles) + at);
    place.index = W::scratch;
    return place;
  }
  static Mem in_memory(Reg address, unsigned at) {
    return W::bytes_at(address, static_cast<std::int32_t>(at));
  }
  Mem from(Reg address, unsigned memory, unsigned tile) const {
    return is_store ? in_tile(tile) : in_memory(address, memory);
  }
  Mem to(Reg address, unsigned memory, unsigned tile) const {
    return is_store ? in_memory(address, memory) : in_tile(tile);
  }
};

// Between the slice of a tile that x[rs2] names and memory at x[rs1].
Emit move_slice(unsigned bytes, bool is_store) {
  return [=](W& w, const Decoded& d) {
    const auto vl = static_cast<unsigned>(w.vectors().vl);
    if (!is_matrix(w.vectors().vtype) || vl == 0 || vl > edge) return false;
    const TileSlice slice{bytes, vl, is_store};
    const Reg address = w.read(d.rs1), specifier = w.read(d.rs2);
    Label& refused = w.slow_path();
    w.check(address, 0, std::max(8u, vl * bytes), is_store, refused);
    w.as.move(Width::word, W::scratch, specifier);
    w.as.alu(Alu::and_, Width::word, RegMem(W::scratch),
             static_cast<std::int32_t>((1u << slice.first_tile_bit()) - edge));
    Label column, end;
    w.as.jump_if(Condition::not_equal, bytes == 2 ? column : refused);  // columns of words are rare
    slice.find(w, specifier);
    slice.move_row(w, address);
    if (bytes != 2) return true;
    w.as.jump(end);
    w.as.bind(column);
    w.as.alu(Alu::cmp, Width::word, RegMem(W::scratch), 1 << TileSlice::column_bit);
    w.as.jump_if(Condition::not_equal, refused);
    slice.find(w, specifier);
    slice.move_column(w, address);
    w.as.bind(end);
    return true;
  };
}

bool zero_tile(W& w, const Decoded& d) {
  const std::uint64_t vtype = w.vectors().vtype;
  const unsigned tile = d.word >> 8 & 15, rows = vtype >> 16 & 0x3fff;
  if (!is_matrix(vtype) || sew_of(vtype) * widen_of(vtype) != 32 || tile % 4 != 0 || w.vectors().vl != edge ||
      rows > edge)
    return false;
  w.as.vector({1, 1, 0xef}, W::scratch_vector, W::scratch_vector, W::scratch_vector);  // xor
  for (unsigned byte = 0; byte < rows * row_bytes; byte += w.piece_bytes())
    w.as.store_vector(w.tile(tile, 0, byte), W::scratch_vector);
  return true;
}

// The smaller of x[rs1] and `most`, in scratch and x[rd].
void grant(W& w, const Decoded& d, std::uint64_t most) {
  w.as.move(Width::wide, W::scratch, w.read(d.rs1));
  w.as.set(W::second_scratch, most);
  w.as.alu(Alu::cmp, Width::wide, W::scratch, W::second_scratch);
  w.as.move_if(Condition::above, Width::wide, W::scratch, W::second_scratch);
  if (d.rd != 0) w.as.move(Width::wide, w.write(d.rd), W::scratch);
}

bool set_columns(W& w, const Decoded& d) {
  const auto vtype = w.known_vtype();
  if (!vtype || !is_matrix(*vtype)) return false;
  grant(w, d, isa::effective_tile_edge(sew_of(*vtype), widen_of(*vtype)));
  w.as.store(8, W::vector_length(), W::scratch);
  w.set_known(vtype, std::nullopt);
  return true;
}

// An extent that is a field of vtype, of `bits` bits from `shift` on, and the hart's byte at `offset`.
void set_field(W& w, std::uint64_t vtype, unsigned shift, unsigned bits, std::size_t offset) {
  w.as.store(1, in_hart(offset), W::scratch);
  w.as.shift(Shift::left, Width::wide, W::scratch, static_cast<std::uint8_t>(shift));
  w.as.set(W::second_scratch, vtype & ~(((std::uint64_t{1} << bits) - 1) << shift));
  w.as.alu(Alu::or_, Width::wide, W::scratch, W::second_scratch);
  w.as.store(8, W::vector_type(), W::scratch);
  w.set_known(std::nullopt, w.known_vl());
}

bool set_rows(W& w, const Decoded& d) {
  const auto vtype = w.known_vtype();
  if (!vtype || !is_matrix(*vtype)) return false;
  grant(w, d, isa::effective_tile_edge(sew_of(*vtype), widen_of(*vtype)));
  set_field(w, *vtype, 16, 14, offsetof(isa::Hart, tile_m));
  return true;
}

bool set_depth(W& w, const Decoded& d) {
  const auto vtype = w.known_vtype();
  if (!vtype || !is_matrix(*vtype)) return false;
  grant(w, d, isa::tile_k_max(widen_of(*vtype)));
  set_field(w, *vtype, 11, 3, offsetof(isa::Hart, tile_k));
  return true;
}

}  // namespace

std::span<const Emitter> matrix_move_emitters() {
  static const Emitter table[] = {
      {"sf.vlte16", move_slice(2, false)},
      {"sf.vste16", move_slice(2, true)},
      {"sf.vlte32", move_slice(4, false)},
      {"sf.vste32", move_slice(4, true)},
      {"sf.vtzero.t", zero_tile},
      {"sf.vsettn", set_columns},
      {"sf.vsettm", set_rows},
      {"sf.vsettk", set_depth},
  };
  return table;
}

}  // namespace dojo::translate
