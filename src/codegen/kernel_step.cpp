#include "codegen/kernel_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

std::string identifier(std::string_view name) {
  std::string text;
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) text = "t" + text;
  return text;
}

}  // namespace

// The number first: op_7, scratch_7 and many a macro are taken, and a file may call its tensors so.
std::string buffer_name(const lowering::LoweredProgram& program, lowering::BufferId id) {
  return fmt::format("t{}_{}", id, identifier(program.at(id).name));
}

std::string element_type(numerics::Format format) {
  switch (format) {
    case numerics::Format::fp32:
      return "float";
    case numerics::Format::bf16:
      return "bf16";
    case numerics::Format::u8:
      return "uint8_t";
    case numerics::Format::cfloat8_143:
      return "dojo::cfloat8_143";
    case numerics::Format::cfloat8_152:
      return "dojo::cfloat8_152";
    default:
      throw UserError(numerics::name(format), "no kernel reads or writes this format", Refusal::not_yet);
  }
}

KernelStep::KernelStep(const lowering::LoweredProgram& the_program, const lowering::ComputeStep& the_step)
    : program(the_program),
      step(the_step),
      op(step.op),
      chain(lowering::chain_axes(op)),
      parallel(lowering::parallel_axes(op)) {
  std::set<std::string> taken = {"tile", "first", "rows", "valid", "out"};
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    LoopAxis axis;
    axis.variable = identifier(op.box[a].name);
    while (!taken.insert(axis.variable).second) axis.variable += fmt::format("_{}", a);
    axis.extent = op.box[a].extent;
    axis.count = fmt::format("{}", axis.extent);
    if (static_cast<int>(a) == step.batch_axis) axis.count = "valid", axis.run_time = true;
    if (static_cast<int>(a) == step.tile_axis)
      axis.count = "rows", axis.run_time = true, axis.extent = std::min(axis.extent, step.tile_rows);
    axes.push_back(axis);
  }
  for (std::size_t k = 0; k < op.in.size(); ++k) in.push_back(make_operand(op.in[k], fmt::format("in{}", k)));
  for (std::size_t k = 0; k < op.extra.size(); ++k)
    extra.push_back(make_operand(op.extra[k], fmt::format("extra{}", k)));
  out = make_operand(op.out, "out");
}

KernelOperand KernelStep::make_operand(const graph::Access& access, const std::string& pointer) const {
  KernelOperand operand{&access, &program.at(access.tensor), pointer, false, false};
  const auto& tiles = step.tile_buffers;
  operand.shifted =
      step.tile_axis >= 0 && std::find(tiles.begin(), tiles.end(), access.tensor) == tiles.end();
  operand.guarded = lowering::may_leave(access, box_of(operand), operand.buffer->shape);
  return operand;
}

std::vector<graph::Axis> KernelStep::box_of(const KernelOperand& operand) const {
  std::vector<graph::Axis> box = op.box;
  if (step.tile_axis >= 0 && !operand.shifted) box[at(step.tile_axis)].extent = extent(step.tile_axis);
  return box;
}

std::vector<std::int64_t> KernelStep::strides(const KernelOperand& operand) const {
  return lowering::linear(*operand.access, axes.size(), operand.buffer->shape).coefficients;
}

std::vector<std::int64_t> sizes_under(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> sizes(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) sizes[d - 1] = sizes[d] * shape[d];
  return sizes;
}

std::optional<std::int64_t> common_stride(const KernelStep& step, const std::vector<LoopAxis>& axes,
                                          const KernelOperand& operand, const std::vector<int>& group) {
  const std::vector<std::int64_t> strides = step.strides(operand);
  std::int64_t expected = 0;
  std::optional<std::int64_t> last;
  for (std::size_t k = group.size(); k-- > 0;) {
    const std::int64_t extent = axes[at(group[k])].extent, stride = strides[at(group[k])];
    if (extent == 1) continue;
    if (last && stride != expected) return std::nullopt;
    if (!last) last = stride;
    expected = stride * extent;
  }
  return last.value_or(1);
}

}  // namespace dojo::codegen
