// Kernels whose points meet in the same output elements: contributions are added into an FP32 slice of the
// output.
#include "base/index.h"
#include "codegen/kernel.h"
#include "codegen/matrix_plan.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

// Outer are the leading output dimensions that are one axis each.
Slice find_slice(const KernelStep& step) {
  Slice slice;
  const auto& shape = step.out.buffer->shape;
  std::size_t prefix = 0;
  for (; prefix < shape.size(); ++prefix) {
    int owner = -1;
    for (const int a : step.parallel) {
      if (lowering::plain_dimension(step.op.out, at(a)) == static_cast<int>(prefix)) owner = a;
    }
    const bool whole =
        owner >= 0 && (step.op.box[at(owner)].extent == shape[prefix] || step.axes[at(owner)].run_time);
    if (!whole) break;
    slice.outer.push_back(owner);
  }
  for (std::size_t d = prefix; d < shape.size(); ++d) slice.elements *= shape[d];
  slice.in_place =
      step.out.buffer->format == numerics::Format::fp32 && step.op.epilogue.empty() && !step.step.accumulate;
  return slice;
}

// Where each output index is a sum of at most two axes with positive coefficients, a later position along the
// first means an earlier one along the second: running the second axes backwards outside gives ir.h's order
// and leaves all others free. Otherwise the order of the box stays.
ScatterOrder find_order(const KernelStep& step, const Slice& slice) {
  ScatterOrder order;
  for (const int a : step.parallel) {
    if (!contains(slice.outer, a)) order.axes.push_back(a);
  }
  if (graph::has_computed_index(step.op.out)) {
    // Axes that are a dimension of their own go inside: along them no two points meet.
    const auto meets = [&](int a) { return lowering::plain_dimension(step.op.out, at(a)) < 0; };
    const auto own = std::stable_partition(order.axes.begin(), order.axes.end(), meets);
    order.free = own != order.axes.end();
    return order;
  }
  std::vector<int> backwards;
  std::vector<int> dimensions_of(step.axes.size(), 0);
  for (std::size_t d = slice.outer.size(); d < step.op.out.map.size(); ++d) {
    std::vector<int> used;
    for (const int a : order.axes) {
      if (!lowering::reaches(step.op.out.map[d], at(a)) || step.extent(a) == 1) continue;
      used.push_back(a);
      ++dimensions_of[at(a)];
      if (step.op.out.map[d].coefficients[at(a)] < 0) return order;
    }
    if (used.size() > 2) return order;
    if (used.size() == 2) backwards.push_back(used[1]);
  }
  if (std::any_of(dimensions_of.begin(), dimensions_of.end(), [](int count) { return count > 1; }))
    return order;

  std::vector<int> others;
  for (const int a : order.axes) {
    if (!contains(backwards, a)) others.push_back(a);
  }
  const auto longest = std::max_element(others.begin(), others.end(),
                                        [&](int a, int b) { return step.extent(a) < step.extent(b); });
  if (longest != others.end()) std::rotate(longest, longest + 1, others.end());
  order.axes = backwards;
  order.axes.insert(order.axes.end(), others.begin(), others.end());
  order.backwards = std::move(backwards);
  order.free = true;
  return order;
}

// Halves the blocks of the one axis that may be cut until the panels fit: first in its group, first in the
// order of ir.h, and running forwards. Whether they then fit at least into twice the room.
bool cut_to_fit(const ScatterOrder& order, MatrixProduct& product, std::int64_t panel_bytes) {
  const auto may_be_cut = [&](const Block& block, const Block& other) {
    return !block.axes.empty() && !contains(order.backwards, block.axes[0]) &&
           (other.axes.empty() || block.axes[0] < other.axes[0]);
  };
  const std::int64_t element = numerics::storage_bytes(product.panel);
  const auto bytes = [&] {
    return product.m.most() * product.n.most() * 4 +
           (product.left_in_place ? 0 : product.m.most() * product.k.most() * element) +
           (product.right_in_place ? 0 : product.n.most() * product.k.most() * element);
  };
  Block* const cut = may_be_cut(product.n, product.m)   ? &product.n
                     : may_be_cut(product.m, product.n) ? &product.m
                                                        : nullptr;
  while (cut != nullptr && cut->size > 1 && bytes() > panel_bytes) cut->size = (cut->size + 1) / 2;
  return bytes() <= 2 * panel_bytes;
}

}  // namespace

KernelPlan plan_scatter(const KernelStep& step) {
  ScatterPlan scatter;
  scatter.slice = find_slice(step);
  scatter.order = find_order(step, scatter.slice);
  KernelPlan plan;
  if (!scatter.slice.in_place) plan.reserve("slice", "float", scatter.slice.elements);
  plan.form = std::move(scatter);
  return plan;
}

std::optional<KernelPlan> plan_matrix_scatter(const KernelStep& step, std::int64_t panel_bytes) {
  MatrixScatterPlan scatter;
  scatter.slice = find_slice(step);
  scatter.order = find_order(step, scatter.slice);
  if (!scatter.order.free) return std::nullopt;
  const std::optional<MatrixPlan> groups = group_axes(step, scatter.slice.outer, Sums::scattered);
  if (!groups) return std::nullopt;
  for (const int a : groups->outer) {
    if (!contains(scatter.slice.outer, a)) return std::nullopt;
  }
  MatrixProduct& product = scatter.product = groups->product;
  for (const Block* block : {&product.m, &product.n}) {
    if (!block->axes.empty() && step.axes[at(block->axes[0])].run_time) return std::nullopt;
  }
  const KernelOperand &left = step.in[product.left], &right = step.in[product.right];
  product.left_in_place = panel_stride(step, step.axes, left, product, product.m).has_value();
  product.right_in_place = panel_stride(step, step.axes, right, product, product.n).has_value();
  if (!cut_to_fit(scatter.order, product, panel_bytes)) return std::nullopt;

  const std::string panel = element_type(product.panel);
  KernelPlan plan;
  if (!product.left_in_place) plan.reserve("left", panel, product.m.most() * product.k.most());
  if (!product.right_in_place) plan.reserve("right", panel, product.n.most() * product.k.most());
  plan.reserve("sums", "float", product.m.most() * product.n.most());
  if (!scatter.slice.in_place) plan.reserve("slice", "float", scatter.slice.elements);
  plan.form = std::move(scatter);
  return plan;
}

}  // namespace dojo::codegen
