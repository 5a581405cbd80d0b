// Is an op cut only where its maps allow it, and does a tile read what it needs?
#include "lowering/tile_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::lowering {
namespace {

const graph::StructuredOp& op_named(const graph::Graph& graph, std::string_view name) {
  for (const graph::StructuredOp& op : graph.ops)
    if (op.name == name) return op;
  ADD_FAILURE() << name;
  return graph.ops.front();
}

// "n shared, ci turns": axes that may be cut.
std::string cuts_of(const graph::Graph& graph, std::string_view name) {
  const graph::StructuredOp& op = op_named(graph, name);
  const std::vector<Cutting> ways = ways_to_cut(op, graph.tensors);
  std::string text;
  for (std::size_t a = 0; a < ways.size(); ++a) {
    if (ways[a] == Cutting::whole) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", op.box[a].name,
                        ways[a] == Cutting::shared ? "shared" : "turns");
  }
  return text;
}

TEST(WaysToCut, follow_from_the_maps) {
  const graph::Graph graph = sample::convolutions(5);
  EXPECT_EQ(cuts_of(graph, "conv2"),
            "n shared, co shared, oh shared, ow shared, ci turns, kh turns, kw turns");
  EXPECT_EQ(cuts_of(graph, "conv3.grad.pool"), "n shared, co turns, ci shared");  // places meet
  EXPECT_EQ(cuts_of(graph, "conv2.grad.conv2.w"),
            "n turns, co shared, oh turns, ow turns, ci shared, kh shared, kw shared");
  EXPECT_EQ(cuts_of(graph, "pool"), "n shared, c shared, oh shared, ow shared");  // a maximum stays whole
}

// Rows of a table that tokens add to: they may meet anywhere, so the tokens come in turns.
TEST(WaysToCut, leave_computed_places_whole) {
  const graph::Graph graph = sample::lookups(13);
  EXPECT_EQ(cuts_of(graph, "embedding.grad.table"), "n turns, i1 turns, d1 shared");
}

TEST(ImageRead, is_what_a_strided_window_reaches) {
  const graph::Graph graph = sample::convolutions(5);
  const graph::StructuredOp& op = op_named(graph, "conv1");  // 5 x 5, stride 2, of [5, 3, 21, 30]
  std::vector<std::int64_t> size;
  for (const graph::Axis& axis : op.box) size.push_back(axis.extent);
  size[2] = 4;  // rows of the result
  const BoxImage image = image_read(op, op.in[0], graph.at(op.in[0].tensor).shape, size);
  EXPECT_EQ(image[2].low, 0);
  EXPECT_EQ(image[2].extent, 2 * 3 + 5);
  EXPECT_EQ(image[2].coefficients[2], 2);
  EXPECT_EQ(image[3].coefficients[3], 0) << "it is not cut";
  const BoxImage written = image_written(op, graph.at(op.out.tensor).shape, size);
  EXPECT_EQ(written[2].extent, 4);
  EXPECT_EQ(written[2].coefficients[2], 1);
}

TEST(TilePlan, gives_every_node_something_within_its_room) {
  const graph::Graph graph = sample::pilotnet(4);
  for (const graph::StructuredOp& op : graph.ops) {
    const TilePlan plan = plan_tiles(op, graph.tensors, {64, 200000});
    std::int64_t bytes = 0;
    for (const graph::Access& access : op.in)
      bytes += elements(image_read(op, access, graph.at(access.tensor).shape, plan.size)) * 4;
    EXPECT_LE(bytes, 200000) << op.name;
  }
  const TilePlan convolution = plan_tiles(op_named(graph, "conv1"), graph.tensors, {64, 200000});
  std::int64_t tiles = 1;
  for (std::size_t a = 0; a < 4; ++a)
    tiles *= (op_named(graph, "conv1").box[a].extent + convolution.size[a] - 1) / convolution.size[a];
  EXPECT_GE(tiles, 64);
}

// A weight's gradient has few elements and a long chain: the chain is what nodes can share.
TEST(TilePlan, parts_a_chain_where_the_output_is_too_small) {
  const graph::Graph graph = sample::pilotnet(64);
  const graph::StructuredOp& op = op_named(graph, "conv1.grad.conv1.w");
  const TilePlan plan = plan_tiles(op, graph.tensors, {64, 200000});
  ASSERT_GE(plan.parted, 0);
  EXPECT_TRUE(graph::is_chain_axis(op, static_cast<std::size_t>(plan.parted)));
  EXPECT_GT(plan.parts(op), 1);
  EXPECT_EQ(plan.part % plan.size[static_cast<std::size_t>(plan.parted)], 0);
}

// While one tile is computed the next one's operands come, if there is room for both.
TEST(TilePlan, fetches_ahead_where_that_hides_something) {
  const auto plan_of_scaling = [](std::int64_t elements, std::int64_t room) {
    graph::Graph graph;
    graph::Builder build(graph);
    graph.outputs = {build.name("scaled").scale(build.input("x", {1, elements}), 2)};
    return plan_tiles(graph.ops.front(), graph.tensors, {6, room});
  };
  const TilePlan many = plan_of_scaling(6'000'000, 200000);
  EXPECT_TRUE(many.ahead);
  EXPECT_LE(3 * 4 * many.size[1], 200000) << "two operands and a result";
  EXPECT_FALSE(plan_of_scaling(6, 200000).ahead) << "nothing comes behind a node's only tile";
}

TEST(TilePlan, refuses_what_no_node_can_do) {
  const graph::Graph graph = sample::convolutions(5);
  EXPECT_THROW(plan_tiles(op_named(graph, "conv3.grad.pool"), graph.tensors, {6, 100}), UserError);
}

}  // namespace
}  // namespace dojo::lowering
