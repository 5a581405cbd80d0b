// ATen's operators that reduce over axes, count or order along one.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/aten_rows.h"
#include "onnx/formulas.h"
#include "onnx/normalised.h"

namespace dojo::onnx {
namespace {

using Axes = std::vector<std::int64_t>;
using graph::Builder;
using graph::Scalar;
using graph::TensorId;
using Reduce = TensorId (*)(Builder&, TensorId, const Axes&, bool keep);

// Axes as a list or as one number; all of them if none is named.
Axes axes_of(NodeImport& node) {
  const Attribute* found = node.attribute("dim");
  if (found != nullptr && found->type == AttributeType::integer) return {found->integer};
  return node.integers("dim");
}

template <Reduce reduce>
void reduction(NodeImport& node) {
  node.ignore({"dtype"});
  const Axes axes = axes_of(node);
  const bool keep = node.integer("keepdim", 0) != 0;
  const TensorId x = node.tensor(0);
  node.result(0, reduce(node.build(), x, node.shape(0).empty() ? Axes{} : axes, keep));
}

TensorId sum(Builder& b, TensorId x, const Axes& axes, bool keep) { return b.sum(x, axes, keep); }
TensorId mean(Builder& b, TensorId x, const Axes& axes, bool keep) { return b.mean(x, axes, keep); }
TensorId maximum(Builder& b, TensorId x, const Axes& axes, bool keep) { return b.maximum(x, axes, keep); }
TensorId minimum(Builder& b, TensorId x, const Axes& axes, bool keep) { return b.minimum(x, axes, keep); }
TensorId truth(Builder& b, TensorId x) {
  F f;
  return b.elementwise(f.finish(f.select(f.input(0), f.constant(1), f.constant(0))), std::span(&x, 1));
}
TensorId any(Builder& b, TensorId x, const Axes& axes, bool keep) {
  return b.maximum(truth(b, x), axes, keep);
}
TensorId all(Builder& b, TensorId x, const Axes& axes, bool keep) {
  return b.minimum(truth(b, x), axes, keep);
}

// (sum of |x| ** ord) ** (1 / ord) for the orders that need no power.
void vector_norm(NodeImport& node) {
  node.ignore({"dtype"});
  const Axes axes = axes_of(node);
  const bool keep = node.integer("keepdim", 0) != 0;
  const float order = node.number("ord", 2);
  Builder& b = node.build();
  const TensorId x = node.tensor(0);
  if (order == 2) return node.result(0, b.unary(Scalar::sqrt, b.sum(b.multiply(x, x), axes, keep)));
  const TensorId size = b.unary(Scalar::absolute, x);
  if (order == 1) return node.result(0, b.sum(size, axes, keep));
  if (!std::isinf(order)) node.fail(fmt::format("a norm of order {}", order), Refusal::not_yet);
  node.result(0, order > 0 ? b.maximum(size, axes, keep) : b.minimum(size, axes, keep));
}

// --- Moments ---

struct Moments {
  TensorId variance, mean;
};

Moments moments(NodeImport& node) {
  const Axes axes = axes_of(node);
  const bool keep = node.integer("keepdim", 0) != 0;
  if (node.has(1)) node.fail("a correction that is computed", Refusal::not_yet);
  const float correction = node.number("correction", 1);
  const TensorId x = node.tensor(0);
  Builder& b = node.build();
  const TensorId mean = b.mean(x, axes, true), centred = b.subtract(x, mean);
  const TensorId squares = b.sum(b.multiply(centred, centred), axes, keep);
  const std::int64_t each = graph::element_count(b.shape(x)) / graph::element_count(b.shape(mean));
  const auto count = static_cast<float>(each);
  if (!(count > correction)) node.fail(fmt::format("a correction of {} for {} elements", correction, count));
  const graph::Shape shape = b.shape(squares);
  return {b.divide(squares, b.constant(count - correction)), keep ? mean : b.reshape(mean, shape)};
}

void variance(NodeImport& node) { node.result(0, moments(node).variance); }
void variance_and_mean(NodeImport& node) {
  const Moments made = moments(node);
  node.result(0, made.variance);
  node.result(1, made.mean);
}

void deviation(NodeImport& node) { node.result(0, node.build().unary(Scalar::sqrt, moments(node).variance)); }

// --- Normalisation ---

// Over the last dimensions, as many as the weight has; mean and inverse deviation are results, too.
void layer_norm(NodeImport& node) {
  const std::size_t rank = node.shape(0).size(), last = node.integers("normalized_shape").size();
  if (last < 1 || last > rank) node.fail(fmt::format("{} of {} dimensions", last, rank));
  Axes axes(last);
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(rank - last));
  Builder& b = node.build();
  const Normalised made = normalised(b, node.tensor(0), axes, node.number("eps", 1e-5f));
  TensorId result = made.result;
  if (node.has(1)) result = b.multiply(result, node.tensor(1));
  if (node.has(2)) result = b.add(result, node.tensor(2));
  node.result(0, result);
  node.result(1, made.mean);
  node.result(2, made.inverse_deviation);
}

// Over each group of channels; weight and bias belong to a channel.
void group_norm(NodeImport& node) {
  node.ignore({"N", "C", "HxW"});
  const graph::Shape shape = node.shape(0);
  const std::int64_t groups = node.integer("group", 1);
  if (shape.size() < 2 || groups < 1 || shape[1] % groups != 0)
    node.fail(fmt::format("{} groups do not divide its operand's channels", groups));
  Builder& b = node.build();
  const TensorId x =
      b.reshape(node.tensor(0), {shape[0], groups, graph::element_count(shape) / shape[0] / groups});
  const Normalised made = normalised(b, x, {2}, node.number("eps", 1e-5f));
  TensorId result = b.reshape(made.result, shape);
  graph::Shape channels(shape.size() - 1, 1);
  channels[0] = shape[1];
  if (node.has(1)) result = b.multiply(result, b.reshape(node.tensor(1), channels));
  if (node.has(2)) result = b.add(result, b.reshape(node.tensor(2), channels));
  node.result(0, result);
  node.result(1, b.reshape(made.mean, {shape[0], groups}));
  node.result(2, b.reshape(made.inverse_deviation, {shape[0], groups}));
}

// --- Softmax ---

void softmax(NodeImport& node) {
  node.ignore({"half_to_float"});
  const std::int64_t dim = node.integer("dim", 0);
  node.result(0, node.build().softmax(node.tensor(0), dim));
}
void log_softmax(NodeImport& node) {
  node.ignore({"half_to_float"});
  const std::int64_t dim = node.integer("dim", 0);
  node.result(0, node.build().log_softmax(node.tensor(0), dim));
}

// --- Places along an axis ---

template <bool smallest>
void extreme_place(NodeImport& node) {
  Builder& b = node.build();
  const bool keep = node.integer("keepdim", 0) != 0;
  TensorId x = node.tensor(0);
  if (node.has_attribute("dim"))
    return node.result(0, b.arg_extreme(x, node.integer("dim", 0), keep, {smallest, false}));
  x = b.reshape(x, {graph::element_count(b.shape(x))});
  node.result(0, b.reshape(b.arg_extreme(x, 0, false, {smallest, false}), node.wanted_shape(0)));
}

template <bool smallest>
void extreme_and_place(NodeImport& node) {
  Builder& b = node.build();
  const std::int64_t dim = node.integer("dim", 0);
  const bool keep = node.integer("keepdim", 0) != 0;
  const TensorId x = node.tensor(0);
  node.result(0, smallest ? b.minimum(x, {dim}, keep) : b.maximum(x, {dim}, keep));
  if (node.wants(1)) node.result(1, b.arg_extreme(x, dim, keep, {smallest, false}));
}

void cumulative_sum(NodeImport& node) {
  node.ignore({"dtype"});
  if (node.shape(0).empty()) return node.result(0, node.value(0));
  node.result(0, node.build().cumulative_sum(node.tensor(0), node.integer("dim", 0)));
}

void sorted(NodeImport& node, std::int64_t count, bool largest) {
  node.ignore({"sorted", "stable", "k", "largest", "descending"});
  const std::int64_t dim = node.integer("dim", -1);
  const graph::Sorted made = node.build().top_k(node.tensor(0), count, dim, largest);
  node.result(0, made.values);
  node.result(1, made.places);
}

void top_k(NodeImport& node) { sorted(node, node.integer("k", 1), node.integer("largest", 1) != 0); }
void sort(NodeImport& node) {
  const graph::Shape shape = node.shape(0);
  sorted(node, shape[node.dimension(node.integer("dim", -1), shape.size())],
         node.integer("descending", 0) != 0);
}

// clang-format off
constexpr OpRow rows[] = {
    {"_log_softmax.default",  log_softmax},
    {"_softmax.default",      softmax},
    {"all.default",           reduction<all>},
    {"all.dim",               reduction<all>},
    {"amax.default",          reduction<maximum>},
    {"amin.default",          reduction<minimum>},
    {"any.default",           reduction<any>},
    {"any.dim",               reduction<any>},
    {"any.dims",              reduction<any>},
    {"argmax.default",        extreme_place<false>},
    {"argmin.default",        extreme_place<true>},
    {"cumsum.default",        cumulative_sum},
    {"linalg_vector_norm.default", vector_norm},
    {"max.default",           reduction<maximum>},
    {"max.dim",               extreme_and_place<false>},
    {"mean.default",          reduction<mean>},
    {"mean.dim",              reduction<mean>},
    {"min.default",           reduction<minimum>},
    {"min.dim",               extreme_and_place<true>},
    {"native_group_norm.default", group_norm},
    {"native_layer_norm.default", layer_norm},
    {"sort.default",          sort},
    {"sort.stable",           sort},
    {"std.correction",        deviation},
    {"sum.default",           reduction<sum>},
    {"sum.dim_IntList",       reduction<sum>},
    {"topk.default",          top_k},
    {"var.correction",        variance},
    {"var_mean.correction",   variance_and_mean},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_reduction_rows() { return rows; }

}  // namespace dojo::onnx
