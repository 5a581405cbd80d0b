// Normalisations: of channels, layers, groups, and by a norm.
#include <algorithm>
#include <numeric>

#include "graph/expression.h"
#include "onnx/node.h"
#include "onnx/normalised.h"

namespace dojo::onnx {

Normalised normalised(graph::Builder& b, graph::TensorId x, const std::vector<std::int64_t>& axes,
                      float epsilon) {
  const graph::TensorId mean = b.mean(x, axes, true), centred = b.subtract(x, mean);
  const graph::TensorId variance = b.mean(b.multiply(centred, centred), axes, true);
  const graph::TensorId inverse =
      b.unary(graph::Scalar::reciprocal_sqrt, b.add(variance, b.constant(epsilon)));
  return {b.multiply(centred, inverse), mean, inverse};
}

namespace {

using Axes = std::vector<std::int64_t>;

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
  const Normalised made = normalised(b, x, axes, epsilon);
  node.result(1, made.mean);
  node.result(2, made.inverse_deviation);
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
  const graph::TensorId scaled =
      b.multiply(normalised(b, x, axes, epsilon).result, per_channel(b, gamma, rank));
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
  graph::TensorId result = normalised(b, b.reshape(x, grouped), axes, epsilon).result;
  const auto affine = [&](std::size_t rank) {
    result = b.multiply(result, per_channel(b, gamma, rank));
    result = b.add(result, per_channel(b, beta, rank));
  };
  if (node.opset() < 21) affine(grouped.size());
  result = b.reshape(result, shape);
  if (node.opset() >= 21) affine(shape.size());
  node.result(0, result);
}

// x / sqrt(mean(x^2) + epsilon) * scale, over the dimensions from `axis` on.
void rms_norm(NodeImport& node) {
  node.ignore({"stash_type"});
  const graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  const std::size_t rank = b.shape(x).size(), axis = node.dimension(node.integer("axis", -1), rank);
  Axes axes(rank - axis);
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(axis));
  const graph::TensorId square = b.mean(b.multiply(x, x), axes, true);
  const graph::TensorId root =
      b.unary(graph::Scalar::sqrt, b.add(square, b.constant(node.single("epsilon", 1e-5f))));
  node.result(0, b.multiply(b.divide(x, root), node.tensor(1, Draw::fill(1))));
}

// x over its norm along an axis; 0 where that is 0.
void lp_normalization(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  const auto axis = static_cast<std::int64_t>(node.dimension(node.integer("axis", -1), b.shape(x).size()));
  const std::int64_t p = node.integer("p", 2);
  if (p != 1 && p != 2) node.fail(fmt::format("p = {}", p));
  const graph::TensorId powers = p == 1 ? b.unary(graph::Scalar::absolute, x) : b.multiply(x, x);
  const graph::TensorId sum = b.sum(powers, {axis}, true);
  const graph::TensorId norm = p == 1 ? sum : b.unary(graph::Scalar::sqrt, sum);
  graph::Formula f;
  const auto zero = f.apply(graph::Scalar::equal, f.input(1), f.constant(0));
  const graph::TensorId operands[] = {x, norm};
  node.result(
      0, b.elementwise(f.finish(f.select(zero, f.constant(0), f.divide(f.input(0), f.input(1)))), operands));
}

// (x - mean) / (sqrt(variance) + 1e-9).
void mean_variance_normalization(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  const Axes axes = node.integers("axes", {0, 2, 3});
  const graph::TensorId centred = b.subtract(x, b.mean(x, axes, true));
  const graph::TensorId deviation =
      b.unary(graph::Scalar::sqrt, b.mean(b.multiply(centred, centred), axes, true));
  node.result(0, b.divide(centred, b.add(deviation, b.constant(1e-9f))));
}

// x / (bias + alpha / size * the sum of the squares of `size` channels around it)^beta.
void local_response_norm(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  if (b.shape(x).size() < 2) node.fail("has no channels");
  const std::int64_t size = node.integer("size", 1), channels = b.shape(x)[1];
  if (size < 1) node.fail(fmt::format("size = {}", size));
  std::vector<float> near(static_cast<std::size_t>(channels * channels), 0);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t k = std::max<std::int64_t>(0, c - (size - 1) / 2);
         k <= std::min(channels - 1, c + size / 2); ++k)
      near[static_cast<std::size_t>(c * channels + k)] = 1;
  const graph::TensorId squares = b.mix(b.multiply(x, x), 1, std::move(near));
  const graph::TensorId base = b.add(b.scale(squares, node.single("alpha", 1e-4f) / static_cast<float>(size)),
                                     b.constant(node.single("bias", 1)));
  node.result(0, b.divide(x, b.power(base, node.single("beta", 0.75f))));
}

// clang-format off
constexpr OpRow normalisation_table[] = {
    {"BatchNormalization",        batch_norm},
    {"GroupNormalization",        group_norm},
    {"InstanceNormalization",     instance_norm},
    {"LRN",                       local_response_norm},
    {"LayerNormalization",        layer_norm},
    {"LpNormalization",           lp_normalization},
    {"MeanVarianceNormalization", mean_variance_normalization},
    {"RMSNormalization",          rms_norm},
};
// clang-format on

}  // namespace

std::span<const OpRow> normalisation_rows() { return normalisation_table; }

}  // namespace dojo::onnx
