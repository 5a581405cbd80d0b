#include "graph/fuse.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "graph/expression.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "graph/op_cases_for_tests.h"

namespace dojo::graph {
namespace {

void expect_same_bits(const std::vector<float>& found, const std::vector<float>& expected,
                      const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found[k]), std::bit_cast<std::uint32_t>(expected[k]))
        << what << "[" << k << "]";
  }
}

class FusionOf : public ::testing::TestWithParam<OpCase> {};

TEST_P(FusionOf, KeepsEveryBitOfResultsAndUpdates) {
  CaseGraph made = build_case(GetParam());
  differentiate(made.graph, made.loss);
  const Graph plain = made.graph;
  for (const bool keep : {true, false}) {
    Graph fused = plain;
    fuse(fused, keep);
    EXPECT_LE(fused.ops.size(), plain.ops.size());
    Interpreter run_plain(plain), run_fused(fused);
    run_plain.run();
    run_fused.run();
    for (std::size_t k = 0; k < plain.outputs.size(); ++k) {
      expect_same_bits(run_fused.value(fused.outputs[k]), run_plain.value(plain.outputs[k]), "output");
    }
    for (const auto& [from, to] : plain.update) {
      expect_same_bits(run_fused.value(fused.update.at(fused.find(plain.at(from).name))), run_plain.value(to),
                       plain.at(from).name);
    }
    if (!keep) continue;
    for (const auto& [parameter, gradient] : plain.gradient) {
      const TensorId twin = fused.gradient.at(fused.find(plain.at(parameter).name));
      expect_same_bits(run_fused.value(twin), run_plain.value(gradient), plain.at(parameter).name + ".grad");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Builder, FusionOf, ::testing::ValuesIn(op_cases()),
                         [](const auto& test) { return test.param.name; });

const StructuredOp& only_op(const Graph& graph, std::size_t count = 1) {
  EXPECT_EQ(graph.ops.size(), count) << to_text(graph);
  return graph.ops.front();
}

TEST(Fusion, ALongChainBecomesOpsThatTheNodesCompilerCanTake) {
  Graph graph;
  Builder b(graph);
  TensorId y = b.input("x", {2, 3});
  for (int k = 0; k < 2000; ++k) y = b.name("r").relu(y);
  graph.outputs = {y};
  fuse(graph);
  EXPECT_LT(graph.ops.size(), 32u);
  for (const StructuredOp& op : graph.ops) EXPECT_LE(op.body.nodes.size(), 256u);
}

// It did not end where what a read gives outside is no number, which is not equal to itself.
TEST(Fusion, TakesInACopyWhoseReaderGetsNoNumberOutside) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {2, 3});
  graph.outputs = {b.relu(b.reshape(x, {2, 3, 1}))};
  graph.ops.back().in[0].outside = std::numeric_limits<float>::quiet_NaN();
  fuse(graph);
  EXPECT_EQ(only_op(graph).in[0].tensor, graph.find("x"));
}

TEST(Fusion, ConvolutionBiasAndReluBecomeOneOp) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {2, 3, 5, 5});
  const TensorId w = b.parameter("w", {4, 3, 3, 3}, std::vector<float>(108, 0.1f));
  const TensorId bias = b.parameter("b", {4}, std::vector<float>(4, 0.1f));
  const TensorId y = b.convolution(x, w, bias, {});
  graph.outputs = {b.relu(y)};
  fuse(graph);
  const StructuredOp& op = only_op(graph);
  EXPECT_TRUE(is_product(op.body));
  EXPECT_EQ(op.in.size(), 2u);
  EXPECT_EQ(op.extra.size(), 1u);
  EXPECT_EQ(to_text(op.epilogue), "relu((in0 + in1))");
}

TEST(Fusion, ASumDoesNotTakeAProductIn) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.parameter("x", {8}, separated_values({8}, 1));
  graph.outputs = {b.sum(b.multiply(x, x))};
  fuse(graph);
  only_op(graph, 2);
}

TEST(Fusion, ElementwiseFactorsStayOutOfContractions) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.parameter("x", {4, 8}, separated_values({4, 8}, 1)),
                 w = b.parameter("w", {8, 1}, separated_values({8, 1}, 2));
  graph.outputs = {b.matmul(b.relu(x), w)};
  fuse(graph);
  only_op(graph, 2);
}

TEST(Fusion, ASumOverTheBatchKeepsWhatFollowsApart) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {4, 8});
  graph.outputs = {b.mean(x, {0})};
  fuse(graph);
  only_op(graph, 2);
}

// A weight's gradient as matrices give it: transposed, and with a dimension more.
TEST(Fusion, ASumOverTheBatchIsWrittenInTheOrderInWhichItIsCopied) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {4, 3}), y = b.input("y", {4, 5});
  const TensorId product = b.name("product").sum(b.multiply(b.unsqueeze(x, {2}), b.unsqueeze(y, {1})), {0});
  graph.outputs = {b.name("turned").unsqueeze(b.transpose(product, {1, 0}), {1})};
  Graph fused = graph;
  fuse(fused);
  ASSERT_EQ(fused.ops.size(), 2u) << to_text(fused);
  EXPECT_EQ(to_text(fused.ops[1], [&](TensorId id) { return fused.at(id).name; }),
            "product.4: (n*:4 d1:3 d2:5) turned.2[d2, 0, d1] += product.3[n, d1, d2]");
  Interpreter before(graph), after(fused);
  for (Interpreter* run : {&before, &after}) {
    run->set(x, separated_values({4, 3}, 1));
    run->set(y, separated_values({4, 5}, 2));
    run->run();
  }
  EXPECT_EQ(after.value(fused.outputs[0]), before.value(graph.outputs[0]));
}

// Turned and turned back, it is written as it was.
TEST(Fusion, ASumOverTheBatchThatIsTurnedTwiceStaysAsItIs) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {4, 3, 5});
  const TensorId twice = b.transpose(b.transpose(b.name("sum").sum(x, {0}), {1, 0}), {1, 0});
  graph.outputs = {b.name("up").exp(twice), b.name("down").tanh(twice)};
  fuse(graph);
  EXPECT_EQ(to_text(graph.ops[0], [&](TensorId id) { return graph.at(id).name; }),
            "sum: (n*:4 d1:3 d2:5) sum.3[d1, d2] += x[n, d1, d2]");
  only_op(graph, 3);
}

TEST(Fusion, WhatIsWantedFromOutsideStays) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.parameter("x", {8}, separated_values({8}, 1));
  const TensorId y = b.tanh(x);
  graph.outputs = {b.relu(y), y};
  fuse(graph);
  only_op(graph, 2);
}

TEST(DeadOps, LeaveWithTheirTensorsAndNothingElse) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {2, 3}), p = b.parameter("p", {3}, {1, 2, 3});
  b.add(b.relu(x), b.constant("unused", {3}, {1, 1, 1}));
  const TensorId y = b.name("kept").multiply(x, p);
  graph.outputs = {y};
  eliminate_dead_ops(graph);
  EXPECT_EQ(only_op(graph).name, "kept");
  EXPECT_EQ(graph.tensors.size(), 3u);
  EXPECT_EQ(graph.at(graph.outputs[0]).name, "kept");
  EXPECT_EQ(graph.find("unused"), no_tensor);
  validate(graph);
}

}  // namespace
}  // namespace dojo::graph
