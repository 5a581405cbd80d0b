// Linear attention and causal convolutions against their recurrences in plain loops, and what FlexAttention's
// graph inside does.
#include <gtest/gtest.h>

#include "base/error.h"
#include "onnx/for_tests.h"
#include "onnx/one_node_for_tests.h"

namespace dojo::onnx::attention_with_state {  // names of its own
namespace {

constexpr std::size_t batch = 2, turns = 3, heads = 2, size = 2;

std::size_t packed(std::size_t n, std::size_t t, std::size_t head, std::size_t i) {
  return ((n * turns + t) * heads + head) * size + i;
}

OneNode linear_attention(const std::string& rule) {
  const auto count = batch * turns * heads * size;
  const graph::Shape shape = {batch, turns, heads * size};
  OneNode one{node("LinearAttention", "it", {"q", "k", "v", "s", "g", "b"}, {"y", "state"}),
              {{"q", shape, scattered_numbers(count, -1, 1), DataType::float32, true},
               {"k", shape, scattered_numbers(count, -1, 1, 1), DataType::float32, true},
               {"v", shape, scattered_numbers(count, -1, 1, 2), DataType::float32, true},
               {"s",
                {batch, heads, size, size},
                scattered_numbers(batch * heads * size * size, -1, 1, 3),
                DataType::float32,
                true},
               {"g", shape, scattered_numbers(count, -1, 0, 4), DataType::float32, true},
               {"b",
                {batch, turns, heads},
                scattered_numbers(batch * turns * heads, 0, 1, 5),
                DataType::float32,
                true}},
              27};
  one.node.attributes = {words("update_rule", rule), whole("q_num_heads", heads),
                         whole("kv_num_heads", heads)};
  return one;
}

// Of one head of one sample: S' = e^g S + k u, y = S' q / sqrt(size).
std::vector<double> recurrence(const OneNode& one, bool gated, bool delta) {
  const auto at = [&](std::size_t operand, std::size_t i) {
    return static_cast<double>(one.operands[operand].values[i]);
  };
  std::vector<double> y(batch * turns * heads * size);
  for (std::size_t n = 0; n < batch; ++n)
    for (std::size_t head = 0; head < heads; ++head) {
      double state[size][size];
      for (std::size_t i = 0; i < size; ++i)
        for (std::size_t j = 0; j < size; ++j)
          state[i][j] = at(3, ((n * heads + head) * size + i) * size + j);
      for (std::size_t t = 0; t < turns; ++t) {
        for (std::size_t i = 0; i < size && gated; ++i)
          for (double& value : state[i]) value *= std::exp(at(4, packed(n, t, head, i)));
        double update[size];
        for (std::size_t j = 0; j < size; ++j) {
          double known = 0;
          for (std::size_t i = 0; i < size; ++i) known += state[i][j] * at(1, packed(n, t, head, i));
          const double v = at(2, packed(n, t, head, j));
          update[j] = delta ? at(5, (n * turns + t) * heads + head) * (v - known) : v;
        }
        for (std::size_t j = 0; j < size; ++j) {
          double sum = 0;
          for (std::size_t i = 0; i < size; ++i) {
            state[i][j] += at(1, packed(n, t, head, i)) * update[j];
            sum += at(0, packed(n, t, head, i)) * state[i][j];
          }
          y[packed(n, t, head, j)] = sum / std::sqrt(static_cast<double>(size));
        }
      }
    }
  return y;
}

TEST(LinearAttention, FollowsTheRecurrenceOfEveryRule) {
  for (const auto& [rule, gated, delta] :
       std::vector<std::tuple<std::string, bool, bool>>{{"linear", false, false},
                                                        {"gated", true, false},
                                                        {"delta", false, true},
                                                        {"gated_delta", true, true}}) {
    const OneNode one = linear_attention(rule);
    const auto expected = recurrence(one, gated, delta);
    const auto got = one.results().at(0);
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(static_cast<double>(got[i]), expected[i], 1e-5) << rule << "[" << i << "]";
  }
}

TEST(LinearAttention, GradientsAreThoseOfTheLoss) { expect_gradients(linear_attention("gated_delta")); }

TEST(CausalConvolution, LooksBackAloneIntoTheStateAndKeepsTheNext) {
  OneNode one{node("CausalConvWithState", "it", {"x", "w", "b", "s"}, {"y", "next"}),
              {{"x", {1, 2, 2}, {1, 2, 3, 4}, DataType::float32, true},
               {"w", {2, 1, 3}, {1, 10, 100, 2, 20, 200}, DataType::float32, true},
               {"b", {2}, {0.5f, 0}, DataType::float32, true},
               {"s", {1, 2, 2}, {5, 6, 7, 8}, DataType::float32, true}},
              27};
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{165.5f, 216.5f, 774, 876}, {1, 2, 3, 4}}));
  one.node.inputs = {"x", "w"};  // nothing before: zeros
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{100, 210, 600, 860}, {1, 2, 3, 4}}));
  one.node.attributes = {words("activation", "tanh")};
  EXPECT_EQ(message_of([&] { one.network(); }), "m: node 'it' (CausalConvWithState): activation = 'tanh'");
}

TEST(FlexibleAttention, ChangesScoresByTheGraphInside) {
  GraphFile zero;
  zero.inputs = {value("scores", {})}, zero.outputs = {value("flat", {})};
  zero.nodes = {node("Sub", "none", {"scores", "scores"}, {"flat"})};
  OneNode one{
      node("FlexAttention", "it", {"q", "k", "v"}, {"y"}),
      {{"q", {1, 1, 1, 2}, {3, -1}}, {"k", {1, 1, 2, 2}, {1, 2, 3, 4}}, {"v", {1, 1, 2, 1}, {10, 20}}},
      26};
  one.node.domain = "ai.onnx.preview";
  one.node.attributes = {inside("score_mod", zero)};
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{15}})) << "all scores alike: the mean";
}

}  // namespace
}  // namespace dojo::onnx::attention_with_state
