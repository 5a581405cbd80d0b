// Recurrent layers against plain loops by the standard's equations, in double: gates, directions, layouts,
// lengths, peepholes and clips. (The reference evaluator ignores sequence_lens and clip.)
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/for_tests.h"
#include "onnx/one_node_for_tests.h"

namespace dojo::onnx::recurrent_layers {  // names of its own
namespace {

constexpr std::size_t turns = 4, samples = 3, width = 2, hidden = 2;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Layer {
  std::string op;
  std::size_t gates = 1;
  std::vector<Operand> operands;  // X, W, R, B, sequence_lens
  bool after_reset = false, reverse = false;
  double clip = 0;

  double at(std::size_t operand, std::size_t index) const {
    return static_cast<double>(operands[operand].values[index]);
  }
  // W x + b of one gate, or R h + b.
  double of_input(std::size_t t, std::size_t n, std::size_t row) const {
    double sum = at(3, row);
    for (std::size_t i = 0; i < width; ++i)
      sum += at(1, row * width + i) * at(0, (t * samples + n) * width + i);
    return sum;
  }
  double of_state(const std::vector<double>& h, std::size_t row) const {
    double sum = at(3, gates * hidden + row);
    for (std::size_t j = 0; j < hidden; ++j) sum += at(2, row * hidden + j) * h[j];
    return sum;
  }
  double held(double x) const { return clip > 0 ? std::clamp(x, -clip, clip) : x; }

  void turn(std::size_t t, std::size_t n, std::vector<double>& h, std::vector<double>& c) const {
    const std::vector<double> old = h;
    const auto sum = [&](std::size_t gate, std::size_t j) {
      return of_input(t, n, gate * hidden + j) + of_state(old, gate * hidden + j);
    };
    std::vector<double> reset(hidden);
    if (op == "GRU")
      for (std::size_t j = 0; j < hidden; ++j) reset[j] = sigmoid(held(sum(1, j))) * old[j];
    for (std::size_t j = 0; j < hidden; ++j) {
      if (op == "RNN") h[j] = std::tanh(held(sum(0, j)));
      if (op == "GRU") {
        const std::size_t row = 2 * hidden + j;
        const double inner =
            after_reset ? sigmoid(held(sum(1, j))) * of_state(old, row) : of_state(reset, row);
        const double candidate = std::tanh(held(of_input(t, n, row) + inner)), z = sigmoid(held(sum(0, j)));
        h[j] = (1 - z) * candidate + z * old[j];
      }
      if (op == "LSTM") {
        const double i = sigmoid(held(sum(0, j) + at(5, j) * c[j])),
                     f = sigmoid(held(sum(2, j) + at(5, 2 * hidden + j) * c[j]));
        c[j] = f * c[j] + i * std::tanh(held(sum(3, j)));
        h[j] = sigmoid(held(sum(1, j) + at(5, hidden + j) * c[j])) * std::tanh(held(c[j]));
      }
    }
  }

  // Y [turns, 1, samples, hidden], then the last states.
  std::vector<std::vector<double>> results() const {
    std::vector<double> y(turns * samples * hidden), last, cells;
    for (std::size_t n = 0; n < samples; ++n) {
      std::vector<double> h(hidden), c(hidden);
      const auto length = static_cast<std::size_t>(operands[4].values[n]);
      for (std::size_t k = 0; k < length; ++k) {
        const std::size_t t = reverse ? length - 1 - k : k;
        turn(t, n, h, c);
        std::ranges::copy(h, y.begin() + static_cast<std::ptrdiff_t>((t * samples + n) * hidden));
      }
      last.insert(last.end(), h.begin(), h.end()), cells.insert(cells.end(), c.begin(), c.end());
    }
    return {y, last, cells};
  }
};

Layer layer_of(std::string op, std::size_t gates) {
  Layer layer{std::move(op), gates, {}};
  const auto extent = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  const std::size_t rows = gates * hidden;
  layer.operands = {
      {"X",
       {extent(turns), extent(samples), extent(width)},
       scattered_numbers(turns * samples * width, -2, 2)},
      {"W",
       {1, extent(rows), extent(width)},
       scattered_numbers(rows * width, -1, 1, 1),
       DataType::float32,
       true},
      {"R",
       {1, extent(rows), extent(hidden)},
       scattered_numbers(rows * hidden, -1, 1, 2),
       DataType::float32,
       true},
      {"B", {1, extent(2 * rows)}, scattered_numbers(2 * rows, -1, 1, 3), DataType::float32, true},
      {"L", {extent(samples)}, {4, 2, 3}, DataType::int32}};
  if (layer.op == "LSTM")
    layer.operands.push_back(
        {"P", {1, extent(3 * hidden)}, scattered_numbers(3 * hidden, -1, 1, 4), DataType::float32, true});
  return layer;
}

OneNode node_of(const Layer& layer) {
  OneNode one{node(layer.op, "layer", {"X", "W", "R", "B", "L"}, {"Y", "H"}), layer.operands};
  if (layer.op == "LSTM")
    one.node.inputs = {"X", "W", "R", "B", "L", "", "", "P"}, one.node.outputs.emplace_back("C");
  one.node.attributes = {whole("hidden_size", hidden)};
  if (layer.after_reset) one.node.attributes.push_back(whole("linear_before_reset", 1));
  if (layer.reverse) one.node.attributes.push_back(words("direction", "reverse"));
  if (layer.clip > 0) {
    Attribute clip;
    clip.name = "clip", clip.type = AttributeType::single, clip.single = static_cast<float>(layer.clip);
    one.node.attributes.push_back(clip);
  }
  return one;
}

void expect_equations(const Layer& layer) {
  const auto expected = layer.results();
  const auto got = node_of(layer).results();
  ASSERT_EQ(got.size(), layer.op == "LSTM" ? 3u : 2u);
  for (std::size_t k = 0; k < got.size(); ++k)
    for (std::size_t i = 0; i < got[k].size(); ++i)
      EXPECT_NEAR(static_cast<double>(got[k][i]), expected[k][i], 1e-5)
          << layer.op << " result " << k << "[" << i << "]";
}

TEST(Recurrent, LayersFollowTheStandardsEquationsToEachSamplesOwnEnd) {
  for (const auto& [op, gates] :
       std::vector<std::pair<std::string, std::size_t>>{{"RNN", 1}, {"GRU", 3}, {"LSTM", 4}})
    for (const bool reverse : {false, true})
      for (const bool after_reset : {false, true}) {
        Layer layer = layer_of(op, gates);
        layer.reverse = reverse, layer.after_reset = after_reset && op == "GRU";
        expect_equations(layer);
      }
}

TEST(Recurrent, WhatActivationsReadIsHeldByTheClip) {
  Layer layer = layer_of("LSTM", 4);
  layer.clip = 0.5;
  expect_equations(layer);
}

TEST(Recurrent, GradientsAreThoseOfTheLoss) {
  for (const auto& [op, gates] :
       std::vector<std::pair<std::string, std::size_t>>{{"RNN", 1}, {"GRU", 3}, {"LSTM", 4}}) {
    OneNode one = node_of(layer_of(op, gates));
    one.operands[0].is_known = true;
    expect_gradients(one);
  }
}

// As PyTorch exports a layer with batch_first: the batch moves to dimension 1 and back, which costs nothing.
TEST(Recurrent, TheBatchMayStandInDimensionOne) {
  Layer layer = layer_of("LSTM", 4);
  OneNode one = node_of(layer);
  one.node.inputs = {"XT", "W", "R", "B"}, one.node.outputs = {"Y", "", ""};
  Model model;
  model.opsets[""] = 22;
  Node in = node("Transpose", "in", {"X"}, {"XT"}), last = node("Transpose", "last", {"Y"}, {"Z"});
  in.attributes = {wholes("perm", {1, 0, 2})}, last.attributes = {wholes("perm", {2, 0, 1, 3})};
  model.graph.nodes = {in, one.node, last};
  for (std::size_t i = 1; i < 4; ++i)
    model.graph.initialisers.push_back(make_tensor(layer.operands[i].name, layer.operands[i].shape,
                                                   std::span<const float>(layer.operands[i].values)));
  model.graph.inputs = {value("X", {Dimension{{}, "N"}, Dimension{4, ""}, Dimension{2, ""}})};
  model.graph.outputs = {value("Z", {})};
  const Network network = import_model(model, "m", {.batch = samples, .training = true});
  EXPECT_TRUE(network.graph.at(network.outputs[0].tensor).has_batch);
  std::vector<float> turned(layer.operands[0].values.size());
  for (std::size_t t = 0; t < turns; ++t)
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t i = 0; i < width; ++i)
        turned[(n * turns + t) * width + i] = layer.operands[0].values[(t * samples + n) * width + i];
  graph::Interpreter interpreter(network.graph);
  interpreter.set(network.inputs[0].tensor, turned);
  interpreter.run();
  layer.operands[4].values.assign(samples, turns), layer.operands[5].values.assign(3 * hidden, 0);
  const auto expected = layer.results()[0];
  const auto& got = interpreter.value(network.outputs[0].tensor);
  for (std::size_t t = 0; t < turns; ++t)
    for (std::size_t n = 0; n < samples; ++n)
      for (std::size_t j = 0; j < hidden; ++j)
        EXPECT_NEAR(static_cast<double>(got[(n * turns + t) * hidden + j]),
                    expected[(t * samples + n) * hidden + j], 1e-5);
}

TEST(Recurrent, SaysWhatDoesNotFit) {
  OneNode one = node_of(layer_of("GRU", 3));
  one.node.attributes.push_back(words("direction", "sideways"));
  EXPECT_EQ(message_of([&] { one.network(); }), "m: node 'layer' (GRU): direction = 'sideways'");
  one.node.attributes.back() = words("direction", "bidirectional");
  EXPECT_NE(message_of([&] { one.network(); }).find("for 2 directions of 2"), std::string::npos);
}

}  // namespace
}  // namespace dojo::onnx::recurrent_layers
