// Values whose batch lies elsewhere than in dimension 0, as exporters write attention.
#include "onnx/view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

constexpr std::int64_t batch = 3, tokens = 4, heads = 2, depth = 3, width = heads * depth;

Node named(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  Node made;
  made.op = std::move(op);
  made.inputs = std::move(inputs);
  made.outputs = std::move(outputs);
  made.name = made.outputs[0];
  return made;
}

Node with(Node made, const std::string& name, std::vector<std::int64_t> integers) {
  Attribute attribute;
  attribute.name = name;
  attribute.type = AttributeType::integers;
  attribute.integers = std::move(integers);
  made.attributes.push_back(std::move(attribute));
  return made;
}

Node with(Node made, const std::string& name, std::int64_t integer) {
  Attribute attribute;
  attribute.name = name;
  attribute.type = AttributeType::integer;
  attribute.integer = integer;
  made.attributes.push_back(std::move(attribute));
  return made;
}

Node transposed(const std::string& from, const std::string& to, std::vector<std::int64_t> order) {
  return with(named("Transpose", {from}, {to}), "perm", std::move(order));
}

ValueInfo value(std::string name, std::vector<std::int64_t> sample) {
  ValueInfo made;
  made.name = std::move(name);
  made.type = DataType::float32;
  made.shape.emplace(1, Dimension{{}, "N"});
  for (const std::int64_t extent : sample) made.shape->push_back(Dimension{extent, ""});
  return made;
}

std::vector<float> drawn(std::size_t count, std::uint64_t stream) {
  Random random(1, stream);
  std::vector<float> values(count);
  for (float& v : values) v = static_cast<float>(random.uniform(-1, 1));
  return values;
}

const std::vector<float> w_in = drawn(width * 3 * width, 1), b_in = drawn(3 * width, 2),
                         w_out = drawn(width * width, 3), b_out = drawn(width, 4);

// Attention as PyTorch exports nn.MultiheadAttention with batch_first: [b, n, e] goes to [n, b, e], its heads
// to [b * h, n, d], and the result comes back by way of [n * b, e].
Model attention() {
  Model model;
  model.ir_version = 8;
  model.opsets[""] = 17;
  auto& nodes = model.graph.nodes;
  nodes = {transposed("x", "t", {1, 0, 2}),
           named("MatMul", {"t", "w_in"}, {"m"}),
           named("Add", {"m", "b_in"}, {"a"}),
           named("Reshape", {"a", "parts"}, {"a4"}),
           named("Unsqueeze", {"a4", "first"}, {"a5"}),
           transposed("a5", "p5", {3, 1, 2, 0, 4}),
           named("Squeeze", {"p5", "third"}, {"p4"})};
  for (const std::string part : {"0", "1", "2"}) {
    nodes.push_back(named("Gather", {"p4", "index" + part}, {"g" + part}));
    nodes.push_back(named("Reshape", {"g" + part, "by_head"}, {"h" + part}));
    nodes.push_back(transposed("h" + part, "q" + part, {1, 0, 2}));
    const std::vector<std::int64_t> index = {part[0] - '0'};
    model.graph.initialisers.push_back(make_tensor("index" + part, {}, index));
  }
  nodes.push_back(transposed("q1", "k", {0, 2, 1}));
  nodes.push_back(named("MatMul", {"q0", "k"}, {"scores"}));
  nodes.push_back(named("Mul", {"scores", "half"}, {"scaled"}));
  nodes.push_back(with(named("Softmax", {"scaled"}, {"s"}), "axis", -1));
  nodes.push_back(named("MatMul", {"s", "q2"}, {"o"}));
  nodes.push_back(transposed("o", "ot", {1, 0, 2}));
  nodes.push_back(named("Reshape", {"ot", "rows"}, {"r"}));
  nodes.push_back(with(named("Gemm", {"r", "w_out", "b_out"}, {"z"}), "transB", 1));
  nodes.push_back(named("Reshape", {"z", "back"}, {"zr"}));
  nodes.push_back(transposed("zr", "zt", {1, 0, 2}));
  nodes.push_back(named("Add", {"zt", "x"}, {"y"}));
  const auto integers = [&](const std::string& name, const std::vector<std::int64_t>& values) {
    model.graph.initialisers.push_back(make_tensor(name, {static_cast<std::int64_t>(values.size())}, values));
  };
  integers("parts", {tokens, -1, 3, width});
  integers("first", {0});
  integers("third", {-2});
  integers("by_head", {tokens, -1, depth});
  integers("rows", {-1, width});
  integers("back", {tokens, -1, width});
  const std::vector<float> half = {0.5f};
  for (Tensor tensor : {make_tensor("half", {}, half), make_tensor("w_in", {width, 3 * width}, w_in),
                        make_tensor("b_in", {3 * width}, b_in), make_tensor("w_out", {width, width}, w_out),
                        make_tensor("b_out", {width}, b_out)})
    model.graph.initialisers.push_back(std::move(tensor));
  model.graph.inputs = {value("x", {tokens, width})};
  model.graph.outputs = {value("y", {tokens, width})};
  return model;
}

// The same in plain loops, for one sample.
std::vector<double> attended(const float* x) {
  std::vector<double> qkv(tokens * 3 * width), mixed(tokens * width), y(tokens * width);
  for (std::int64_t n = 0; n < tokens; ++n)
    for (std::int64_t j = 0; j < 3 * width; ++j) {
      double sum = b_in[static_cast<std::size_t>(j)];
      for (std::int64_t k = 0; k < width; ++k)
        sum += double{x[n * width + k]} * double{w_in[static_cast<std::size_t>(k * 3 * width + j)]};
      qkv[static_cast<std::size_t>(n * 3 * width + j)] = sum;
    }
  const auto part = [&](std::int64_t which, std::int64_t n, std::int64_t h, std::int64_t d) {
    return qkv[static_cast<std::size_t>(n * 3 * width + which * width + h * depth + d)];
  };
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t n = 0; n < tokens; ++n) {
      std::vector<double> weight(tokens);
      double total = 0;
      for (std::int64_t m = 0; m < tokens; ++m) {
        double score = 0;
        for (std::int64_t d = 0; d < depth; ++d) score += part(0, n, h, d) * part(1, m, h, d);
        total += weight[static_cast<std::size_t>(m)] = std::exp(0.5 * score);
      }
      for (std::int64_t d = 0; d < depth; ++d)
        for (std::int64_t m = 0; m < tokens; ++m)
          mixed[static_cast<std::size_t>(n * width + h * depth + d)] +=
              weight[static_cast<std::size_t>(m)] / total * part(2, m, h, d);
    }
  for (std::int64_t n = 0; n < tokens; ++n)
    for (std::int64_t j = 0; j < width; ++j) {
      double sum = double{b_out[static_cast<std::size_t>(j)]} + double{x[n * width + j]};
      for (std::int64_t k = 0; k < width; ++k)
        sum += mixed[static_cast<std::size_t>(n * width + k)] *
               double{w_out[static_cast<std::size_t>(j * width + k)]};
      y[static_cast<std::size_t>(n * width + j)] = sum;
    }
  return y;
}

TEST(OnnxView, AttentionWithTheBatchAmongItsHeadsIsThatOfPlainLoops) {
  const Network network = import_model(attention(), "attention", {.batch = batch});
  const std::vector<float> x = drawn(batch * tokens * width, 5);
  graph::Interpreter run(network.graph);
  run.set(network.inputs[0].tensor, x);
  run.run();
  const std::vector<float>& y = run.value(network.outputs[0].tensor);
  ASSERT_EQ(y.size(), x.size());
  for (std::size_t n = 0; n < batch; ++n) {
    const std::vector<double> expected = attended(x.data() + n * tokens * width);
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(double{y[n * tokens * width + k]}, expected[k], 1e-5) << n << ", " << k;
  }
}

TEST(OnnxView, ItsGradientsAreTheSlopesOfTheLoss) {
  Network network = import_model(attention(), "attention", {.batch = batch});
  const Losses losses = add_losses(network);
  graph::Graph& graph = network.graph;
  differentiate(graph, losses.total);
  EXPECT_EQ(graph.gradient.size(), 4u);
  graph::Interpreter run(graph);
  run.set(network.inputs[0].tensor, drawn(batch * tokens * width, 5));
  run.set(losses.labels[0], drawn(batch * tokens * width, 6));
  run.run();
  std::map<graph::TensorId, std::vector<float>> gradients;
  for (const auto& [parameter, gradient] : graph.gradient) gradients[parameter] = run.value(gradient);
  for (const auto& [parameter, gradient] : gradients) {
    const std::vector<float> values = graph.at(parameter).data;
    for (std::size_t k = 0; k < values.size(); k += 5) {
      const auto loss_at = [&](float step) {
        std::vector<float> moved = values;
        moved[k] += step;
        run.set(parameter, moved);
        run.run();
        return double{run.value(losses.total)[0]};
      };
      const double slope = (loss_at(0.01f) - loss_at(-0.01f)) / 0.02;
      EXPECT_NEAR(double{gradient[k]}, slope, 2e-3) << graph.at(parameter).name << "[" << k << "]";
    }
    run.set(parameter, values);
  }
}

TEST(OnnxView, AnOutputWhoseBatchLiesElsewhereIsRefused) {
  Model model = attention();
  model.graph.outputs = {value("zr", {batch, width})};
  try {
    import_model(model, "attention", {.batch = batch});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("moving the batch away from dimension 0"), std::string::npos)
        << error.what();
  }
}

TEST(OnnxView, ABatchIsFoundInWhateverDimensionAReshapePutsIt) {
  // [5, b, 6] for b = 7, to [5 * b, 2, 3], [5, b * 2, 3], and [5, b * 6]; even to [5 * b * 6], but not to [b,
  // 30].
  const View view{1, 1, 1};
  EXPECT_EQ(reshaped(view, {5, 7, 6}, {35, 2, 3}, 7), (View{0, 5, 1}));
  EXPECT_EQ(reshaped(view, {5, 7, 6}, {5, 14, 3}, 7), (View{1, 1, 2}));
  EXPECT_EQ(reshaped(view, {5, 7, 6}, {5, 42}, 7), (View{1, 1, 6}));
  EXPECT_EQ(reshaped(view, {5, 7, 6}, {7, 30}, 7), std::nullopt);
  EXPECT_EQ(reshaped(view, {5, 7, 6}, {210}, 7), (View{0, 5, 6}));
  EXPECT_EQ(tensor_shape({0, 5, 6}, {210}, 7), (graph::Shape{7, 5, 6}));
  EXPECT_EQ(value_shape({0, 5, 6}, {7, 5, 6}), (graph::Shape{210}));
}

}  // namespace
}  // namespace dojo::onnx
