// Whether a lowered program computes what its graph means: two steps of both interpreters on random samples.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "graph/interpreter.h"
#include "lowering/lower.h"
#include "lowering/lowered_interpreter.h"

namespace dojo::lowering {

// The largest difference, relative to the tensor's largest magnitude.
inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0, scale = 1e-6;
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    EXPECT_TRUE(std::isfinite(a[k]));
    most = std::max(most, std::abs(static_cast<double>(a[k]) - b[k]));
    scale = std::max(scale, std::abs(static_cast<double>(b[k])));
  }
  return most / scale;
}

inline void expect_meaning(const graph::Graph& graph, const LoweredProgram& program, std::int64_t batch,
                           double bound) {
  LoweredInterpreter nodes(program);
  graph::Interpreter whole(graph);
  Tensors parameters, samples, scalars;
  Random random(7);
  for (graph::TensorId id = 0; id < static_cast<graph::TensorId>(graph.tensors.size()); ++id) {
    const graph::Tensor& tensor = graph.at(id);
    std::size_t elements = 1;
    for (const std::int64_t extent : tensor.shape) elements *= static_cast<std::size_t>(extent);
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;
    if (tensor.role == graph::Role::input || tensor.role == graph::Role::label) {
      std::vector<float>& values = samples[tensor.name];
      for (std::size_t k = 0; k < elements; ++k) values.push_back(static_cast<float>(random.normal()));
      whole.set(id, values);
    }
    if (tensor.role == graph::Role::scalar) {
      scalars[tensor.name] = {0.01f};
      whole.set(id, scalars[tensor.name]);
    }
  }
  nodes.set_persistent(parameters);
  for (int step = 0; step < 2; ++step) {
    nodes.run(samples, batch, scalars);
    whole.run();
    for (const graph::TensorId id : graph.outputs) {
      EXPECT_LT(distance(nodes.results().at(graph.at(id).name), whole.value(id)), bound) << graph.at(id).name;
    }
    whole.update();
    const Tensors after = nodes.persistent();
    for (const auto& [target, value] : graph.update) {
      EXPECT_LT(distance(after.at(graph.at(target).name), whole.value(target)), bound)
          << graph.at(target).name;
      EXPECT_NE(after.at(graph.at(target).name), parameters.at(graph.at(target).name))
          << "nothing was learnt";
    }
  }
}

}  // namespace dojo::lowering
