#include "lowering/row_sums.h"

#include <algorithm>

#include "base/index.h"
#include "graph/expression.h"
#include "lowering/access.h"

namespace dojo::lowering {
namespace {

using graph::Access;
using graph::AffineIndex;
using graph::StructuredOp;

constexpr std::int64_t shortest_row = 16;

// The chain axis along which the pixels of a row lie; -1 if the step had better stay as it is.
int row_axis(const LoweredProgram& program, const ComputeStep& step) {
  const StructuredOp& op = step.op;
  if (op.reduction != graph::Reduction::sum || op.in.size() != 1 || step.tile_axis >= 0 || step.accumulate)
    return -1;
  const Shape& shape = program.at(op.in[0].tensor).shape;
  if (may_leave(op.in[0], op.box, shape) || !covers(op, program.at(op.out.tensor).shape)) return -1;
  const std::vector<int> chain = chain_axes(op);
  const AffineIndex position = linear(op.in[0], op.box.size(), shape);
  if (chain.size() < 2 || chain.back() == step.batch_axis) return -1;
  const int row = chain.back();
  std::int64_t rows = 1;
  for (const int a : chain) rows *= a == row ? 1 : op.box[at(a)].extent;
  const auto beside = [&](int a) { return position.coefficients[at(a)] == 1 && op.box[at(a)].extent > 1; };
  const std::vector<int> parallel = parallel_axes(op);
  if (rows < 2 || !beside(row) || op.box[at(row)].extent < shortest_row) return -1;
  return std::any_of(parallel.begin(), parallel.end(), beside) ? -1 : row;
}

}  // namespace

std::vector<ComputeStep> row_sums(LoweredProgram& program, const ComputeStep& step) {
  const int row = row_axis(program, step);
  if (row < 0) return {step};
  const std::size_t axes = step.op.box.size();
  Buffer sums;
  sums.name = step.op.name + ".rows";
  Access access;
  std::vector<int> kept = parallel_axes(step.op);
  kept.push_back(row);
  for (const int a : kept) {
    sums.shape.push_back(step.op.box[at(a)].extent);
    AffineIndex index{std::vector<std::int64_t>(axes, 0), 0};
    index.coefficients[at(a)] = 1;
    access.map.push_back(index);
  }
  sums.capacity = sums.elements();
  access.tensor = static_cast<BufferId>(program.buffers.size());
  program.buffers.push_back(std::move(sums));

  ComputeStep rows = step;
  rows.op.name += ".rows";
  rows.op.out = access;
  rows.op.extra.clear();
  rows.op.epilogue = {};
  ComputeStep total = step;
  total.op.in = {access};
  total.op.body = graph::copy_of_input();
  for (const int a : chain_axes(step.op)) {
    if (a == row) continue;
    total.op.box[at(a)].extent = 1;
    if (a == step.batch_axis) total.op.box[at(a)].is_batch = false, total.batch_axis = -1;
  }
  return {std::move(rows), std::move(total)};
}

}  // namespace dojo::lowering
