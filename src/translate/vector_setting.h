// The vector configuration that code is written for, as instructions see it.
#pragma once

#include <bit>
#include <optional>

#include "translate/code_writer.h"

namespace dojo::translate {

struct Setting {
  unsigned sew_bytes, bytes, registers;  // bytes: vl elements; registers: of a group, at least one
  bool is_plain;                         // a vector configuration, no matrix one, with elements in it
};

inline Setting setting_of(const Vectors& vectors) {
  const std::uint64_t vtype = vectors.vtype;
  const unsigned sew_bytes = 1u << (vtype >> 3 & 7), lmul = vtype & 7;
  return {.sew_bytes = sew_bytes,
          .bytes = static_cast<unsigned>(vectors.vl) * sew_bytes,
          .registers = lmul < 4 ? 1u << lmul : 1u,
          .is_plain = vtype >> 8 == 0 && sew_bytes <= 8 && vectors.vl != 0};
}

constexpr bool is_masked(const isa::Decoded& d) { return (d.word >> 25 & 1) == 0; }

// The signed immediate in rs1's place.
constexpr std::int64_t simm5(const isa::Decoded& d) { return (std::int64_t{d.rs1} ^ 16) - 16; }

// The bytes of a group, piece by piece. The last may be a part of a piece, where the host has masks; then
// `part` is the mask of its elements.
struct Pieces {
  static constexpr Mask part = Mask::k1;
  unsigned piece_bytes, bytes;

  unsigned count() const { return (bytes + piece_bytes - 1) / piece_bytes; }
  bool is_part(unsigned i) const { return (i + 1) * piece_bytes > bytes; }
  // Sets `part`, one bit for so many bytes.
  void set_part(CodeWriter& w, unsigned element_bytes) const {
    if (bytes % piece_bytes == 0) return;
    w.as.set(CodeWriter::scratch, (std::uint64_t{1} << bytes % piece_bytes / element_bytes) - 1);
    w.as.set_mask(part, CodeWriter::scratch);
  }
};

// The pieces of `bytes` bytes, unless one of them is a part and the host has no masks.
inline std::optional<Pieces> pieces_of(const CodeWriter& w, unsigned bytes) {
  if (bytes % w.piece_bytes() != 0 && !w.as.has_masks()) return std::nullopt;
  return Pieces{w.piece_bytes(), bytes};
}

}  // namespace dojo::translate
