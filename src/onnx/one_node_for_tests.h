// A network of one node whose inputs are tensors without a batch, in a few lines, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {

struct Operand {
  std::string name;
  graph::Shape shape;
  std::vector<float> values;
  DataType type = DataType::float32;
  bool is_known = false;  // an initialiser; whole numbers all are
};

inline Attribute whole(std::string name, std::int64_t value) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::integer;
  made.integer = value;
  return made;
}
inline Attribute wholes(std::string name, std::vector<std::int64_t> values) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::integers;
  made.integers = std::move(values);
  return made;
}
inline Attribute words(std::string name, std::string value) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::string;
  made.string = std::move(value);
  return made;
}
inline Attribute inside(std::string name, GraphFile graph) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::graph;
  made.graph = std::make_shared<const GraphFile>(std::move(graph));
  return made;
}

// Small numbers that follow no pattern: a fraction of the square of their place.
inline std::vector<float> scattered_numbers(std::size_t count, float low, float high, int salt = 0) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double x =
        static_cast<double>(i + 1) * 0.6180339887 * static_cast<double>(i + 3 + 7 * salt) + 0.37 * salt;
    values.push_back(low + (high - low) * static_cast<float>(x - std::floor(x)));
  }
  return values;
}

struct OneNode {
  Node node;
  std::vector<Operand> operands;
  std::int64_t opset = 22;

  Model model() const {
    Model model;
    model.ir_version = 10;
    model.opsets[""] = opset;
    model.opsets[node.domain] = node.domain.empty() ? opset : 1;
    model.graph.nodes = {node};
    for (const Operand& operand : operands) {
      ValueInfo info;
      info.name = operand.name, info.type = operand.type, info.shape.emplace();
      for (const std::int64_t extent : operand.shape) info.shape->push_back({extent, ""});
      model.graph.inputs.push_back(info);
    }
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      ValueInfo info;
      info.name = output, info.type = DataType::float32;
      model.graph.outputs.push_back(info);
    }
    return model;
  }

  Network network() const {
    ImportOptions options{.training = false};
    for (const Operand& operand : operands) {
      if (!operand.is_known && is_floating(operand.type)) {
        options.whole[operand.name] = operand.shape;
        continue;
      }
      std::vector<std::int64_t> numbers(operand.values.begin(), operand.values.end());
      options.given[operand.name] =
          is_floating(operand.type)
              ? make_tensor(operand.name, operand.shape, std::span<const float>(operand.values))
              : make_tensor(operand.name, operand.shape, std::span<const std::int64_t>(numbers));
    }
    return import_model(model(), "m", options);
  }

  // Of every output, as imported and fused: the same.
  std::vector<std::vector<float>> results() const {
    const Network network = this->network();
    graph::Graph fused = network.graph;
    fuse(fused);
    std::vector<std::vector<float>> first;
    for (const graph::Graph* graph : {&network.graph, static_cast<const graph::Graph*>(&fused)}) {
      graph::Interpreter interpreter(*graph);
      for (const Operand& operand : operands)
        if (const auto id = graph->find(operand.name);
            id != graph::no_tensor && graph->at(id).role == graph::Role::input)
          interpreter.set(id, operand.values);
      interpreter.run();
      std::vector<std::vector<float>> made;
      for (const graph::TensorId output : graph->outputs) made.push_back(interpreter.value(output));
      if (first.empty())
        first = made;
      else if (made != first)
        return {};
    }
    return first;
  }
};

// Of a sum of all results, each with a weight of its own, by every operand that is a known floating-point
// one: against central differences of two steps, so that their error falls with the fourth power of the step.
inline void expect_gradients(const OneNode& one) {
  Network network = one.network();
  graph::Builder build(network.graph);
  graph::TensorId loss = graph::no_tensor;
  for (const graph::TensorId output : network.graph.outputs) {
    const graph::Shape shape = build.shape(output);
    const graph::TensorId weights =
        build.constant(build.fresh_tensor_name("weights"), shape,
                       scattered_numbers(static_cast<std::size_t>(graph::element_count(shape)), -1, 1, 3));
    const graph::TensorId part = build.sum(build.multiply(output, weights));
    loss = loss == graph::no_tensor ? part : build.add(loss, part);
  }
  const graph::Graph forward = network.graph;
  graph::differentiate(network.graph, loss);
  graph::Interpreter exact(network.graph), run(forward);
  for (graph::Interpreter* one_of : {&exact, &run})
    for (const Operand& operand : one.operands)
      if (const auto id = forward.find(operand.name);
          id != graph::no_tensor && forward.at(id).role == graph::Role::input)
        one_of->set(id, operand.values);
  exact.run();
  std::size_t checked = 0;
  for (const Operand& operand : one.operands) {
    const graph::TensorId id = forward.find(operand.name);
    if (id == graph::no_tensor || forward.at(id).role != graph::Role::parameter) continue;
    ASSERT_TRUE(network.graph.gradient.contains(id)) << operand.name;
    for (std::size_t k = 0; k < operand.values.size(); ++k) {
      const auto loss_at = [&](double step) {
        std::vector<float> moved = operand.values;
        moved[k] = static_cast<float>(moved[k] + step);
        run.set(id, moved);
        run.run();
        return std::pair(static_cast<double>(run.value(loss)[0]), static_cast<double>(moved[k]));
      };
      const auto slope = [&](double step) {
        const auto [above, at_above] = loss_at(step);
        const auto [below, at_below] = loss_at(-step);
        return (above - below) / (at_above - at_below);
      };
      constexpr double h = 0.02;
      const double expected = (4 * slope(h) - slope(2 * h)) / 3;
      EXPECT_NEAR(static_cast<double>(exact.value(network.graph.gradient.at(id))[k]), expected,
                  2e-3 + 2e-3 * std::fabs(expected))
          << operand.name << "[" << k << "]";
      ++checked;
    }
    run.set(id, operand.values);
  }
  EXPECT_GT(checked, 0u);
}

}  // namespace dojo::onnx
