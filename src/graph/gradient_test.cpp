#include "graph/gradient.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "graph/interpreter.h"
#include "graph/op_cases_for_tests.h"

namespace dojo::graph {
namespace {

class GradientOf : public ::testing::TestWithParam<OpCase> {};

// Central differences with steps h and 2h combined, so that the error falls with h^4: what is left is the
// rounding of the loss over h.
double finite_difference(Interpreter& run, TensorId loss, TensorId parameter, std::vector<float> values,
                         std::size_t at) {
  const auto loss_at = [&](double step) {
    std::vector<float> moved = values;
    moved[at] = static_cast<float>(values[at] + step);
    run.set(parameter, moved);
    run.run();
    return std::pair(static_cast<double>(run.value(loss)[0]), static_cast<double>(moved[at]));
  };
  const auto slope = [&](double step) {
    const auto [above, x_above] = loss_at(step);
    const auto [below, x_below] = loss_at(-step);
    return (above - below) / (x_above - x_below);
  };
  const double h = 0.02;
  const double result = (4 * slope(h) - slope(2 * h)) / 3;
  run.set(parameter, values);
  return result;
}

TEST_P(GradientOf, EqualsFiniteDifferences) {
  CaseGraph made = build_case(GetParam());
  validate(made.graph);
  const Graph forward = made.graph;
  differentiate(made.graph, made.loss);
  Interpreter exact(made.graph), forwards(forward);
  exact.run();
  std::size_t checked = 0;
  for (TensorId p = 0; p < static_cast<TensorId>(forward.tensors.size()); ++p) {
    if (forward.at(p).role != Role::parameter) continue;
    const std::vector<float> values = forward.at(p).data;
    const bool flat = !made.graph.gradient.contains(p);  // floor: the loss has no slope
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double expected = finite_difference(forwards, made.loss, p, values, k);
      const double found = flat ? 0 : static_cast<double>(exact.value(made.graph.gradient.at(p))[k]);
      EXPECT_NEAR(found, expected, 2e-3 + 2e-3 * std::fabs(expected))
          << forward.at(p).name << "[" << k << "]";
      ++checked;
    }
  }
  EXPECT_GT(checked, 0u);
}

INSTANTIATE_TEST_SUITE_P(Builder, GradientOf, ::testing::ValuesIn(op_cases()),
                         [](const auto& test) { return test.param.name; });

const StructuredOp& op_that_makes(const Graph& graph, TensorId tensor) {
  for (const StructuredOp& op : graph.ops) {
    if (op.out.tensor == tensor) return op;
  }
  throw UserError(graph.at(tensor).name, "is made by no op");
}

bool is_product_of_two_reads(const StructuredOp& op) {
  return op.in.size() == 2 && op.body.nodes.size() == 3 && is_product(op.body) &&
         op.reduction == Reduction::sum;
}

// x -> conv -> bias -> relu -> conv -> sum of squares
TEST(Gradient, OfConvolutionsArePlainProductsForTheMatrixUnit) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {2, 3, 8, 8});
  const TensorId w1 = b.parameter("w1", {4, 3, 3, 3}, std::vector<float>(108, 0.1f));
  const TensorId bias = b.parameter("b1", {4}, std::vector<float>(4, 0.1f));
  const TensorId w2 = b.parameter("w2", {2, 4, 3, 3}, std::vector<float>(72, 0.1f));
  const TensorId pre = b.name("conv1").convolution(x, w1, bias, {});
  const TensorId hidden = b.name("relu1").relu(pre);
  const TensorId y = b.name("conv2").convolution(hidden, w2, std::nullopt, {});
  differentiate(graph, b.name("loss").sum(b.multiply(y, y)));
  SCOPED_TRACE(to_text(graph));
  EXPECT_TRUE(is_product_of_two_reads(op_that_makes(graph, graph.gradient.at(w1))));
  EXPECT_TRUE(is_product_of_two_reads(op_that_makes(graph, graph.gradient.at(w2))));
  EXPECT_TRUE(is_product_of_two_reads(op_that_makes(graph, graph.find("conv2.grad.relu1"))));
  // The relu's factor is an op of its own, in terms of the relu's result.
  const StructuredOp& mask = op_that_makes(graph, graph.find("relu1.grad.conv1.2"));
  EXPECT_EQ(mask.reduction, Reduction::none);
  EXPECT_EQ(mask.in.size(), 2u);
  EXPECT_TRUE(mask.in[0].tensor == hidden || mask.in[1].tensor == hidden);
  // Nothing is computed for the input of the network.
  for (const StructuredOp& op : graph.ops) EXPECT_EQ(op.name.find("grad.x"), std::string::npos) << op.name;
  EXPECT_EQ(graph.at(graph.gradient.at(bias)).name, "b1.grad");
}

TEST(Gradient, DoesNotKeepWhatTheResultCanTell) {
  for (const Scalar op :
       {Scalar::relu, Scalar::tanh, Scalar::sigmoid, Scalar::exp, Scalar::sqrt, Scalar::reciprocal_sqrt}) {
    Graph graph;
    Builder b(graph);
    const TensorId p = b.parameter("p", {3}, {1, 2, 3});
    const TensorId pre = b.scale(p, 2);
    differentiate(graph, b.sum(b.unary(op, pre)));
    for (const StructuredOp& made : graph.ops) {
      if (made.name.find("grad") == std::string::npos) continue;
      for (const TensorId id : inputs_of(made)) EXPECT_NE(id, pre) << to_text(graph);
    }
  }
}

TEST(Gradient, PassesThroughAnAdditionWithoutAnOp) {
  Graph graph;
  Builder b(graph);
  const TensorId p = b.parameter("p", {3}, {1, 2, 3}), q = b.parameter("q", {3}, {1, 2, 3});
  const TensorId sum = b.add(p, q);
  const TensorId loss = b.sum(b.multiply(sum, sum));
  const std::size_t before = graph.ops.size();
  differentiate(graph, loss);
  EXPECT_EQ(graph.gradient.at(p), graph.gradient.at(q));
  EXPECT_EQ(graph.ops.size(), before + 1);
}

// As training in narrow formats takes it.
TEST(Gradient, PassesThroughARounding) {
  Graph graph;
  Builder b(graph);
  const TensorId p = b.parameter("p", {2}, {1.001f, -3.3f});
  const TensorId rounded = b.binary(Scalar::round_bits, p, b.constant(16));
  differentiate(graph, b.sum(b.multiply(rounded, rounded)));
  Interpreter run(graph);
  run.run();
  EXPECT_EQ(run.value(rounded), (std::vector<float>{1, -3.296875f})) << "bfloat16's numbers";
  EXPECT_EQ(run.value(graph.gradient.at(p)), (std::vector<float>{2, -6.59375f}));
}

TEST(Gradient, RefusesALossThatIsNoScalar) {
  Graph graph;
  Builder b(graph);
  EXPECT_THROW(differentiate(graph, b.parameter("p", {3}, {1, 2, 3})), UserError);
}

}  // namespace
}  // namespace dojo::graph
