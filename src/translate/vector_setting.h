// The vector configuration that code is written for, as instructions see it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "isa/vector_legality.h"
#include "translate/code_writer.h"

namespace dojo::translate {

struct Setting {
  isa::ElementType type;
  unsigned sew_bytes, bytes;  // bytes: vl elements
  bool is_plain;              // a vector configuration, no matrix one, with elements in it
};

inline Setting setting_of(const Vectors& vectors) {
  const auto type = isa::ElementType::of(vectors.vtype);
  const unsigned sew_bytes = 1u << type.sew_log2;
  return {.type = type,
          .sew_bytes = sew_bytes,
          .bytes = static_cast<unsigned>(vectors.vl) * sew_bytes,
          .is_plain = vectors.vtype >> 8 == 0 && vectors.vl != 0};
}

constexpr bool is_masked(const isa::Decoded& d) { return (d.word >> 25 & 1) == 0; }

// The signed immediate in rs1's place.
constexpr std::int64_t simm5(const isa::Decoded& d) { return (std::int64_t{d.rs1} ^ 16) - 16; }

// The bytes of a group, piece by piece. The last may be a part of a piece, where the host has masks.
struct Pieces {
  unsigned piece_bytes, bytes;

  unsigned count() const { return (bytes + piece_bytes - 1) / piece_bytes; }
  bool is_part(unsigned i) const { return (i + 1) * piece_bytes > bytes; }
};

// The pieces of `bytes` bytes, unless one of them is a part and the host has no masks.
inline std::optional<Pieces> pieces_of(const CodeWriter& w, unsigned bytes) {
  if (bytes % w.piece_bytes() != 0 && !w.as.has_masks()) return std::nullopt;
  return Pieces{w.piece_bytes(), bytes};
}

// Some elements of a piece: those whose bits are set in `mask` (AVX-512) or whose signs are in `lanes`
// (AVX2); with neither, all.
struct Selected {
  Mask mask = Mask::k0;
  std::optional<Vec> lanes{};

  bool all() const { return mask == Mask::k0 && !lanes; }
};

// Which elements of a group an instruction writes: those below vl, of which v0 may select some.
struct Elements {
  Pieces pieces;
  unsigned bytes;       // of an element
  bool masked = false;  // by v0, which is in the hart (`prepare`) and no part of the destination

  unsigned in_piece() const { return pieces.piece_bytes / bytes; }
  void prepare(CodeWriter& w) const {
    if (masked) w.write_back(0, w.pieces_in_register());
  }
  bool is_whole(unsigned piece) const { return !masked && !pieces.is_part(piece); }
  // Of a piece. AVX-512: in `to`, overwrites k7; AVX2: in a fresh register.
  Selected select(CodeWriter& w, unsigned piece, Mask to) const {
    if (is_whole(piece)) return {};
    if (!w.as.has_masks()) return {.lanes = lanes(w, piece)};
    if (masked) w.as.load_mask(in_piece(), to, w.v(0, piece * in_piece() / 8));
    if (!pieces.is_part(piece)) return {.mask = to};
    const Mask below = masked ? Mask::k7 : to;
    const unsigned count = (pieces.bytes - piece * pieces.piece_bytes) / bytes;
    w.as.set(CodeWriter::scratch, (std::uint64_t{1} << count) - 1);
    w.as.set_mask(below, CodeWriter::scratch);
    if (masked) w.as.mask_and(to, to, below);
    return {.mask = to};
  }
  // `to` becomes what is in `from` where selected, and the elements of `others` elsewhere. AVX-512: `to` is
  // `others` already.
  void merge(CodeWriter& w, Vec to, Vec others, Vec from, const Selected& selected) const {
    selected.lanes ? w.as.choose(to, others, from, *selected.lanes)
                   : w.as.merge(bytes, to, from, selected.mask);
  }
  // The piece of vd is what `from` holds of those elements, and the others as they were.
  void become(CodeWriter& w, unsigned vd, unsigned piece, Vec from, const Selected& selected) const {
    if (selected.all()) return w.becomes(vd + piece, from);
    const Vec before = w.piece(vd + piece), to = w.fresh();
    if (!selected.lanes) w.as.move_vector(to, before);
    merge(w, to, before, from, selected);
    if (selected.lanes) w.release(*selected.lanes);
    w.release(before);
    w.release(from);
    w.becomes(vd + piece, to);
  }

private:
  // By bits of v0, each compared where it stands; elements of 4 or 8 bytes.
  Vec lanes(CodeWriter& w, unsigned piece) const {
    struct Places {
      std::array<std::uint32_t, 8> words = {1, 2, 4, 8, 16, 32, 64, 128};
      std::array<std::uint64_t, 8> doubles = {1, 2, 4, 8, 16, 32, 64, 128};
    };
    alignas(32) static constexpr Places places;
    const bool wide = bytes == 8, upper = wide && piece % 2 != 0;
    const Vec to = w.fresh();
    w.as.spread(1, to, w.v(0, piece * in_piece() / 8));
    w.as.set_address(CodeWriter::scratch,
                     wide ? static_cast<const void*>(&places.doubles[upper ? 4 : 0]) : places.words.data());
    w.as.vector({1, 1, 0xdb}, to, to, Mem{CodeWriter::scratch});  // and
    w.as.vector(wide ? VectorOp{1, 2, 0x29} : VectorOp{1, 1, 0x76}, to, to, Mem{CodeWriter::scratch});
    return to;
  }
};

// What stands in vs1's place, by the instruction's row.
enum class Source : std::uint8_t { vector, x, f, immediate };
inline Source source_of(const isa::Decoded& d) {
  switch (d.row->rs1) {
    case isa::Operand::v_read:
      return Source::vector;
    case isa::Operand::x_read:
      return Source::x;
    case isa::Operand::f_read:
      return Source::f;
    default:
      return Source::immediate;
  }
}

// Groups of one element width that an instruction on vectors works on.
struct GroupOperands {
  Setting setting;
  Elements elements;
  Source source;
  unsigned vd, vs2, vs1 = 0;  // first pieces
};

// Only if all groups may stand where they do, and begin with a piece. A destination of mask bits need not.
inline std::optional<GroupOperands> operands_of(const CodeWriter& w, const isa::Decoded& d) {
  const Setting s = setting_of(w.vectors());
  const isa::VectorOperands& operands = d.row->vector;
  const bool masked = is_masked(d);
  if (!s.is_plain || !isa::vector::groups_are_legal(&d, operands, s.type) ||
      !isa::vector::destination_is_legal(&d, operands, s.type) ||
      (masked && !w.as.has_masks() && s.sew_bytes < 4))
    return std::nullopt;
  const auto pieces = pieces_of(w, s.bytes);
  const auto vd = w.first_piece(d.rd), vs2 = w.first_piece(d.rs2), vs1 = w.first_piece(d.rs1);
  const Source source = source_of(d);
  if (!pieces || !vd || !vs2 || (source == Source::vector && !vs1)) return std::nullopt;
  return GroupOperands{s, {*pieces, s.sew_bytes, masked}, source, *vd, *vs2, vs1.value_or(0)};
}

}  // namespace dojo::translate
