// The tables of instructions that become host instructions, each in its own file.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "translate/code_writer.h"

namespace dojo::translate {

struct Emitter {
  std::string_view mnemonic;
  Emit emit;
};

std::span<const Emitter> integer_emitters();
std::span<const Emitter> memory_emitters();  // scalar loads and stores
std::span<const Emitter> control_emitters();
std::span<const Emitter> float_emitters();
std::span<const Emitter> vector_config_emitters();
std::span<const Emitter> vector_memory_emitters();
std::span<const Emitter> vector_strided_emitters();
std::span<const Emitter> vector_float_emitters();
std::span<const Emitter> vector_integer_emitters();
std::span<const Emitter> vector_mask_emitters();
std::span<const Emitter> vector_convert_emitters();
std::span<const Emitter> matrix_emitters();
std::span<const Emitter> matrix_move_emitters();

// Every table.
std::array<std::span<const Emitter>, 13> all_emitters();

// Takes the slow path unless the rounding mode is to nearest even.
inline void check_rounding(CodeWriter& w) {
  w.as.load(1, false, CodeWriter::scratch, CodeWriter::frm());
  w.as.test(Width::word, CodeWriter::scratch, CodeWriter::scratch);
  w.as.jump_if(Condition::not_equal, w.slow_path());
}

// Jumps to what label() gives, asked for at the place of the jump, if there is a NaN among the elements of so
// many bytes of these vectors. Overwrites the scratch vectors (AVX2) or k2 (AVX-512).
template <typename GiveLabel>
void check_numbers(CodeWriter& w, std::span<const Vec> vectors, unsigned bytes, GiveLabel label) {
  if (vectors.empty()) return;
  const Vec found = CodeWriter::scratch_vector, more = CodeWriter::second_scratch_vector;
  // One comparison looks at two registers.
  for (std::size_t i = 0; i < vectors.size(); i += 2) {
    const Vec a = vectors[i], b = vectors[i + 1 < vectors.size() ? i + 1 : i];
    if (w.as.has_masks()) {
      w.as.compare_ordered(bytes, Mask::k2, a, b, i == 0 ? Mask::k0 : Mask::k2);
    } else {
      w.as.compare_unordered(bytes, i == 0 ? found : more, a, b);
      if (i != 0) w.as.vector({0, 1, 0x56}, found, found, more);  // or
    }
  }
  if (w.as.has_masks())
    w.as.test_mask(w.piece_bytes() / bytes, Mask::k2);
  else
    w.as.test_any(found);
  w.as.jump_if(w.as.has_masks() ? Condition::not_below : Condition::not_equal, label());
}

}  // namespace dojo::translate
