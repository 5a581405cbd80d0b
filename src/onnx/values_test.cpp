// Values at the edges, by the standard's text: what operators make of NaN and infinity, reductions over
// nothing, numbers that are known at import.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "graph/fuse.h"
#include "graph/interpreter.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

Node node(std::string op, std::vector<std::string> inputs, std::string output,
          std::vector<Attribute> attributes = {}) {
  Node made;
  made.op = std::move(op);
  made.inputs = std::move(inputs);
  made.outputs = {std::move(output)};
  made.attributes = std::move(attributes);
  return made;
}

Attribute integer(std::string name, std::int64_t value) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::integer;
  made.integer = value;
  return made;
}

// One sample x[values.size()] through the nodes, which make y; interpreted as imported and fused.
std::vector<float> run(std::vector<Node> nodes, std::vector<Tensor> initialisers,
                       const std::vector<float>& values) {
  Model model;
  model.ir_version = 8;
  model.opsets[""] = 20;
  model.graph.nodes = std::move(nodes);
  model.graph.initialisers = std::move(initialisers);
  ValueInfo x, y;
  x.name = "x", y.name = "y";
  x.type = y.type = DataType::float32;
  x.shape = {{Dimension{{}, "N"}, Dimension{static_cast<std::int64_t>(values.size()), ""}}};
  model.graph.inputs = {x};
  model.graph.outputs = {y};
  const Network network = import_model(model, "m", {.training = false});
  graph::Graph fused = network.graph;
  fuse(fused);
  std::vector<std::vector<float>> results;
  for (const graph::Graph* graph : {&network.graph, static_cast<const graph::Graph*>(&fused)}) {
    graph::Interpreter interpreter(*graph);
    interpreter.set(network.inputs[0].tensor, values);
    interpreter.run();
    results.push_back(interpreter.value(graph->outputs[0]));
  }
  for (std::size_t i = 0; i < results[0].size(); ++i)
    EXPECT_TRUE(results[0][i] == results[1][i] || (std::isnan(results[0][i]) && std::isnan(results[1][i])));
  return results[0];
}

TEST(OnnxValues, NaNStaysNaN) {
  const std::vector<Tensor> one = {make_tensor("one", {}, std::vector<float>{1})};
  for (const char* op : {"Abs",       "Ceil",       "Celu",      "Elu",         "Erf",
                         "Exp",       "Floor",      "Gelu",      "HardSigmoid", "HardSwish",
                         "LeakyRelu", "Log",        "Mish",      "Neg",         "Reciprocal",
                         "Relu",      "Round",      "Selu",      "Sigmoid",     "Sign",
                         "Softplus",  "Softsign",   "Sqrt",      "Tanh",        "ThresholdedRelu",
                         "Softmax",   "LogSoftmax", "ReduceMax", "ReduceMin",   "ReduceSum",
                         "ReduceMean"})
    for (const float sign : {1.0f, -1.0f}) {
      const std::vector<float> y = run({node(op, {"x"}, "y")}, {}, {std::copysign(unknown, sign), 0.25f});
      EXPECT_TRUE(std::isnan(y[0])) << op;
    }
  for (const char* op : {"Max", "Min", "Add", "Mul", "PRelu", "Clip"}) {
    std::vector<std::vector<std::string>> orders = {{"x", "one"}};
    if (op[0] == 'M') orders.push_back({"one", "x"});
    for (const auto& order : orders)
      EXPECT_TRUE(std::isnan(run({node(op, order, "y")}, one, {unknown, 2})[0])) << op;
  }
  for (const std::string name : {"Elu", "LeakyRelu"}) {
    Attribute alpha;
    alpha.name = "alpha", alpha.type = AttributeType::single, alpha.single = 0;
    EXPECT_TRUE(std::isnan(run({node(name, {"x"}, "y", {alpha})}, {}, {unknown})[0])) << name;
  }
}

TEST(OnnxValues, ComparisonsWithNaNAreFalse) {
  const std::vector<Tensor> zero = {make_tensor("zero", {}, std::vector<float>{0})};
  const std::map<std::string, std::vector<float>> right = {{"Greater", {0, 0, 0, 1}},
                                                           {"GreaterOrEqual", {0, 0, 1, 1}},
                                                           {"Less", {0, 1, 0, 0}},
                                                           {"LessOrEqual", {0, 1, 1, 0}},
                                                           {"Equal", {0, 0, 1, 0}}};
  for (const auto& [op, truth] : right)
    EXPECT_EQ(run({node(op, {"x", "zero"}, "y")}, zero, {unknown, -1, 0, infinity}), truth) << op;
}

TEST(OnnxValues, RoundKeepsInfinity) {
  EXPECT_EQ(run({node("Round", {"x"}, "y")}, {}, {infinity, -infinity, 2.5f, -1.5f, 1e30f, 8388609}),
            (std::vector<float>{infinity, -infinity, 2, -2, 1e30f, 8388609}));
}

TEST(OnnxValues, AReductionOverNothingStillAppliesItsFunction) {
  const auto over_nothing = [](const char* op) {
    return run({node(op, {"x"}, "y", {integer("noop_with_empty_axes", 1)})}, {}, {-2, 3});
  };
  EXPECT_EQ(over_nothing("ReduceL1"), (std::vector<float>{2, 3}));
  EXPECT_EQ(over_nothing("ReduceL2"), (std::vector<float>{2, 3}));
  EXPECT_EQ(over_nothing("ReduceSumSquare"), (std::vector<float>{4, 9}));
  EXPECT_TRUE(std::isnan(over_nothing("ReduceLogSum")[0]));
  EXPECT_FLOAT_EQ(over_nothing("ReduceLogSum")[1], std::log(3.0f));
  for (const char* op : {"ReduceLogSumExp", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"})
    EXPECT_EQ(over_nothing(op), (std::vector<float>{-2, 3})) << op;
}

Tensor of_type(DataType type, std::string name, std::string bytes, std::int64_t count) {
  Tensor made;
  made.name = std::move(name);
  made.type = type;
  made.dims = {count};
  made.data = std::move(bytes);
  return made;
}

TEST(OnnxValues, KnownNumbersAreHeldInTheirType) {
  const auto cast = [](Tensor source, DataType to) {
    return run({node("Cast", {"c"}, "n", {integer("to", static_cast<std::int64_t>(to))}),
                node("Cast", {"n"}, "f", {integer("to", 1)}), node("Mul", {"x", "f"}, "y")},
               {std::move(source)}, {1, 1, 1});
  };
  const auto integers = [](std::vector<std::int64_t> v) { return make_tensor("c", {3}, v); };
  EXPECT_EQ(cast(integers({0, 5, -2}), DataType::boolean), (std::vector<float>{0, 1, 1}));
  EXPECT_EQ(cast(integers({300, -1, 5}), DataType::uint8), (std::vector<float>{44, 255, 5}));
  EXPECT_EQ(cast(integers({128, -129, 5}), DataType::int8), (std::vector<float>{-128, 127, 5}));
  EXPECT_EQ(cast(make_tensor("c", {3}, std::vector<float>{0, 0.5f, unknown}), DataType::boolean),
            (std::vector<float>{0, 1, 1}));
  const auto combined = [](const char* op, Tensor a, Tensor b) {
    return run({node(op, {"a", "b"}, "n"), node("Cast", {"n"}, "f", {integer("to", 1)}),
                node("Mul", {"x", "f"}, "y")},
               {std::move(a), std::move(b)}, {1})[0];
  };
  EXPECT_EQ(combined("Add", of_type(DataType::int32, "a", "\xff\xff\xff\x7f", 1),
                     of_type(DataType::int32, "b", std::string("\1\0\0\0", 4), 1)),
            -2147483648.0f);
  EXPECT_EQ(combined("Sub", of_type(DataType::uint8, "a", "\3", 1), of_type(DataType::uint8, "b", "\5", 1)),
            254);
}

}  // namespace
}  // namespace dojo::onnx
