// Instructions that write a mask from two element groups. Their kernels write one byte (0 or 1) per element.
#pragma once

#include "isa/vector_operands.h"

namespace dojo::isa::vector {

// The sources with harmless values for inactive elements; `a` and `b` point into the register file if nothing
// is inactive.
struct ComparedSources {
  alignas(64) std::uint8_t a_copy[max_group_bytes], b_copy[max_group_bytes];
  const void *a, *b;
  ComparedSources(Hart& hart, const Decoded* d, const VectorShape& shape);
};

constexpr VectorOperands compared_operands(const VectorShape& shape) {
  VectorOperands operands = operands_of(shape);
  operands.vd = mask_bits;
  return operands;
}

template <VectorShape shape, const Kernels& kernels>
const Decoded* execute_compare(Hart& hart, const Decoded* d) {
  const Kernel kernel = kernels[sew_log2(hart)];
  if (kernel == nullptr || (shape.rounds && hart.frm > 4)) return illegal(hart, d);
  const ComparedSources sources(hart, d, shape);
  alignas(64) std::uint8_t bits[max_elements];
  kernel(hart, bits, sources.b, sources.a, hart.vl);
  write_mask(hart, d, group(hart, d->rd), bits);
  hart.vstart = 0;
  return d + 1;
}
template <VectorShape shape, const Kernels& kernels>
constexpr VectorHandler run_compare = handler<compared_operands(shape), execute_compare<shape, kernels>>;

}  // namespace dojo::isa::vector
