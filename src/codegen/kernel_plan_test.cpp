// Do plans of kernels say what one works out by hand for small ops?
#include <gtest/gtest.h>

#include "base/error.h"
#include "codegen/kernel.h"
#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "lowering/formats.h"
#include "lowering/lower.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::codegen {
namespace {

using graph::Builder;
using graph::TensorId;

// The plan of one op of a graph, in FP32 on one node.
struct Planned {
  lowering::LoweredProgram program;
  const lowering::ComputeStep* step = nullptr;
  KernelPlan plan;

  // Axes by their names.
  std::vector<std::string> names(const std::vector<int>& axes) const {
    std::vector<std::string> found;
    for (const int a : axes) found.push_back(step->op.box.at(static_cast<std::size_t>(a)).name);
    return found;
  }
};

Planned plan_of(const graph::Graph& graph, const std::string& op,
                std::int64_t panel_bytes = default_panel_bytes) {
  Planned planned;
  planned.program = lowering::lower(assign_formats(graph, lowering::FormatChoice::fp32), 1).program;
  for (const lowering::Step& step : planned.program.steps) {
    const auto* compute = std::get_if<lowering::ComputeStep>(&step);
    if (compute != nullptr && compute->op.name == op) planned.step = compute;
  }
  if (planned.step == nullptr) refuse(op, "is no op of\n{}", to_text(planned.program));
  planned.plan = plan_kernel(planned.program, *planned.step, panel_bytes);
  return planned;
}

using Names = std::vector<std::string>;

// y[8, 24] = x[8, 40] * w[24, 40] transposed.
graph::Graph dense() {
  graph::Graph graph;
  graph.name = "dense";
  Builder build(graph);
  const TensorId x = build.input("x", {8, 40}), w = lowering::sample::weight(build, "w", {24, 40});
  graph.outputs = {build.name("dense").matmul(x, w, false, true)};
  return graph;
}

TEST(KernelPlan, OfADenseLayerPacksBothOperandsAndLeavesTheSumsInPlace) {
  const Planned dense_layer = plan_of(dense(), "dense");
  const auto& plan = std::get<MatrixPlan>(dense_layer.plan.form);
  const MatrixProduct& product = plan.product;
  EXPECT_EQ(dense_layer.plan.multiply_adds, 8u * 24 * 40);
  EXPECT_EQ(product.left, 0u);  // the weight runs along the output's unit stride
  EXPECT_EQ(product.m.most(), 8);
  EXPECT_EQ(product.n.most(), 24);
  EXPECT_EQ(product.k.most(), 40);
  EXPECT_FALSE(product.left_in_place || product.right_in_place || product.listed());
  EXPECT_TRUE(product.left_whole);
  EXPECT_TRUE(plan.sums_in_place);
  EXPECT_EQ(plan.sums_stride, 24);
  // One row of two tiles: 40 steps of five loads and a half multiplication for each tile, 100 for its sums.
  EXPECT_EQ(plan.cost, 40 * 5 + 2 * (40 / 2 + 100));
  ASSERT_EQ(dense_layer.plan.scratch.size(), 2u);
  EXPECT_EQ(dense_layer.plan.scratch[1].name, "right");
  EXPECT_EQ(dense_layer.plan.scratch[1].offset, 8u * 40 * 4);
  EXPECT_EQ(dense_layer.plan.scratch_bytes, (8u + 24) * 40 * 4);
}

TEST(KernelPlan, ReadsAsText) {
  const Planned dense_layer = plan_of(dense(), "dense");
  const auto& box = dense_layer.step->op.box;
  EXPECT_EQ(to_text(dense_layer.plan, *dense_layer.step),
            fmt::format("matrix, 7680 multiply-adds\n"
                        "  outer -; about 440 instructions\n"
                        "  fp32 panels: left in0 packed whole, right in1 packed\n"
                        "  rows: {}:8\n"
                        "  columns: {}:24\n"
                        "  chain: {}:40\n"
                        "  sums 24 a row, in place\n"
                        "  scratch 0: float left[320]\n"
                        "  scratch 1280: float right[960]\n",
                        box.at(0).name, box.at(1).name, box.at(2).name));
}

// With a quarter of the room that both panels and the sums take: blocks must be cut, and what they take fits.
TEST(KernelPlan, CutsBlocksThatFitTheRoom) {
  const Planned dense_layer = plan_of(dense(), "dense", 1280);
  const MatrixProduct& product = std::get<MatrixPlan>(dense_layer.plan.form).product;
  EXPECT_LT(product.m.most() * product.n.most() * product.k.most(), 8 * 24 * 40);
  EXPECT_LE(dense_layer.plan.scratch_bytes, 1280u + 2 * 64);
}

// x[2, 3, 9, 21] under 8 kernels of 3 x 3 with stride 2.
graph::Graph strided() {
  graph::Graph graph;
  graph.name = "strided";
  Builder build(graph);
  const TensorId x = build.input("x", {2, 3, 9, 21});
  const TensorId y = lowering::sample::convolution(build, "conv", x, 8, 3, 2, 0, false);
  graph.outputs = {y, build.name("loss").mean(build.multiply(y, y))};
  return graph;
}

TEST(KernelPlan, OfAStridedConvolutionSortsPixelsByTheirRemainder) {
  const Planned conv = plan_of(strided(), "conv");
  const auto& plan = std::get<MatrixPlan>(conv.plan.form);
  const MatrixProduct& product = plan.product;
  EXPECT_EQ(conv.names(plan.outer), Names{conv.step->op.box[0].name});  // the batch: columns are two axes
  EXPECT_EQ(product.m.most(), 8);
  EXPECT_EQ(product.n.most(), 4 * 10);
  EXPECT_EQ(product.k.most(), 3 * 3 * 3);
  ASSERT_TRUE(product.windows.has_value());
  const Windows& windows = *product.windows;
  EXPECT_FALSE(windows.in_place);
  EXPECT_EQ(windows.planes.size(), 1u);  // the channels
  ASSERT_EQ(windows.spatial.size(), 2u);
  for (const Window& window : windows.spatial) {
    EXPECT_EQ(window.stride, 2);
    EXPECT_EQ(window.phases, 2);  // even and odd pixels
    EXPECT_EQ(window.beyond, 1);  // point 2 of the kernel lies one even place further
  }
  // [channel][row's remainder][column's remainder][5 rows][11 columns]
  EXPECT_EQ(windows.pitch, (std::vector<std::int64_t>{11, 1}));
  EXPECT_EQ(windows.spatial[1].phase_pitch, 5 * 11);
  EXPECT_EQ(windows.spatial[0].phase_pitch, 2 * 5 * 11);
  EXPECT_EQ(windows.plane_pitch, std::vector<std::int64_t>{4 * 5 * 11});
  EXPECT_EQ(plan.sums_stride, 3 * 11 + 10);  // a column between rows is computed and dropped
  const auto round_up = [](std::uint64_t bytes) { return (bytes + 63) / 64 * 64; };
  EXPECT_EQ(conv.plan.scratch_bytes,
            round_up(8 * 27 * 4) + round_up(3 * 4 * 55 * 4) + round_up(29 * 4) + round_up(8 * 43 * 4));
}

TEST(KernelPlan, OfAWeightGradientPutsTheChannelsLast) {
  graph::Graph graph = strided();
  graph::differentiate(graph, graph.outputs[1]);
  graph.outputs.push_back(graph.gradient.begin()->second);
  const Planned gradient = plan_of(graph, "conv.grad.conv.w");
  const auto& plan = std::get<MatrixPlan>(gradient.plan.form);
  EXPECT_EQ(plan.batch_chain, 0);
  EXPECT_FALSE(plan.product.left_whole);  // it is another one for each sample
  ASSERT_TRUE(plan.product.pixels.has_value());
  const Pixels& pixels = *plan.product.pixels;
  EXPECT_TRUE(pixels.stacked);           // 3 points of 3 channels are but 9 columns
  EXPECT_EQ(pixels.pixel_pitch, 3 * 3);  // point rows, channels
  EXPECT_EQ(pixels.row_pitch, 21 * 9);
  EXPECT_EQ(plan.sums_stride, 27);
}

// The chain's samples stand behind its places. Where all are there they are an axis as others are.
TEST(KernelPlan, OfSamplesInsideTheChainIsAProductWhereNoneIsMissing) {
  const graph::Graph graph = lowering::sample::spread<graph::traced::merged>(4);
  const auto op = std::ranges::find_if(graph.ops, [&](const graph::StructuredOp& one) {
    const auto found = graph.gradient.find(graph.find("w"));
    return found != graph.gradient.end() && one.out.tensor == found->second;
  });
  ASSERT_NE(op, graph.ops.end());
  const Planned gradient = plan_of(graph, op->name);
  EXPECT_TRUE(std::holds_alternative<ChainPlan>(gradient.plan.form));
  ASSERT_EQ(gradient.plan.all_samples.size(), 1u);
  const auto& product = std::get<MatrixPlan>(gradient.plan.all_samples.front().form).product;
  EXPECT_EQ(product.k.most(), 32 * 4);
  EXPECT_EQ(kind_of(gradient.plan), "matrix");
  const std::string text = write_kernel(gradient.program, *gradient.step, gradient.plan, 1);
  EXPECT_NE(text.find("if (valid == 4) return op_1_all_samples("), std::string::npos) << text;
}

TEST(KernelPlan, OfAPoolKeepsARowOfMaxima) {
  graph::Graph graph;
  Builder build(graph);
  const TensorId x = build.input("x", {2, 4, 8, 16});
  graph.outputs = {build.name("pool").max_pool(x, {{2, 2}, {2, 2}, {}, {}, {}, false, false})};
  const Planned pool = plan_of(graph, "pool");
  const auto& chain = std::get<ChainPlan>(pool.plan.form);
  EXPECT_EQ(pool.names({chain.lane}), Names{pool.step->op.box[3].name});  // 8 columns, the longest axis
  EXPECT_EQ(chain.width, 8);
  EXPECT_EQ(pool.plan.scratch_bytes, 64u);  // 8 floats
  EXPECT_EQ(pool.plan.multiply_adds, 0u);
}

TEST(KernelPlan, OfAnElementwiseOpKeepsNothing) {
  graph::Graph graph;
  Builder build(graph);
  graph.outputs = {build.name("act").relu(build.input("x", {2, 5}))};
  const Planned act = plan_of(graph, "act");
  EXPECT_TRUE(std::holds_alternative<LoopsPlan>(act.plan.form));
  EXPECT_EQ(act.plan.scratch_bytes, 0u);
  EXPECT_EQ(to_text(act.plan, *act.step), "loops\n");
}

// Every second pixel of both dimensions gets a gradient; under two axes, sample and channel, nothing collides
// and the slice is the output's own.
TEST(KernelPlan, OfAStridedPointGradientScattersIntoTheOutput) {
  graph::Graph graph;
  Builder build(graph);
  const TensorId x = build.input("x", {2, 3, 12, 16});
  const TensorId h = lowering::sample::convolution(build, "first", x, 8, 1, 1, 0, false);
  const TensorId y = lowering::sample::convolution(build, "second", h, 16, 1, 2, 0, false);
  graph.outputs = {y, build.name("loss").mean(build.multiply(y, y))};
  graph::differentiate(graph, graph.outputs[1]);
  for (const auto& [parameter, gradient] : graph.gradient) graph.outputs.push_back(gradient);
  const Planned scattered = plan_of(graph, "second.grad.first");
  const auto& scatter = std::get<ScatterPlan>(scattered.plan.form);
  EXPECT_EQ(scatter.slice.outer.size(), 2u);
  EXPECT_EQ(scatter.slice.elements, 12 * 16);
  EXPECT_TRUE(scatter.slice.in_place);
  EXPECT_TRUE(scatter.order.free);
  EXPECT_TRUE(scatter.order.backwards.empty());
  ASSERT_FALSE(scatter.order.axes.empty());  // the longest axis inside: 8 columns
  EXPECT_EQ(scattered.step->op.box.at(static_cast<std::size_t>(scatter.order.axes.back())).extent, 8);
  EXPECT_EQ(scattered.plan.scratch_bytes, 0u);
}

TEST(KernelPlan, TakesNoMoreThanItsRoomForAnyOpOfANetwork) {
  const graph::Graph step = lowering::sample::pilotnet(4);
  const lowering::LoweredProgram program =
      lowering::lower(assign_formats(step, lowering::FormatChoice::bf16), 2).program;
  std::size_t cut = 0;
  for (const std::int64_t room : {std::int64_t{16 * 1024}, std::int64_t{64 * 1024}, default_panel_bytes}) {
    for (const lowering::Step& one : program.steps) {
      const auto* compute = std::get_if<lowering::ComputeStep>(&one);
      if (compute == nullptr) continue;
      const KernelPlan plan = plan_kernel(program, *compute, room);
      const auto* matrix = std::get_if<MatrixPlan>(&plan.form);
      if (matrix == nullptr) continue;
      // Beside the panels: a list's two places more, what pixels' lines take, and alignment.
      EXPECT_LE(plan.scratch_bytes, static_cast<std::uint64_t>(room) + 5 * 64 + 1024) << compute->op.name;
      cut += matrix->product.k.size <
             compute->op.box[static_cast<std::size_t>(matrix->product.k.axes[0])].extent;
    }
  }
  EXPECT_GT(cut, 0u);
}

}  // namespace
}  // namespace dojo::codegen
