// A compute step as its kernel sees it: axes as loops, accesses as operands. Made once and never changed, so
// that the plan and the text of a kernel speak of the same thing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/loop_nest.h"
#include "lowering/lowered.h"

namespace dojo::codegen {

struct KernelOperand {
  const graph::Access* access = nullptr;
  const lowering::Buffer* buffer = nullptr;
  std::string pointer;   // the local pointer's name in C++
  bool shifted = false;  // sees the whole tensor inside a tile loop: the tiled axis starts at `first`
  bool guarded = false;  // may leave the tensor: every index is checked
};

struct KernelStep {
  KernelStep(const lowering::LoweredProgram& program, const lowering::ComputeStep& step);

  const lowering::LoweredProgram& program;
  const lowering::ComputeStep& step;
  const graph::StructuredOp& op;
  std::vector<LoopAxis> axes;        // of the box; the batch and a tiled axis have bounds known at run time
  std::vector<int> chain, parallel;  // axes that do not occur in the output's map, and those that do
  std::vector<KernelOperand> in, extra;
  KernelOperand out;

  std::int64_t extent(int axis) const { return axes[static_cast<std::size_t>(axis)].extent; }
  // The box that an operand is read over: inside a tile loop, of one tile or of the whole tensor.
  std::vector<graph::Axis> box_of(const KernelOperand& operand) const;
  // How far an operand's row-major position moves with each axis.
  std::vector<std::int64_t> strides(const KernelOperand& operand) const;

private:
  KernelOperand make_operand(const graph::Access& access, const std::string& pointer) const;
};

// Elements under each dimension of a row-major shape.
std::vector<std::int64_t> sizes_under(const std::vector<std::int64_t>& shape);

// The stride of the operand along `group` if these axes, in this order and with the extents of `axes`, step
// through it like one axis; 1 if nothing moves.
std::optional<std::int64_t> common_stride(const KernelStep& step, const std::vector<LoopAxis>& axes,
                                          const KernelOperand& operand, const std::vector<int>& group);

}  // namespace dojo::codegen
