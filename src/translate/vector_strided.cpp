// Loads and stores of vector registers with a stride: one element after the other, gathered and scattered by
// 16 bytes.
#include <algorithm>

#include "isa/vector_legality.h"
#include "translate/emitters.h"
#include "translate/vector_setting.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr unsigned quarter = 16;
// Each is an instruction or two of code.
constexpr std::uint64_t most_elements_unrolled = 64;
// So that no element lies elsewhere than between the first and the last.
constexpr std::int32_t longest_stride = 1 << 20;

struct StridedAccess {
  unsigned bytes, elements;  // of an element; how many
  bool is_store;
};

// Takes the slow path unless all elements may be accessed. Overwrites both scratch registers.
void check_ends(W& w, const StridedAccess& access, Reg address, Reg stride) {
  Label& refused = w.slow_path();
  w.as.address(Width::wide, W::scratch, {stride, longest_stride});
  w.as.alu(Alu::cmp, Width::wide, RegMem(W::scratch), 2 * longest_stride);
  w.as.jump_if(Condition::not_below, refused);
  w.check(address, 0, access.bytes, access.is_store, refused);
  w.as.set(W::scratch, access.elements - 1);
  w.as.multiply(Width::wide, W::scratch, stride);
  w.as.alu(Alu::add, Width::wide, W::scratch, address);
  w.check(W::scratch, 0, access.bytes, access.is_store, refused);
}

// The elements of a quarter, at scratch, which goes on.
void move_quarter(W& w, const StridedAccess& access, unsigned count, Reg stride) {
  const Mem place = W::bytes_at(W::scratch);
  for (unsigned i = 0; i < count; ++i) {
    access.is_store ? w.as.extract(access.bytes, place, W::scratch_vector, i)
                    : w.as.insert(access.bytes, W::scratch_vector, place, i);
    w.as.alu(Alu::add, Width::wide, W::scratch, stride);
  }
}

Emit strided(unsigned bytes, bool is_store) {
  return [=](W& w, const Decoded& d) {
    const Vectors& vectors = w.vectors();
    const auto type = isa::ElementType::of(vectors.vtype);
    const auto first = w.first_piece(d.rd);
    if (vectors.vtype >> 63 != 0 || vectors.vl == 0 || vectors.vl > most_elements_unrolled || is_masked(d) ||
        !first || !isa::vector::group_is_legal(d.rd, d.row->vector.vd, type))
      return false;
    const StridedAccess access{bytes, static_cast<unsigned>(vectors.vl), is_store};
    const Reg address = w.read(d.rs1), stride = w.read(d.rs2);
    check_ends(w, access, address, stride);
    w.as.move(Width::wide, W::scratch, address);
    const unsigned in_quarter = quarter / bytes, in_piece = w.piece_bytes() / bytes;
    for (unsigned done = 0; done < access.elements; done += in_piece) {
      const unsigned number = *first + done / in_piece, count = std::min(in_piece, access.elements - done);
      const Vec piece = is_store ? w.piece(number) : count == in_piece ? w.fresh() : w.copy_of(number);
      for (unsigned i = 0; i < count; i += in_quarter) {
        const unsigned moved = std::min(in_quarter, count - i);
        if (is_store || moved < in_quarter) w.as.to_lowest(W::scratch_vector, piece, i / in_quarter);
        move_quarter(w, access, moved, stride);
        if (!is_store) w.as.insert_lowest(piece, W::scratch_vector, i / in_quarter);
      }
      is_store ? w.release(piece) : w.becomes(number, piece);
    }
    return true;
  };
}

}  // namespace

std::span<const Emitter> vector_strided_emitters() {
  static const Emitter table[] = {{"vlse16.v", strided(2, false)},
                                  {"vlse32.v", strided(4, false)},
                                  {"vsse16.v", strided(2, true)},
                                  {"vsse32.v", strided(4, true)}};
  return table;
}

}  // namespace dojo::translate
