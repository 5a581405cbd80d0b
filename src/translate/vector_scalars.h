// The scalar operand of a vector instruction, in every element of a fresh host register.
#pragma once

#include "translate/code_writer.h"
#include "translate/vector_setting.h"

namespace dojo::translate {

// What stands in vs1's place.
enum class Source : std::uint8_t { vector, x, immediate };
constexpr First first_of(Source source) { return source == Source::vector ? First::vector : First::scalar; }

// x[rs1] or the immediate.
inline Vec spread_integer(CodeWriter& w, const isa::Decoded& d, const Setting& s, Source source) {
  const Vec all = w.fresh();
  const bool is_register = source == Source::x && d.rs1 != 0;
  const std::int64_t value = source == Source::x ? 0 : simm5(d);
  if (!is_register) w.as.set(CodeWriter::scratch, static_cast<std::uint64_t>(value));
  w.as.move_to_vector(Width::wide, CodeWriter::scratch_vector,
                      is_register ? w.read(d.rs1) : CodeWriter::scratch);
  w.as.spread(s.sew_bytes, all, CodeWriter::scratch_vector);
  return all;
}

// f[rs1]; a single that is not boxed is left to the meaning.
inline Vec spread_float(CodeWriter& w, const isa::Decoded& d, const Setting& s) {
  if (s.sew_bytes == 4 && !w.is_boxed(d.rs1)) {
    w.as.alu(Alu::cmp, Width::word, Operand(CodeWriter::f(d.rs1, 4)), -1);
    w.as.jump_if(If::not_equal, w.meaning());
  }
  const Vec all = w.fresh();
  w.as.spread(s.sew_bytes, all, CodeWriter::f(d.rs1));
  return all;
}

}  // namespace dojo::translate
