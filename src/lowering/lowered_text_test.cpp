// Does a lowered program read as what one works out for a small network by hand?
#include <gtest/gtest.h>

#include "graph/builder.h"
#include "lowering/lower.h"

namespace dojo::lowering {
namespace {

// The weight has 12,000 elements, so each of two nodes owns 6,000 of its one tile, and it is gathered for the
// op.
TEST(LoweredText, NamesBuffersAndSteps) {
  graph::Graph graph;
  graph.name = "dense";
  graph::Builder build(graph);
  const auto x = build.input("x", {4, 2000});
  const auto w = build.parameter("w", {2000, 6}, std::vector<float>(12000, 0.5f));
  graph.outputs = {build.name("y").matmul(x, w)};
  EXPECT_EQ(to_text(lower(graph, 2).program),
            "dense: 1 x 2 nodes, batch 4 (2 a node)\n"
            "buffers\n"
            "  w fp32 [6000] persistent, 1 tiles of 2000 x 6, 6000 a node\n"
            "  x fp32 [2, 2000]\n"
            "  y fp32 [2, 6]\n"
            "  w.whole fp32 [2000, 6]\n"
            "steps\n"
            "  fetch x\n"
            "  gather w to w.whole (6000 a node)\n"
            "  y: (m*:2 j:6 k:2000) y[m, j] += (x[m, k] * w.whole[k, j])\n"
            "  store y per sample\n");
}

// A tile has at most 40,960 elements: of 100 rows of 1000, three tiles of 34 rows. Columns of the result come
// tile by tile.
TEST(LoweredText, IndentsWhatRunsForEveryTile) {
  graph::Graph graph;
  graph.name = "wide";
  graph::Builder build(graph);
  const auto x = build.input("x", {2, 1000});
  const auto w = build.parameter("w", {100, 1000}, std::vector<float>(100'000, 0.5f));
  graph.outputs = {build.name("y").matmul(x, w, false, true)};
  EXPECT_EQ(to_text(lower(graph, 1).program),
            "wide: 1 x 1 nodes, batch 2 (2 a node)\n"
            "buffers\n"
            "  w fp32 [102000] persistent, 3 tiles of 34 x 1000, 34000 a node\n"
            "  x fp32 [2, 1000]\n"
            "  w.tile fp32 [34, 1000]\n"
            "  y fp32 [2, 100]\n"
            "steps\n"
            "  fetch x\n"
            "  for 3 tiles of y:\n"
            "    gather w to w.tile (34000 a node)\n"
            "    y: (m*:2 j:100 k:1000) y[m, j] += (x[m, k] * w.tile[j, k]); j in tiles of 34\n"
            "  store y per sample\n");
}

}  // namespace
}  // namespace dojo::lowering
