#include "graph/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"

namespace dojo::graph {
namespace {

// loss = sum of c * p * p / 2, so the gradient is c * p.
struct Bowl {
  Graph graph;
  TensorId parameter, loss;
};

const std::vector<float> curvature = {1, 3, 0.5f}, start = {1, -2, 4};

Bowl bowl(const Optimizer& optimizer) {
  Bowl made;
  Builder b(made.graph);
  made.parameter = b.parameter("p", {3}, start);
  const TensorId square = b.multiply(made.parameter, made.parameter);
  made.loss = b.sum(b.multiply(square, b.constant("c", {3}, {0.5f, 1.5f, 0.25f})));
  made.graph.outputs = {made.loss};
  differentiate(made.graph, made.loss);
  add_optimizer(made.graph, optimizer);
  fuse(made.graph);
  return made;
}

// Runs `steps` steps and returns the parameter.
std::vector<float> descend(const Optimizer& optimizer, std::uint64_t steps, double rate) {
  const Bowl made = bowl(optimizer);
  const TensorId parameter = made.graph.find("p");
  Interpreter run(made.graph);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (const auto& [name, value] : optimizer_scalars(optimizer, step, rate)) {
      run.set(made.graph.find(name), std::vector{value});
    }
    run.run();
    run.update();
  }
  return run.value(parameter);
}

TEST(Optimizer, SgdFollowsItsRecurrence) {
  for (const auto& [momentum, weight_decay] :
       std::vector<std::pair<float, float>>{{0.9f, 0}, {0, 0}, {0, 0.1f}, {0.8f, 0.05f}}) {
    Optimizer sgd = optimizer_named("sgd");
    sgd.hyper = {.momentum = momentum, .weight_decay = weight_decay};
    const std::vector<float> found = descend(sgd, 5, 0.1);
    for (std::size_t k = 0; k < start.size(); ++k) {
      double p = start[k], velocity = 0;
      for (int step = 0; step < 5; ++step) {
        velocity = static_cast<double>(momentum) * velocity + curvature[k] * p +
                   static_cast<double>(weight_decay) * p;
        p -= 0.1 * velocity;
      }
      EXPECT_NEAR(found[k], p, 1e-5) << momentum << " " << weight_decay;
    }
  }
}

TEST(Optimizer, AdamWFollowsItsRecurrence) {
  for (const float decay : {0.0f, 0.2f}) {
    Optimizer adamw = optimizer_named("adamw");
    adamw.hyper.weight_decay = decay;
    const std::vector<float> found = descend(adamw, 7, 0.05);
    for (std::size_t k = 0; k < start.size(); ++k) {
      double p = start[k], m = 0, v = 0;
      for (int step = 1; step <= 7; ++step) {
        const double g = curvature[k] * p;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        p -= 0.05 * static_cast<double>(decay) * p;
        p -= 0.05 * (m / (1 - std::pow(0.9, step))) / (std::sqrt(v / (1 - std::pow(0.999, step))) + 1e-8);
      }
      EXPECT_NEAR(found[k], p, 2e-5) << decay;
    }
  }
}

TEST(Optimizer, ReachesTheBottom) {
  Optimizer sgd = optimizer_named("sgd");
  sgd.hyper.momentum = 0.5f;
  for (const float p : descend(sgd, 200, 0.3)) EXPECT_NEAR(p, 0, 1e-6);
}

TEST(Optimizer, EveryParameterAndMomentIsReplacedByNameAndShape) {
  const Bowl made = bowl(optimizer_named("adamw"));
  for (const char* name : {"p", "p.moment1", "p.moment2"}) {
    const TensorId id = made.graph.find(name);
    ASSERT_NE(id, no_tensor) << name;
    ASSERT_TRUE(made.graph.update.contains(id)) << name;
    EXPECT_EQ(made.graph.at(made.graph.update.at(id)).name, std::string(name) + ".new");
  }
  EXPECT_EQ(made.graph.update.size(), 3u);
}

}  // namespace
}  // namespace dojo::graph
