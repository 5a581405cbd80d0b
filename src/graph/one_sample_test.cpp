// Does a graph without a batch give the same when it is one sample of a batch of one?
#include "graph/one_sample.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"

namespace dojo::graph {
namespace {

TensorId given(Graph& graph, const std::string& name, Shape shape) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = std::move(shape);
  tensor.role = Role::input;
  return graph.add(std::move(tensor));
}

TEST(OneSample, InputsGetABatchAndNothingElseChanges) {
  Graph graph;
  Builder build(graph);
  const TensorId x = given(graph, "x", {2, 3}), w = build.parameter("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  graph.outputs = {build.name("product").matmul(x, w)};
  as_one_sample(graph);
  const Tensor& batched = graph.at(graph.find("x"));
  EXPECT_EQ(batched.shape, Shape({1, 2, 3}));
  EXPECT_TRUE(batched.has_batch);
  EXPECT_FALSE(graph.at(graph.outputs[0]).has_batch);
  Interpreter interpreter(graph);
  interpreter.set(graph.find("x"), std::vector<float>{1, 0, 0, 0, 1, 1});
  interpreter.run();
  EXPECT_EQ(interpreter.value(graph.outputs[0]), std::vector<float>({1, 2, 8, 10}));
}

TEST(OneSample, AGraphWithoutInputsGetsOneThatNothingReads) {
  Graph graph;
  Builder build(graph);
  graph.outputs = {build.scale(build.parameter("w", {2}, {1, 2}), 2)};
  as_one_sample(graph);
  EXPECT_TRUE(graph.at(graph.find("nothing")).has_batch);
}

// d(x w)/dx = g w^T and d(x w)/dw = x^T g; nothing else is appended, and nothing that is not wanted.
TEST(GradientsOf, AProductAreTheOtherOperandTimesTheUpstreamGradient) {
  Graph graph;
  Builder build(graph);
  const std::vector<TensorId> operands = {given(graph, "x", {1, 2}), given(graph, "w", {2, 2})};
  const TensorId upstream = given(graph, "g", {1, 2});
  const auto product = [](Builder& inside, std::span<const TensorId> ids) {
    return inside.matmul(ids[0], ids[1]);
  };
  const auto gradients = gradients_of(build, "product", product, operands, upstream, {true, true});
  EXPECT_EQ(graph.ops.size(), 2u);
  graph.outputs = gradients;
  Interpreter interpreter(graph);
  interpreter.set(operands[0], std::vector<float>{2, 3});
  interpreter.set(operands[1], std::vector<float>{1, 2, 3, 4});
  interpreter.set(upstream, std::vector<float>{10, 100});
  interpreter.run();
  EXPECT_EQ(interpreter.value(gradients[0]), std::vector<float>({210, 430}));
  EXPECT_EQ(interpreter.value(gradients[1]), std::vector<float>({20, 200, 30, 300}));
  EXPECT_EQ(gradients_of(build, "product", product, operands, upstream, {false, true})[0], no_tensor);
  EXPECT_EQ(graph.ops.size(), 3u);
}

}  // namespace
}  // namespace dojo::graph
