// What stands in vs1's place of a vector instruction: a group, or a scalar in every element of a fresh host
// register.
#pragma once

#include "translate/code_writer.h"
#include "translate/vector_setting.h"

namespace dojo::translate {

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

// f[rs1]; a single that is not boxed takes the slow path.
inline Vec spread_float(CodeWriter& w, const isa::Decoded& d, const Setting& s) {
  if (s.sew_bytes == 4 && !w.is_boxed(d.rs1)) {
    w.as.alu(Alu::cmp, Width::word, RegMem(CodeWriter::f(d.rs1, 4)), -1);
    w.as.jump_if(Condition::not_equal, w.slow_path());
  }
  const Vec all = w.fresh();
  w.as.spread(s.sew_bytes, all, CodeWriter::f(d.rs1));
  return all;
}

// The pieces of it, each with what is to be done to it in turn.
class FirstSource {
public:
  FirstSource(CodeWriter& w, const isa::Decoded& d, const GroupOperands& o) : w_(w), first_(o.vs1) {
    if (o.source == Source::vector) return;
    is_vector_ = false;
    same_ = o.source == Source::f ? spread_float(w, d, o.setting) : spread_integer(w, d, o.setting, o.source);
  }

  Vec piece(unsigned i) const { return is_vector_ ? w_.piece(first_ + i) : same_; }
  void release(Vec piece) const {
    if (is_vector_) w_.release(piece);
  }

private:
  CodeWriter& w_;
  unsigned first_;
  bool is_vector_ = true;
  Vec same_{};
};

}  // namespace dojo::translate
