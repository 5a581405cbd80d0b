// Instructions that write a mask from two element groups. Their kernels write one byte (0 or 1) per element.
#pragma once

#include "isa/vector_operands.h"

namespace dojo::isa::vector {

// The sources with harmless values for inactive elements; `a` and `b` point into the register file if nothing
// is inactive.
struct ComparedSources {
  alignas(64) std::uint8_t a_copy[max_group_bytes], b_copy[max_group_bytes];
  const void *a, *b;
  ComparedSources(Hart& hart, const Decoded* d, const Shape& shape);
};

template <Shape shape, const Kernels& kernels>
const Decoded* run_compare(Hart& hart, const Decoded* d) {
  const Kernel kernel = kernels[sew_log2(hart)];
  const int lmul = hart.lmul_log2;
  if (hart.vill || kernel == nullptr || (shape.rounds && hart.frm > 4) || !group_is_legal(d->rs2, lmul) ||
      !overlap_is_legal(d->rd, 0, -1, d->rs2, lmul, 0))
    return illegal(hart, d);
  if (shape.first == First::vector &&
      (!group_is_legal(d->rs1, lmul) || !overlap_is_legal(d->rd, 0, -1, d->rs1, lmul, 0)))
    return illegal(hart, d);
  const ComparedSources sources(hart, d, shape);
  alignas(64) std::uint8_t bits[max_elements];
  kernel(hart, bits, sources.b, sources.a, hart.vl);
  write_mask(hart, d, group(hart, d->rd), bits);
  hart.vstart = 0;
  return d + 1;
}

}  // namespace dojo::isa::vector
