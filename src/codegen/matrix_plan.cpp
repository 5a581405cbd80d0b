// Kernels on the matrix unit.
//
// Axes fall into groups: m (in out and one operand), n (in out and the other), k (chain), and outer loops (in
// all three). The first axis of each group is cut into blocks so that the panels fit; m and n blocks are
// outside, k blocks inside, so every sum runs over k ascending. The batch is an outer loop wherever other
// axes share its group.
#include "codegen/matrix_plan.h"

#include "base/index.h"
#include "codegen/kernel.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

// Every value of the format is one of bf16.
bool narrow(numerics::Format format) {
  return format == numerics::Format::bf16 || numerics::storage_bytes(format) == 1;
}

Block make_block(const KernelStep& step, std::vector<int> axes) {
  Block block;
  block.axes = std::move(axes);
  for (std::size_t k = 0; k < block.axes.size(); ++k)
    (k == 0 ? block.size : block.inner) *= step.extent(block.axes[k]);
  return block;
}

struct Groups {
  std::vector<int> rows[2];  // of the output along one input alone
  std::vector<int> chain, outer;
  int batch_chain = -1;
};

std::optional<Groups> find_groups(const KernelStep& step, const std::vector<int>& outer) {
  Groups groups;
  groups.outer = outer;
  for (std::size_t a = 0; a < step.axes.size(); ++a) {
    const int axis = static_cast<int>(a);
    if (contains(outer, axis)) continue;
    const bool in0 = lowering::reaches(step.op.in[0], a), in1 = lowering::reaches(step.op.in[1], a),
               out = lowering::reaches(step.op.out, a);
    if (!out) {
      groups.chain.push_back(axis);
    } else if (in0 != in1) {
      groups.rows[in0 ? 0 : 1].push_back(axis);
    } else if (in0) {
      groups.outer.push_back(axis);
    } else if (step.axes[a].extent > 1) {
      return std::nullopt;
    }
  }
  return groups;
}

// Run-time bounds are only possible for a group's first axis; the batch leaves a group that it does not fill
// alone.
bool put_run_time_first(const KernelStep& step, Groups& groups) {
  for (auto& group : groups.rows) {
    const auto batch = std::find(group.begin(), group.end(), step.step.batch_axis);
    if (batch != group.end() && group.size() > 1) {
      groups.outer.push_back(*batch);
      group.erase(batch);
    }
    const auto tile = std::find(group.begin(), group.end(), step.step.tile_axis);
    if (tile != group.end()) std::rotate(group.begin(), tile, tile + 1);
  }
  std::vector<int>& chain = groups.chain;
  if (!chain.empty() && chain[0] == step.step.batch_axis && chain.size() > 1) {
    groups.batch_chain = chain[0];
    chain.erase(chain.begin());
  }
  return std::none_of(chain.begin() + (chain.empty() ? 0 : 1), chain.end(),
                      [&](int a) { return step.axes[at(a)].run_time; });
}

// The operand that runs along out's unit stride gives the columns; where none does, or for a scatter, the one
// with more of them.
std::size_t find_right(const KernelStep& step, const Groups& groups, Sums sums) {
  const std::vector<std::int64_t> where = step.strides(step.out);
  const auto has_unit = [&](const std::vector<int>& group) {
    return std::any_of(group.begin(), group.end(),
                       [&](int a) { return where[at(a)] == 1 && step.extent(a) > 1; });
  };
  const bool first = has_unit(groups.rows[0]);
  if (sums == Sums::stored && (first || has_unit(groups.rows[1]))) return first ? 0 : 1;
  const auto size = [&](const std::vector<int>& group) { return make_block(step, group).most(); };
  return size(groups.rows[0]) > size(groups.rows[1]) ? 0 : 1;
}

}  // namespace

std::optional<MatrixPlan> group_axes(const KernelStep& step, const std::vector<int>& outer, Sums sums) {
  std::optional<Groups> groups = find_groups(step, outer);
  if (!groups || !put_run_time_first(step, *groups) || groups->chain.empty()) return std::nullopt;
  if (sums == Sums::scattered && groups->batch_chain >= 0) return std::nullopt;
  MatrixPlan plan;
  plan.outer = groups->outer;
  plan.batch_chain = groups->batch_chain;
  MatrixProduct& product = plan.product;
  product.right = find_right(step, *groups, sums);
  product.left = 1 - product.right;
  product.m = make_block(step, groups->rows[product.left]);
  product.n = make_block(step, groups->rows[product.right]);
  product.k = make_block(step, groups->chain);
  const bool both_narrow = narrow(step.in[0].buffer->format) && narrow(step.in[1].buffer->format);
  product.panel = both_narrow ? numerics::Format::bf16 : numerics::Format::fp32;
  const std::int64_t most = product.m.most() * product.n.most() * product.k.most();
  if (product.n.most() < 8 || product.k.most() < 4 || most < 4096) return std::nullopt;
  return plan;
}

std::optional<std::int64_t> panel_stride(const KernelStep& step, const std::vector<LoopAxis>& axes,
                                         const KernelOperand& operand, const MatrixProduct& product,
                                         const Block& columns) {
  if (operand.guarded || operand.buffer->format != product.panel) return std::nullopt;
  if (common_stride(step, axes, operand, columns.axes) != 1) return std::nullopt;
  const std::optional<std::int64_t> rows = common_stride(step, axes, operand, product.k.axes);
  return rows && *rows >= 0 ? rows : std::nullopt;
}

namespace {

// The elements from one row of the output to the next, if it can take the sums as they are.
std::optional<std::int64_t> stride_of_sums(const KernelStep& step, const MatrixProduct& product) {
  if (step.out.buffer->format != numerics::Format::fp32 || !step.op.epilogue.empty() ||
      step.step.accumulate || step.out.guarded)
    return std::nullopt;
  const std::optional<std::int64_t> rows = common_stride(step, step.axes, step.out, product.m.axes);
  if (!rows || *rows <= 0 || common_stride(step, step.axes, step.out, product.n.axes) != 1)
    return std::nullopt;
  return rows;
}

KernelPlan with_scratch(const KernelStep& step, const MatrixPlan& matrix) {
  const MatrixProduct& product = matrix.product;
  const std::string panel = element_type(product.panel);
  const std::int64_t chain =
      product.left_whole ? step.extent(product.k.axes[0]) * product.k.inner : product.k.most();
  KernelPlan plan;
  if (!product.left_in_place) plan.reserve("left", panel, product.m.most() * chain);
  if (product.windows && !product.windows->in_place)
    plan.reserve("staged", panel,
                 copied_elements(step, product, *product.windows, product.n.size, product.k.size));
  if (product.pixels)
    plan.reserve("staged", panel, copied_elements(step, *product.pixels, product.k.size, product.n.size));
  if (product.listed()) plan.reserve("places", "int32_t", product.k.most() + 2);
  if (product.pixels && product.pixels->stacked)
    plan.reserve("lines", "int32_t", product.pixels->pixel_pitch);
  if (!product.listed() && !product.right_in_place)
    plan.reserve("right", panel, product.n.most() * product.k.most());
  if (!matrix.sums_in_place) plan.reserve("sums", "float", product.m.most() * matrix.sums_stride);
  plan.form = matrix;
  return plan;
}

}  // namespace

std::optional<KernelPlan> plan_matrix(const KernelStep& step, std::int64_t panel_bytes) {
  std::optional<MatrixPlan> plan = group_axes(step, {}, Sums::stored);
  if (!plan) return std::nullopt;
  MatrixProduct& product = plan->product;
  const KernelOperand &left = step.in[product.left], &right = step.in[product.right];
  product.left_in_place = panel_stride(step, step.axes, left, product, product.m).has_value();
  product.right_in_place = panel_stride(step, step.axes, right, product, product.n).has_value();
  if (!product.right_in_place && plan->batch_chain < 0) product.windows = find_windows(step, product);
  if (!product.right_in_place && !product.windows) product.pixels = find_pixels(step, product);

  const std::optional<std::int64_t> output_stride = stride_of_sums(step, product);
  plan->sums_in_place = output_stride && !product.listed();
  std::optional<BlockChoice> choice = choose_blocks(step, *plan, panel_bytes);
  if (!choice && product.listed()) {
    product.windows.reset(), product.pixels.reset();
    plan->sums_in_place = output_stride.has_value();
    choice = choose_blocks(step, *plan, panel_bytes);
  }
  if (!choice) return std::nullopt;
  product.m.size = choice->m, product.n.size = choice->n, product.k.size = choice->k;
  product.left_whole = choice->left_whole;
  plan->cost = choice->cost;
  if (product.windows) product.windows = with_pitches(step, product, *product.windows);
  if (product.pixels) product.pixels = with_pitches(step, product, *product.pixels);
  plan->sums_stride = plan->sums_in_place ? *output_stride
                      : product.windows   ? window_columns(step, *product.windows, product.n.size)
                                          : product.n.most();
  return with_scratch(step, *plan);
}

}  // namespace dojo::codegen
