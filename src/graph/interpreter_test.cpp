#include "graph/interpreter.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "graph/expression.h"
#include "graph/gradient.h"
#include "graph/op_cases_for_tests.h"

namespace dojo::graph {
namespace {

float larger(float a, float b) {
  if (std::isnan(a)) return a;
  return a > b ? a : b;
}

// ir.h word by word, point by point, with nothing done for speed.
class Literal {
public:
  Literal(const Graph& graph, const StructuredOp& op, const std::vector<std::vector<float>>& values)
      : graph_(graph), op_(op), values_(values), point_(op.box.size(), 0) {}

  std::vector<float> run() {
    const float identity =
        op_.reduction == Reduction::maximum ? -std::numeric_limits<float>::infinity() : 0.0f;
    std::vector<float> out(static_cast<std::size_t>(element_count(graph_.at(op_.out.tensor).shape)),
                           identity);
    over(false, 0, [&] {
      float acc = identity;
      over(true, 0, [&] { acc = combined(acc); });
      const auto at = place(op_.out);
      if (!at) return;
      if (op_.reduction == Reduction::none) out[*at] = acc;
      if (op_.reduction == Reduction::sum) out[*at] = out[*at] + acc;
      if (op_.reduction == Reduction::maximum) out[*at] = larger(out[*at], acc);
    });
    return out;
  }

private:
  template <typename Work>
  void over(bool chain, std::size_t axis, const Work& work) {
    if (axis == op_.box.size()) return work();
    if (is_chain_axis(op_, axis) != chain) return over(chain, axis + 1, work);
    for (point_[axis] = 0; point_[axis] < op_.box[axis].extent; ++point_[axis]) over(chain, axis + 1, work);
    point_[axis] = 0;
  }

  std::optional<std::size_t> place(const Access& access) const {
    const auto& shape = graph_.at(access.tensor).shape;
    std::int64_t flat = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      std::int64_t at = access.map[d].offset;
      for (std::size_t a = 0; a < point_.size(); ++a) at += access.map[d].coefficients[a] * point_[a];
      if (const std::int32_t from = access.map[d].from; from != not_computed) {
        const Access& index = op_.in[static_cast<std::size_t>(from)];
        const auto element = place(index);
        const float value =
            element ? values_[static_cast<std::size_t>(index.tensor)][*element] : index.outside;
        if (!(value >= -0x1p30f && value <= 0x1p30f)) return std::nullopt;
        at += static_cast<std::int64_t>(std::trunc(value));
      }
      if (at < 0 || at >= shape[d]) return std::nullopt;
      flat = flat * shape[d] + at;
    }
    return static_cast<std::size_t>(flat);
  }

  float combined(float acc) const {
    std::vector<float> arguments;
    for (const Access& access : op_.in) {
      const auto at = place(access);
      arguments.push_back(at ? values_[static_cast<std::size_t>(access.tensor)][*at] : access.outside);
    }
    if (op_.reduction == Reduction::sum && is_product(op_.body)) {
      const ScalarNode& root = op_.body.nodes.back();
      return std::fma(part(root.a, arguments), part(root.b, arguments), acc);
    }
    const float body = evaluate(op_.body, arguments);
    if (op_.reduction == Reduction::none) return body;
    return op_.reduction == Reduction::sum ? acc + body : larger(acc, body);
  }

  float part(std::int32_t root, const std::vector<float>& arguments) const {
    Expression expression = op_.body;
    expression.nodes.resize(static_cast<std::size_t>(root) + 1);
    return evaluate(expression, arguments);
  }

  const Graph& graph_;
  const StructuredOp& op_;
  const std::vector<std::vector<float>>& values_;
  std::vector<std::int64_t> point_;
};

class InterpreterOn : public ::testing::TestWithParam<OpCase> {};

// Forward ops and their gradients, all maps, both kinds of rows.
TEST_P(InterpreterOn, GivesTheBitsOfTheLiteralDefinition) {
  CaseGraph made = build_case(GetParam());
  differentiate(made.graph, made.loss);
  const Graph& graph = made.graph;
  std::vector<std::vector<float>> values;
  for (const Tensor& tensor : graph.tensors) values.push_back(tensor.data);
  for (const StructuredOp& op : graph.ops) {
    const std::vector<float> expected = Literal(graph, op, values).run();
    const std::vector<float> found = interpret(graph, op, values);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(found[k]), std::bit_cast<std::uint32_t>(expected[k]))
          << op.name << "[" << k << "]: " << found[k] << " for " << expected[k];
    }
    values[static_cast<std::size_t>(op.out.tensor)] = expected;
  }
}

INSTANTIATE_TEST_SUITE_P(Builder, InterpreterOn, ::testing::ValuesIn(op_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Interpreter, RoundsOnceWhenAResultIsWritten) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.constant("x", {3}, {1, 0x1p-8f, 0x1p-8f});
  const TensorId sum = b.sum(x);
  graph.at(sum).format = numerics::Format::bf16;
  Interpreter run(graph);
  run.run();
  // bf16 has steps of 2^-7 here: 1 + 2^-8 would round to 1 each time, the sum of all three is exact.
  EXPECT_EQ(run.value(sum)[0], 1 + 0x1p-7f);
}

TEST(Interpreter, RoundsWhatItIsGiven) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {1, 1});
  graph.at(x).format = numerics::Format::bf16;
  Interpreter run(graph);
  run.set(x, std::vector<float>{1 + 0x1p-9f});
  EXPECT_EQ(run.value(x)[0], 1);
}

TEST(Interpreter, ProductsAreSummedByFma) {
  Graph graph;
  Builder b(graph);
  const float a = 1 + 0x1p-12f;
  const TensorId x = b.constant("x", {2}, {-1, a}), y = b.constant("y", {2}, {1 + 0x1p-11f, a});
  const TensorId dot = b.matmul(x, y);
  Interpreter run(graph);
  run.run();
  EXPECT_EQ(run.value(dot)[0], 0x1p-24f);  // a rounded product would give 0
}

TEST(Interpreter, RefusesWhatHasNoValue) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {1, 2});
  b.relu(x);
  Interpreter run(graph);
  EXPECT_THROW(run.run(), UserError);
  EXPECT_THROW(run.set(x, std::vector<float>(3)), UserError);
  EXPECT_THROW(run.value(x), UserError);
}

TEST(Interpreter, UpdateTakesAllNewValuesAtOnce) {
  Graph graph;
  Builder b(graph);
  const TensorId p = b.parameter("p", {1}, {1}), q = b.state("q", {1}, {10});
  graph.update[p] = b.scale(q, 1);
  graph.update[q] = b.scale(p, 1);
  Interpreter run(graph);
  run.run();
  run.update();
  EXPECT_EQ(run.value(p)[0], 10);
  EXPECT_EQ(run.value(q)[0], 1);
}

}  // namespace
}  // namespace dojo::graph
