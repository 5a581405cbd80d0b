// Rows of tiles to and from memory, tiles of zeros, and the extents of a matrix configuration.
#include <algorithm>
#include <bit>

#include "isa/vector_config.h"
#include "translate/emitters.h"
#include "translate/in_hart.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr unsigned edge = isa::tile_edge, row_bytes = 4 * edge;

constexpr bool is_matrix(std::uint64_t vtype) { return vtype >> 63 == 0 && (vtype >> 9 & 3) != 0; }
constexpr unsigned widen_of(std::uint64_t vtype) { return 1u << ((vtype >> 9 & 3) - 1); }
constexpr unsigned sew_of(std::uint64_t vtype) { return 8u << (vtype >> 3 & 7); }

// Between the row of a tile that x[rs2] names and memory at x[rs1]. Tiles of `bytes`-byte elements, 2 or 4,
// begin at every `bytes`-th register of 256 bytes. A column takes the slow path.
Emit move_row(unsigned bytes, bool is_store) {
  return [=](W& w, const Decoded& d) {
    const auto vl = static_cast<unsigned>(w.vectors().vl);
    if (!is_matrix(w.vectors().vtype) || vl == 0 || vl > edge || (vl != edge && !w.as.has_masks()))
      return false;
    const unsigned row = edge * bytes, tile = row * edge, moved = vl * bytes;
    const Reg address = w.read(d.rs1), specifier = w.read(d.rs2);
    w.check(address, 0, std::max(8u, moved), is_store, w.slow_path());
    // The specifier: row below 16, no column (bit 24), a register where a tile begins (from bit 27 on).
    constexpr unsigned pattern_end = 27, tiles_end = 31;
    const unsigned first_tile_bit = pattern_end + static_cast<unsigned>(std::countr_zero(bytes));
    w.as.move(Width::word, W::scratch, specifier);
    w.as.alu(Alu::and_, Width::word, RegMem(W::scratch),
             static_cast<std::int32_t>((1u << first_tile_bit) - edge));
    w.as.jump_if(Condition::not_equal, w.slow_path());
    const auto tile_log2 = static_cast<unsigned>(std::countr_zero(tile)),
               tile_bits = (1u << (tiles_end - first_tile_bit)) - 1;
    w.as.move(Width::word, W::scratch, specifier);
    w.as.move(Width::word, W::second_scratch, specifier);
    w.as.shift(Shift::right, Width::word, W::scratch, static_cast<std::uint8_t>(first_tile_bit - tile_log2));
    w.as.alu(Alu::and_, Width::word, RegMem(W::scratch), static_cast<std::int32_t>(tile_bits << tile_log2));
    w.as.alu(Alu::and_, Width::word, RegMem(W::second_scratch), edge - 1);
    w.as.shift(Shift::left, Width::word, W::second_scratch, static_cast<std::uint8_t>(std::countr_zero(row)));
    w.as.alu(Alu::add, Width::word, W::scratch, W::second_scratch);
    const unsigned step = std::min(row, w.piece_bytes());
    for (unsigned at = 0; at < moved; at += step) {
      Mem in_tile = in_hart(offsetof(isa::Hart, tiles) + at);
      in_tile.index = W::scratch;
      const Mem memory = W::bytes_at(address, static_cast<std::int32_t>(at)),
                from = is_store ? in_tile : memory, to = is_store ? memory : in_tile;
      if (moved == row) {
        w.as.load_part(W::scratch_vector, from, step);
        w.as.store_part(to, W::scratch_vector, step);
      } else {
        w.as.set(W::second_scratch, (std::uint64_t{1} << moved) - 1);
        w.as.set_mask(Mask::k1, W::second_scratch);
        w.as.load_bytes(W::scratch_vector, from, Mask::k1);
        w.as.store_bytes(to, W::scratch_vector, Mask::k1);
      }
    }
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
      {"sf.vlte16", move_row(2, false)}, {"sf.vste16", move_row(2, true)}, {"sf.vlte32", move_row(4, false)},
      {"sf.vste32", move_row(4, true)},  {"sf.vtzero.t", zero_tile},       {"sf.vsettn", set_columns},
      {"sf.vsettm", set_rows},           {"sf.vsettk", set_depth},
  };
  return table;
}

}  // namespace dojo::translate
