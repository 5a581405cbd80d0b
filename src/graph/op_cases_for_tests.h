// One small network per builder operation, for the tests that hold for all of them: gradients, the
// interpreter, fusion.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "graph/builder.h"
#include "graph/expression.h"

namespace dojo::graph {

// Distinct values on a grid that stays away from 0 and from each other, so that neither relu nor maximum has
// a kink within a finite difference's reach.
inline std::vector<float> separated_values(const Shape& shape, std::uint64_t seed, float low = -2,
                                           float high = 2) {
  const auto count = static_cast<std::uint32_t>(element_count(shape));
  const auto order = permutation(count, seed, 0);
  std::vector<float> values;
  for (const std::uint32_t place : order) {
    const float at = (static_cast<float>(place) + 0.5f) / static_cast<float>(count);
    float value = low + (high - low) * at;
    if (low < 0) value += value < 0 ? -0.2f : 0.2f;
    values.push_back(value);
  }
  return values;
}

class CaseBuilder {
public:
  explicit CaseBuilder(Graph& graph) : make(graph) {}

  TensorId parameter(const Shape& shape, float low = -2, float high = 2) {
    ++count_;
    return make.parameter(fmt::format("p{}", count_), shape,
                          separated_values(shape, static_cast<std::uint64_t>(count_), low, high));
  }

  Builder make;

private:
  int count_ = 0;
};

struct OpCase {
  std::string name;
  std::function<TensorId(CaseBuilder&)> build;
};

// The whole graph of a case: loss = sum of (result * fixed weights).
struct CaseGraph {
  Graph graph;
  TensorId result = no_tensor, loss = no_tensor;
};

inline CaseGraph build_case(const OpCase& one) {
  CaseGraph made;
  made.graph.name = one.name;
  CaseBuilder builder(made.graph);
  builder.make.name("tested");
  made.result = one.build(builder);
  builder.make.name("loss");
  const Shape shape = made.graph.at(made.result).shape;
  const TensorId weights = builder.make.constant("weights", shape, separated_values(shape, 99, 0.5f, 1.5f));
  made.loss = builder.make.sum(builder.make.multiply(made.result, weights));
  made.graph.outputs = {made.result, made.loss};
  return made;
}

// Where the operands of a scalar operation are defined and have no kink.
struct OperandRanges {
  std::pair<float, float> a = {-2.0f, 2.0f}, b = {-2.3f, 1.9f};
};
inline OperandRanges operand_ranges(Scalar op) {
  switch (op) {
    case Scalar::sqrt:
    case Scalar::reciprocal_sqrt:
    case Scalar::log:
    case Scalar::log2:
    case Scalar::log10:
      return {.a = {0.5f, 2.0f}};
    case Scalar::floor:
    case Scalar::trunc:
      return {.a = {1.1f, 1.9f}};
    case Scalar::log1p:
      return {.a = {-0.4f, 2.0f}};
    case Scalar::asin:
    case Scalar::acos:
    case Scalar::atanh:
      return {.a = {-0.5f, 0.5f}};
    case Scalar::acosh:
      return {.a = {1.4f, 3.0f}};
    case Scalar::tan:
      return {.a = {-0.9f, 0.9f}};
    case Scalar::pow:
      return {.a = {0.5f, 2.0f}};
    case Scalar::fmod:
    case Scalar::remainder:
      return {.a = {4.2f, 4.9f}, .b = {-3.9f, -2.3f}};
    default:
      return {};
  }
}

// clang-format off
inline std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](std::string name, std::function<TensorId(CaseBuilder&)> build) { cases.push_back({std::move(name), std::move(build)}); };
  for (const ScalarRow& row : scalar_rows) {
    if (row.op == Scalar::round_bits || row.op == Scalar::uniform) continue;  // of which one is a convention
    const OperandRanges at = operand_ranges(row.op);
    if (row.operands == 1) add(fmt::format("scalar_{}", row.name), [op = row.op, at](CaseBuilder& b) { return b.make.unary(op, b.parameter({3, 4}, at.a.first, at.a.second)); });
    if (row.operands == 2) add(fmt::format("scalar_{}", row.name), [op = row.op, at](CaseBuilder& b) { return b.make.binary(op, b.parameter({2, 3, 4}, at.a.first, at.a.second), b.parameter({3, 1}, at.b.first, at.b.second)); });
    if (row.operands == 3) add(fmt::format("scalar_{}", row.name), [op = row.op](CaseBuilder& b) {
      Formula f;
      const auto root = f.apply(op, f.input(0), f.input(1), f.input(2));
      return b.make.elementwise(f.finish(root), std::vector{b.parameter({3, 4}), b.parameter({4}, -2.3f, 1.9f), b.parameter({3, 1}, -1.7f, 2.1f)});
    });
  }
  add("square", [](CaseBuilder& b) { const auto x = b.parameter({5}); return b.make.multiply(x, x); });
  add("leaky_relu", [](CaseBuilder& b) { return b.make.leaky_relu(b.parameter({7}), 0.1f); });
  add("elu", [](CaseBuilder& b) { return b.make.elu(b.parameter({7}), 0.7f); });
  add("selu", [](CaseBuilder& b) { return b.make.selu(b.parameter({7}), 1.67f, 1.05f); });
  add("softplus", [](CaseBuilder& b) { return b.make.softplus(b.parameter({7})); });
  add("gelu", [](CaseBuilder& b) { return b.make.gelu(b.parameter({7}), false); });
  add("gelu_tanh", [](CaseBuilder& b) { return b.make.gelu(b.parameter({7}), true); });
  add("hard_sigmoid", [](CaseBuilder& b) { return b.make.hard_sigmoid(b.parameter({6}), 0.37f, 0.5f); });
  add("clip", [](CaseBuilder& b) { return b.make.clip(b.parameter({6}), -1, 1.1f); });
  for (const float e : {3.0f, -2.0f, 0.5f, -0.5f, 1.7f}) {
    add(fmt::format("power{}", static_cast<int>(e * 10 + 50)), [e](CaseBuilder& b) { return b.make.power(b.parameter({6}, 0.5f, 2), e); });
  }
  add("power_of_negatives", [](CaseBuilder& b) { return b.make.power(b.parameter({6}, -0.6f, 0.6f), 9); });
  add("matmul", [](CaseBuilder& b) { return b.make.matmul(b.parameter({3, 5}), b.parameter({5, 4})); });
  add("matmul_transposed", [](CaseBuilder& b) { return b.make.matmul(b.parameter({5, 3}), b.parameter({4, 5}), true, true); });
  add("matmul_stacked", [](CaseBuilder& b) { return b.make.matmul(b.parameter({2, 1, 3, 5}), b.parameter({3, 5, 2})); });
  add("matmul_vectors", [](CaseBuilder& b) { return b.make.matmul(b.parameter({5}), b.parameter({5})); });
  add("matmul_vector", [](CaseBuilder& b) { return b.make.matmul(b.parameter({2, 3, 5}), b.parameter({5})); });
  add("gemm", [](CaseBuilder& b) { return b.make.gemm(b.parameter({5, 3}), b.parameter({4, 5}), b.parameter({4}), 0.5f, 2, true, true); });
  add("convolution", [](CaseBuilder& b) { return b.make.convolution(b.parameter({2, 3, 6, 5}), b.parameter({4, 3, 3, 2}), b.parameter({4}), {}); });
  add("convolution_strided", [](CaseBuilder& b) { return b.make.convolution(b.parameter({1, 2, 9, 8}), b.parameter({2, 2, 3, 3}), std::nullopt, {.kernel = {}, .strides = {2, 3}, .dilations = {2, 1}, .pads_begin = {1, 2}, .pads_end = {2, 0}}); });
  add("convolution_grouped", [](CaseBuilder& b) { return b.make.convolution(b.parameter({1, 4, 4, 4}), b.parameter({6, 2, 2, 2}), b.parameter({6}), {}, 2); });
  add("convolution_depthwise", [](CaseBuilder& b) { return b.make.convolution(b.parameter({1, 3, 4, 4}), b.parameter({3, 1, 3, 3}), std::nullopt, {.kernel = {}, .strides = {}, .dilations = {}, .pads_begin = {1, 1}, .pads_end = {1, 1}}, 3); });
  add("convolution_1d", [](CaseBuilder& b) { return b.make.convolution(b.parameter({2, 2, 7}), b.parameter({3, 2, 3}), std::nullopt, {.kernel = {}, .strides = {2}, .dilations = {}, .pads_begin = {1}, .pads_end = {1}}); });
  add("convolution_3d", [](CaseBuilder& b) { return b.make.convolution(b.parameter({1, 1, 3, 3, 3}), b.parameter({2, 1, 2, 2, 2}), std::nullopt, {}); });
  add("transposed_convolution", [](CaseBuilder& b) { return b.make.transposed_convolution(b.parameter({1, 4, 3, 3}), b.parameter({4, 2, 3, 2}), b.parameter({4}), {.kernel = {}, .strides = {2, 1}, .dilations = {}, .pads_begin = {1, 0}, .pads_end = {0, 1}}, 2, {1, 0}); });
  add("sum", [](CaseBuilder& b) { return b.make.sum(b.parameter({2, 3, 4}), {1}); });
  add("mean", [](CaseBuilder& b) { return b.make.mean(b.parameter({2, 3, 4}), {-1, 0}, true); });
  add("maximum", [](CaseBuilder& b) { return b.make.maximum(b.parameter({2, 3, 4}), {1}); });
  add("minimum", [](CaseBuilder& b) { return b.make.minimum(b.parameter({2, 3, 4})); });
  add("max_pool", [](CaseBuilder& b) { return b.make.max_pool(b.parameter({1, 2, 5, 5}), {.kernel = {3, 2}, .strides = {2, 2}, .dilations = {}, .pads_begin = {1, 0}, .pads_end = {1, 1}}); });
  add("max_pool_ceil", [](CaseBuilder& b) { return b.make.max_pool(b.parameter({1, 2, 6}), {.kernel = {3}, .strides = {2}, .dilations = {}, .pads_begin = {}, .pads_end = {}, .ceil_mode = true}); });
  add("average_pool", [](CaseBuilder& b) { return b.make.average_pool(b.parameter({1, 2, 6, 4}), {.kernel = {2, 2}, .strides = {2, 2}, .dilations = {}, .pads_begin = {}, .pads_end = {}}); });
  add("average_pool_pads", [](CaseBuilder& b) { return b.make.average_pool(b.parameter({1, 2, 5, 5}), {.kernel = {3, 3}, .strides = {2, 2}, .dilations = {}, .pads_begin = {1, 1}, .pads_end = {1, 1}}); });
  add("average_pool_include", [](CaseBuilder& b) { return b.make.average_pool(b.parameter({1, 2, 5, 5}), {.kernel = {3, 3}, .strides = {2, 2}, .dilations = {}, .pads_begin = {1, 1}, .pads_end = {1, 1}, .ceil_mode = false, .count_include_pad = true}); });
  add("global_average_pool", [](CaseBuilder& b) { return b.make.global_average_pool(b.parameter({2, 3, 2, 3})); });
  add("global_max_pool", [](CaseBuilder& b) { return b.make.global_max_pool(b.parameter({2, 3, 2, 3})); });
  for (const bool training : {true, false}) {
    add(training ? "batch_norm_training" : "batch_norm_inference", [training](CaseBuilder& b) {
      const auto x = b.parameter({3, 2, 2, 2}), gamma = b.parameter({2}, 0.5f, 2), beta = b.parameter({2});
      const auto mean = b.make.state("mean", {2}, {0.1f, -0.2f}), variance = b.make.state("variance", {2}, {0.9f, 1.3f});
      BatchNorm options;
      options.training = training;
      return b.make.batch_norm(x, gamma, beta, mean, variance, options);
    });
  }
  add("layer_norm", [](CaseBuilder& b) { return b.make.layer_norm(b.parameter({2, 3, 2}), 1, b.parameter({3, 2}), b.parameter({3, 2}), 1e-5f); });
  add("softmax", [](CaseBuilder& b) { return b.make.softmax(b.parameter({3, 4}), -1); });
  add("log_softmax", [](CaseBuilder& b) { return b.make.log_softmax(b.parameter({3, 4, 2}), 1); });
  add("reshape", [](CaseBuilder& b) { return b.make.reshape(b.parameter({2, 6, 2, 1}), {4, 1, 3, -1}); });
  add("flatten", [](CaseBuilder& b) { return b.make.flatten(b.parameter({2, 3, 2}), 1); });
  add("transpose", [](CaseBuilder& b) { return b.make.transpose(b.parameter({2, 3, 4}), {2, 0, 1}); });
  add("squeeze", [](CaseBuilder& b) { return b.make.squeeze(b.parameter({2, 1, 3, 1}), {1}); });
  add("unsqueeze", [](CaseBuilder& b) { return b.make.unsqueeze(b.parameter({2, 3}), {0, -1}); });
  add("expand", [](CaseBuilder& b) { return b.make.expand(b.parameter({3, 1}), {2, 1, 4}); });
  add("concat", [](CaseBuilder& b) { return b.make.concat(std::vector{b.parameter({2, 2, 2}), b.parameter({2, 1, 2}), b.parameter({2, 3, 2})}, 1); });
  add("slice", [](CaseBuilder& b) { return b.make.slice(b.parameter({3, 7}), 1, 1, 6, 2); });
  add("slice_backwards", [](CaseBuilder& b) { return b.make.slice(b.parameter({7}), 0, -2, -8, -2); });
  add("split", [](CaseBuilder& b) { const auto p = b.make.split(b.parameter({5, 2}), 0, std::vector<std::int64_t>{2, 1, 2}); return b.make.multiply(p[0], p[2]); });
  add("pad", [](CaseBuilder& b) { return b.make.pad(b.parameter({2, 3}), {1, 0}, {0, 2}, 0.5f); });
  add("pad_cut", [](CaseBuilder& b) { return b.make.pad(b.parameter({2, 5}), {1, -1}, {0, -2}); });
  add("upsample", [](CaseBuilder& b) { return b.make.upsample_nearest(b.parameter({1, 2, 2, 3}), {1, 1, 2, 3}); });
  add("gather", [](CaseBuilder& b) { return b.make.gather(b.parameter({5, 3}), b.make.constant("at", {2, 4}, {4, 0, 2, 2, 1, 4, 4, 0}), 0); });
  add("gather_inner", [](CaseBuilder& b) { return b.make.gather(b.parameter({2, 5, 3}), b.make.from_start(b.make.constant("at", {4}, {-1, 0, 2, -3}), 5), 1); });
  add("gather_one", [](CaseBuilder& b) { return b.make.gather(b.parameter({2, 5}), b.make.constant("at", {}, {3}), 1); });
  add("gather_elements", [](CaseBuilder& b) { return b.make.gather_elements(b.parameter({3, 4}), b.make.constant("at", {2, 4}, {2, 0, 1, 1, 0, 0, 2, 1}), 0); });
  add("gather_of_computed", [](CaseBuilder& b) { return b.make.multiply(b.make.gather_elements(b.make.tanh(b.parameter({2, 5})), b.make.constant("at", {2, 3}, {4, 4, 0, 1, 2, 1}), 1), b.parameter({2, 3})); });
  add("gather_nd", [](CaseBuilder& b) { return b.make.gather_nd(b.parameter({2, 3, 4}), b.make.constant("at", {3, 2}, {1, 2, 0, 0, 1, 2})); });
  add("gather_nd_leading", [](CaseBuilder& b) { return b.make.gather_nd(b.parameter({2, 3, 4}), b.make.constant("at", {2, 3, 1}, {2, 0, 2, 1, 1, 0}), 1); });
  add("scatter_nd", [](CaseBuilder& b) { return b.make.scatter_nd(b.parameter({3, 4}), b.make.constant("at", {3, 1}, {4, 1, 4}), {5, 4}); });
  add("cumulative_sum", [](CaseBuilder& b) { return b.make.cumulative_sum(b.parameter({3, 4}), 1); });
  add("cumulative_sum_back", [](CaseBuilder& b) { return b.make.cumulative_sum(b.parameter({3, 4}), 0, true, true); });
  add("triangle_upper", [](CaseBuilder& b) { return b.make.triangle(b.parameter({2, 3, 4}), 1, true); });
  add("triangle_lower", [](CaseBuilder& b) { return b.make.triangle(b.parameter({4, 3}), -1, false); });
  add("one_hot", [](CaseBuilder& b) { return b.make.one_hot(b.make.constant("at", {4}, {2, 0, 9, 1}), 3, 0, b.parameter({}), b.parameter({})); });
  add("top_k", [](CaseBuilder& b) { return b.make.top_k(b.parameter({2, 6}), 3, 1).values; });
  add("bottom_k", [](CaseBuilder& b) { return b.make.top_k(b.parameter({5, 2}), 4, 0, false).values; });
  add("scatter_sum", [](CaseBuilder& b) { return b.make.scatter_elements(b.parameter({2, 4}), b.make.constant("at", {2, 4}, {1, 0, 1, 4, 2, 2, 2, 0}), 1, {2, 5}); });
  add("scatter_outside", [](CaseBuilder& b) { return b.make.scatter_elements(b.parameter({4}), b.make.constant("at", {4}, {1, 7, -1, 0}), 0, {3}); });
  add("squared_error", [](CaseBuilder& b) { return b.make.mean_squared_error(b.parameter({3, 2}), b.parameter({3, 2}, -1.7f, 2.2f)); });
  add("absolute_error", [](CaseBuilder& b) { return b.make.mean_absolute_error(b.parameter({3, 2}), b.parameter({3, 2}, -1.7f, 2.2f), Mean::sum); });
  add("huber", [](CaseBuilder& b) { return b.make.huber(b.parameter({3, 3}), b.parameter({3, 3}, -1.7f, 2.3f), 1.0f); });
  add("binary_cross_entropy", [](CaseBuilder& b) { return b.make.binary_cross_entropy(b.parameter({3, 3}, 0.1f, 0.9f), b.make.constant("targets", {3, 3}, {1, 0, 0.3f, 0, 1, 1, 0.8f, 0, 1})); });
  add("binary_cross_entropy_with_logits", [](CaseBuilder& b) { return b.make.binary_cross_entropy_with_logits(b.parameter({3, 3}, -4, 4), b.make.constant("targets", {3, 3}, {1, 0, 0.3f, 0, 1, 1, 0.8f, 0, 1})); });
  add("cross_entropy_classes", [](CaseBuilder& b) { return b.make.softmax_cross_entropy(b.parameter({3, 4}), b.make.constant("classes", {3}, {2, 0, 3})); });
  add("cross_entropy_positions", [](CaseBuilder& b) { return b.make.softmax_cross_entropy(b.parameter({2, 3, 2}), b.make.constant("classes", {2, 2}, {2, 0, 1, 1}), Mean::none); });
  add("cross_entropy_probabilities", [](CaseBuilder& b) { return b.make.softmax_cross_entropy(b.parameter({2, 3}), b.make.constant("targets", {2, 3}, {0.2f, 0.3f, 0.5f, 0, 1, 0})); });
  add("several_uses", [](CaseBuilder& b) { const auto x = b.parameter({4}); const auto y = b.make.tanh(x); return b.make.add(b.make.multiply(y, x), b.make.sigmoid(y)); });
  add("scalar_factors", [](CaseBuilder& b) {  // as fusions of features weigh their operands
    const auto x = b.parameter({2, 3, 2}), weights = b.make.softmax(b.parameter({2}), 0);
    const auto weight = [&](std::int64_t k) { return b.make.squeeze(b.make.slice(weights, 0, k, k + 1), {0}); };
    return b.make.subtract(b.make.multiply(weight(0), x), b.make.multiply(x, weight(1)));
  });
  add("shared_weight", [](CaseBuilder& b) { const auto w = b.parameter({3, 3}); return b.make.matmul(b.make.tanh(b.make.matmul(b.parameter({2, 3}), w)), w); });
  add("unused_elements", [](CaseBuilder& b) { return b.make.slice(b.make.relu(b.parameter({6})), 0, 2, 4); });
  return cases;
}
// clang-format on

}  // namespace dojo::graph
