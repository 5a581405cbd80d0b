// Operators that reduce over axes, and the normalisations made of them.
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

// --- Normalisation ---

// A file exported for inference is trained as PyTorch would, whose running variance is the unbiased one; a
// file that itself asks for training gets the standard's variance, over n.
void batch_norm(NodeImport& node) {
  node.ignore({"spatial", "is_test", "consumed_inputs"});
  if (node.integer("spatial", 1) != 1) node.fail("attribute 'spatial' = 0", Refusal::unsupported);
  const bool by_file = node.integer("training_mode", 0) != 0;
  graph::BatchNorm options;
  options.epsilon = node.single("epsilon", 1e-5f);
  options.momentum = node.single("momentum", 0.9f);
  options.training = node.training() || by_file;
  options.unbiased_running = !by_file;
  const graph::TensorId x = node.tensor(0), gamma = node.tensor(1, Draw::fill(1)),
                        beta = node.tensor(2, Draw::fill(0));
  const graph::TensorId mean = node.state(3, Draw::fill(0)), variance = node.state(4, Draw::fill(1));
  node.result(0, node.build().batch_norm(x, gamma, beta, mean, variance, options));
  const auto& update = node.build().graph().update;
  if (node.wants(1)) node.result(1, update.contains(mean) ? update.at(mean) : mean);
  if (node.wants(2)) node.result(2, update.contains(variance) ? update.at(variance) : variance);
}

void layer_norm(NodeImport& node) {
  node.ignore({"stash_type"});
  const graph::Shape shape = node.shape(0);
  auto axis = static_cast<std::int64_t>(node.dimension(node.integer("axis", -1), shape.size()));
  const float epsilon = node.single("epsilon", 1e-5f);
  if (axis > static_cast<std::int64_t>(node.view_of(0).dimension)) {
    node.keep_view(1);
    axis = node.axis_in_tensor(axis);
  }
  const graph::TensorId x = node.tensor(0);
  const auto rank = static_cast<std::int64_t>(node.build().shape(x).size());
  const auto gamma = node.maybe(1, Draw::fill(1)), beta = node.maybe(2, Draw::fill(0));
  graph::Builder& b = node.build();
  node.result(0, b.layer_norm(x, axis, gamma, beta, epsilon));
  if (!node.wants(1) && !node.wants(2)) return;
  Axes axes(static_cast<std::size_t>(rank - axis));
  std::iota(axes.begin(), axes.end(), axis);
  const graph::TensorId average = b.mean(x, axes, true);
  const graph::TensorId centred = b.subtract(x, average);
  const graph::TensorId variance = b.mean(b.multiply(centred, centred), axes, true);
  node.result(1, average);
  node.result(2, b.unary(graph::Scalar::reciprocal_sqrt, b.add(variance, b.constant(epsilon))));
}

// (x - mean) / sqrt(variance + epsilon) over `axes`.
graph::TensorId normalised(graph::Builder& b, graph::TensorId x, const Axes& axes, float epsilon) {
  const graph::TensorId centred = b.subtract(x, b.mean(x, axes, true));
  const graph::TensorId variance = b.mean(b.multiply(centred, centred), axes, true);
  return b.multiply(centred, b.unary(graph::Scalar::reciprocal_sqrt, b.add(variance, b.constant(epsilon))));
}

// A vector over dimension 1 as [c, 1...], for a tensor of `rank` dimensions.
graph::TensorId per_channel(graph::Builder& b, graph::TensorId vector, std::size_t rank) {
  Axes axes(rank - 2);
  std::iota(axes.begin(), axes.end(), 1);
  return axes.empty() ? vector : b.unsqueeze(vector, axes);
}

void instance_norm(NodeImport& node) {
  const float epsilon = node.single("epsilon", 1e-5f);
  const std::size_t rank = node.shape(0).size();
  if (rank < 3) node.fail(fmt::format("its operand has {} dimensions, at least 3 are needed", rank));
  const graph::TensorId x = node.tensor(0), gamma = node.tensor(1, Draw::fill(1)),
                        beta = node.tensor(2, Draw::fill(0));
  graph::Builder& b = node.build();
  Axes axes(rank - 2);
  std::iota(axes.begin(), axes.end(), 2);
  const graph::TensorId scaled = b.multiply(normalised(b, x, axes, epsilon), per_channel(b, gamma, rank));
  node.result(0, b.add(scaled, per_channel(b, beta, rank)));
}

// Scale and shift belong to a channel since operator set 21, to a group in 18.
void group_norm(NodeImport& node) {
  node.ignore({"stash_type"});
  const float epsilon = node.single("epsilon", 1e-5f);
  const graph::Shape shape = node.shape(0);
  const std::int64_t groups = node.integer("num_groups", 0);
  if (shape.size() < 2 || groups < 1 || shape[1] % groups != 0)
    node.fail(fmt::format("{} groups do not divide its operand's channels", groups));
  const graph::TensorId x = node.tensor(0), gamma = node.tensor(1, Draw::fill(1)),
                        beta = node.tensor(2, Draw::fill(0));
  graph::Builder& b = node.build();
  graph::Shape grouped = shape;
  grouped[1] = shape[1] / groups;
  grouped.insert(grouped.begin() + 1, groups);
  Axes axes(grouped.size() - 2);
  std::iota(axes.begin(), axes.end(), 2);
  graph::TensorId result = normalised(b, b.reshape(x, grouped), axes, epsilon);
  const auto affine = [&](std::size_t rank) {
    result = b.multiply(result, per_channel(b, gamma, rank));
    result = b.add(result, per_channel(b, beta, rank));
  };
  if (node.opset() < 21) affine(grouped.size());
  result = b.reshape(result, shape);
  if (node.opset() >= 21) affine(shape.size());
  node.result(0, result);
}

// clang-format off
constexpr OpRow reduction_table[] = {
    {"BatchNormalization",    batch_norm},
    {"GroupNormalization",    group_norm},
    {"InstanceNormalization", instance_norm},
    {"LayerNormalization",    layer_norm},
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
