#include "isa/vector_compare.h"

namespace dojo::isa::vector {

ComparedSources::ComparedSources(Hart& hart, const Decoded* d, const VectorShape& shape)
    : a(group(hart, d->rs1)), b(group(hart, d->rs2)) {
  const unsigned width = sew_log2(hart);
  const std::size_t bytes = hart.vl << width;
  if (shape.first != First::vector) {
    splat(a_copy, scalar(hart, d, shape.first, width), width, hart.vl);
    a = a_copy;
  }
  if (!shape.floats || (!is_masked(d) && hart.vstart == 0)) return;
  const Active active(hart, d);
  if (a != a_copy) std::memcpy(a_copy, a, bytes);
  std::memcpy(b_copy, b, bytes);
  make_harmless(a_copy, active, true, width, hart.vl);
  make_harmless(b_copy, active, true, width, hart.vl);
  a = a_copy;
  b = b_copy;
}

}  // namespace dojo::isa::vector
