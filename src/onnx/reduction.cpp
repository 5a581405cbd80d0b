// Operators that reduce over axes.
#include <algorithm>
#include <numeric>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using Axes = std::vector<std::int64_t>;
using Reduce = graph::TensorId (*)(graph::Builder&, graph::TensorId, const Axes&, bool keep);
using OfOne = graph::TensorId (*)(graph::Builder&, graph::TensorId);

// --- Reductions ---

// `since`: the operator set from which the axes are an operand. `of_one`: what it makes of a single element.
template <Reduce reduce, int since, OfOne of_one>
void reduction(NodeImport& node) {
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool empty_means_none = node.integer("noop_with_empty_axes", 0) != 0;
  const Axes axes = node.axes(1, since);
  const graph::TensorId x = node.tensor(0);
  if (axes.empty() && empty_means_none) return node.result(0, of_one(node.build(), x));
  node.result(0, reduce(node.build(), x, axes, keep));
}

graph::TensorId same(graph::Builder&, graph::TensorId x) { return x; }
graph::TensorId square(graph::Builder& b, graph::TensorId x) { return b.multiply(x, x); }
graph::TensorId absolute(graph::Builder& b, graph::TensorId x) { return b.unary(graph::Scalar::absolute, x); }
graph::TensorId logarithm(graph::Builder& b, graph::TensorId x) { return b.unary(graph::Scalar::log, x); }

graph::TensorId sum(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.sum(x, axes, keep);
}
graph::TensorId mean(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.mean(x, axes, keep);
}
graph::TensorId maximum(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.maximum(x, axes, keep);
}
graph::TensorId minimum(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.minimum(x, axes, keep);
}
graph::TensorId sum_square(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.sum(square(b, x), axes, keep);
}
graph::TensorId l1(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.sum(absolute(b, x), axes, keep);
}
graph::TensorId l2(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.unary(graph::Scalar::sqrt, sum_square(b, x, axes, keep));
}
graph::TensorId log_sum(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  return b.unary(graph::Scalar::log, b.sum(x, axes, keep));
}
// log(sum(exp(x - m))) + m with m the maximum, so that no exponential overflows.
graph::TensorId log_sum_exp(graph::Builder& b, graph::TensorId x, const Axes& axes, bool keep) {
  const graph::TensorId shifted = b.subtract(x, b.maximum(x, axes, true));
  return b.add(log_sum(b, b.exp(shifted), axes, keep), b.maximum(x, axes, keep));
}

// --- Softmax ---

// Before operator set 13 the dimensions from `axis` on were taken as one.
std::int64_t softmax_axis(NodeImport& node) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  const std::int64_t axis = node.integer("axis", node.opset() < 13 ? 1 : -1);
  if (node.opset() < 13 && axis != -1 && axis != rank - 1)
    node.fail(fmt::format("axis {} of {} in operator set {}", axis, rank, node.opset()), Refusal::not_yet);
  return axis;
}

void softmax(NodeImport& node) {
  const std::int64_t axis = softmax_axis(node);
  node.keep_view(1);
  node.result(0, node.build().softmax(node.tensor(0), node.axis_in_tensor(axis)));
}

void log_softmax(NodeImport& node) {
  const std::int64_t axis = softmax_axis(node);
  node.keep_view(1);
  node.result(0, node.build().log_softmax(node.tensor(0), node.axis_in_tensor(axis)));
}

// clang-format off
constexpr OpRow reduction_table[] = {
    {"LogSoftmax",            log_softmax},
    {"ReduceL1",              reduction<l1, 18, absolute>},
    {"ReduceL2",              reduction<l2, 18, absolute>},
    {"ReduceLogSum",          reduction<log_sum, 18, logarithm>},
    {"ReduceLogSumExp",       reduction<log_sum_exp, 18, same>},
    {"ReduceMax",             reduction<maximum, 18, same>},
    {"ReduceMean",            reduction<mean, 18, same>},
    {"ReduceMin",             reduction<minimum, 18, same>},
    {"ReduceSum",             reduction<sum, 13, same>},
    {"ReduceSumSquare",       reduction<sum_square, 18, square>},
    {"Softmax",               softmax},
};
// clang-format on

}  // namespace

std::span<const OpRow> reduction_rows() { return reduction_table; }

}  // namespace dojo::onnx
