// Which form a kernel takes.
#include "codegen/kernel_plan.h"

#include <array>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel.h"
#include "codegen/matrix_plan.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t longest_accumulator = 4096, shortest_accumulator = 4;

KernelPlan plan_chain(const KernelStep& step) {
  std::vector<AffineText> read;  // the base of an index does not matter
  for (const KernelOperand& operand : step.in) {
    read.push_back({step.strides(operand), ""});
    if (!operand.guarded) continue;
    for (const graph::AffineIndex& index : operand.access->map) read.push_back({index.coefficients, ""});
  }
  ChainPlan chain;
  const int lane = vector_axis(step.axes, step.parallel, read);
  KernelPlan plan;
  if (lane >= 0 && step.extent(lane) >= shortest_accumulator) {
    chain = {lane, std::min(step.extent(lane), longest_accumulator)};
    plan.reserve("acc", "float", chain.width);
  }
  plan.form = chain;
  return plan;
}

KernelPlan plan_loops(const KernelStep& step) { return step.chain.empty() ? KernelPlan{} : plan_chain(step); }

KernelPlan choose_form(const KernelStep& step, std::int64_t panel_bytes) {
  const auto& shape = step.out.buffer->shape;
  const bool plain = lowering::injective(step.op, shape);
  // Whether every element gets its value from a point. (A batch smaller than the buffer leaves padding, which
  // nobody reads.)
  const bool complete = lowering::covers(step.op, shape) || step.step.only_reached ||
                        (plain && step.step.tile_axis >= 0 && !step.out.guarded);
  if (lowering::is_contraction(step.op)) {
    const std::optional<KernelPlan> matrix =
        plain && complete ? plan_matrix(step, panel_bytes) : plan_matrix_scatter(step, panel_bytes);
    if (matrix) return *matrix;
    if (!plain || !complete) return plan_scatter(step);
  }
  if (plain && complete) return plan_loops(step);
  const bool only_holes = plain && step.op.epilogue.empty() && step.op.reduction != graph::Reduction::maximum;
  if (!only_holes) return plan_scatter(step);
  if (step.step.tile_axis >= 0)
    throw UserError(step.op.name, "leaves holes in an output that is made tile by tile", Refusal::not_yet);
  KernelPlan plan = plan_loops(step);
  plan.zeroed_first = true;
  return plan;
}

}  // namespace

lowering::ComputeStep with_all_samples(const lowering::ComputeStep& compute) {
  lowering::ComputeStep whole = compute;
  if (whole.batch_axis >= 0) whole.op.box[at(whole.batch_axis)].is_batch = false;
  whole.batch_axis = -1;
  whole.first_sample.reset();
  return whole;
}

KernelPlan plan_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& compute,
                       std::int64_t panel_bytes) {
  const KernelStep step(program, compute);
  KernelPlan plan = choose_form(step, panel_bytes);
  const bool sums_samples =
      compute.batch_axis >= 0 && !lowering::reaches(step.op.out, at(compute.batch_axis));
  if (std::holds_alternative<ChainPlan>(plan.form) && sums_samples && compute.tile_axis < 0 &&
      lowering::is_contraction(step.op)) {
    const lowering::ComputeStep whole = with_all_samples(compute);
    KernelPlan product = choose_form(KernelStep(program, whole), panel_bytes);
    if (std::holds_alternative<MatrixPlan>(product.form)) {
      plan.scratch_bytes = std::max(plan.scratch_bytes, product.scratch_bytes);
      plan.all_samples.push_back(std::move(product));
    }
  }
  if (lowering::is_contraction(step.op)) {
    plan.multiply_adds = 1;
    for (const LoopAxis& axis : step.axes) plan.multiply_adds *= static_cast<std::uint64_t>(axis.extent);
  }
  return plan;
}

void KernelPlan::reserve(std::string name, std::string type, std::int64_t elements) {
  const std::uint64_t element_bytes = type == "bf16" ? 2 : 4;
  scratch.push_back({std::move(name), std::move(type), elements, scratch_bytes});
  scratch_bytes += (static_cast<std::uint64_t>(elements) * element_bytes + 63) / 64 * 64;
}

std::string kind_of(const KernelPlan& plan) {
  static constexpr std::array kinds{"loops", "chain", "scatter", "matrix", "matrix scatter"};
  return kinds.at((plan.all_samples.empty() ? plan : plan.all_samples.front()).form.index());
}

}  // namespace dojo::codegen
