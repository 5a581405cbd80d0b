// Does the lowered program, on any number of nodes, compute what the graph means?
#include <gtest/gtest.h>

#include "graph/one_sample.h"
#include "graph/op_maker.h"
#include "lowering/formats.h"
#include "lowering/lower.h"
#include "lowering/lowered_meaning_for_tests.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::lowering {
namespace {

namespace traced = graph::traced;

struct Case {
  const char* name;
  graph::Graph (*make)(std::int64_t batch);
  FormatChoice formats;
  std::int64_t batch;
  unsigned nodes;
  double bound;
};

class Lowering : public testing::TestWithParam<Case> {};

TEST_P(Lowering, computes_what_the_graph_means) {
  const Case& c = GetParam();
  const graph::Graph graph = assign_formats(c.make(c.batch), c.formats);
  expect_meaning(graph, lower(graph, c.nodes).program, c.batch, c.bound);
}

// The norm of a gradient, and a weight's size in the loss: each node sums its part.
TEST(LoweringOfSums, needs_no_whole_weight_or_gradient) {
  const Lowered lowered = lower(sample::spread<traced::regularized>(8), 4);
  for (const Buffer& buffer : lowered.program.buffers) EXPECT_LT(buffer.capacity, 300 * 330) << buffer.name;
}

// x is needed whole by the matrix product, its square only by the sum, which reads both.
TEST(LoweringOfSums, read_what_every_node_holds_beside_shards) {
  graph::Graph graph;
  graph::Builder b(graph);
  graph::Tensor input;
  input.name = "x";
  input.shape = {3, 4};
  input.role = graph::Role::input;
  const graph::TensorId x = graph.add(std::move(input)), square = b.name("square").multiply(x, x);
  b.name("total");
  graph::OpMaker sum(b);
  const std::vector<graph::Index> every = {graph::Index::along(sum.axis("i", 3)),
                                           graph::Index::along(sum.axis("j", 4))};
  graph::Formula f;
  const auto left = f.input(sum.read(square, every)), right = f.input(sum.read(x, every));
  const graph::TensorId total = sum.write({}, {}, graph::Reduction::sum, f.finish(f.subtract(left, right)));
  graph.outputs = {total, b.name("product").matmul(x, b.transpose(x, {1, 0}))};
  graph::as_one_sample(graph);
  const Lowered lowered = lower(graph, 4);
  LoweredInterpreter nodes(lowered.program);
  nodes.set_persistent({});
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  nodes.run({{"x", values}}, 1, {});
  EXPECT_EQ(nodes.results().at(graph.at(graph.outputs[0]).name), std::vector<float>({650 - 78}));
}

// Tiles' results are added, which a maximum's must not be.
TEST(LoweringOfMaxima, refuses_one_over_the_tiles_of_a_weight) {
  traced::Traced t(4);
  const graph::TensorId largest = t.make.name("largest").maximum(t.weights("w", {300, 330}), {0});
  t.graph.outputs = {t.make.name("out").add(t.input("x", {4, 330}), largest)};
  ASSERT_EQ(graph::spread_batch(t.graph, t.samples).refusal, "");
  try {
    lower(t.graph, 2);
    FAIL() << "it is lowered";
  } catch (const UserError& error) {
    EXPECT_EQ(error.where(), "largest");
  }
}

INSTANTIATE_TEST_SUITE_P(
    , Lowering,
    testing::Values(
        Case{"mlp_1", sample::mlp, FormatChoice::fp32, 5, 1, 1e-5},
        Case{"mlp_6", sample::mlp, FormatChoice::fp32, 12, 6, 1e-5},
        Case{"mlp_uneven", sample::mlp, FormatChoice::fp32, 13, 6, 1e-5},
        Case{"wide_4", sample::wide_mlp, FormatChoice::fp32, 8, 4, 1e-4},
        Case{"convolutions_1", sample::convolutions, FormatChoice::fp32, 3, 1, 1e-5},
        Case{"convolutions_6", sample::convolutions, FormatChoice::fp32, 6, 6, 1e-5},
        Case{"convolutions_bf16", sample::convolutions, FormatChoice::bf16, 6, 6, 2e-2},
        Case{"convolutions_cfloat8", sample::convolutions, FormatChoice::cfloat8, 6, 6, 5e-2},
        Case{"residual_6", sample::residual, FormatChoice::fp32, 12, 6, 1e-4},
        Case{"sequence_4", sample::spread<traced::sequence>, FormatChoice::fp32, 10, 4, 1e-4},
        Case{"places_first_6", sample::spread<traced::places_first>, FormatChoice::fp32, 6, 6, 1e-4},
        Case{"attention_6", sample::spread<traced::attention>, FormatChoice::fp32, 12, 6, 1e-3},
        Case{"images_4", sample::spread<traced::images>, FormatChoice::fp32, 7, 4, 1e-3},
        Case{"clipped_6", sample::spread<traced::clipped>, FormatChoice::fp32, 12, 6, 1e-4},
        Case{"vocabulary_4", sample::spread<traced::vocabulary>, FormatChoice::fp32, 7, 4, 1e-4},
        Case{"vocabulary_bf16", sample::spread<traced::vocabulary>, FormatChoice::bf16, 8, 2, 2e-2},
        Case{"largest_6_uneven", sample::spread<traced::largest>, FormatChoice::fp32, 8, 6, 1e-4},
        Case{"regularized_4", sample::spread<traced::regularized>, FormatChoice::fp32, 8, 4, 1e-4},
        Case{"by_hand_6", sample::spread<traced::by_hand>, FormatChoice::fp32, 12, 6, 1e-4}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace dojo::lowering
