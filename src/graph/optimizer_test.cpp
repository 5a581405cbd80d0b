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

template <typename Options>
Bowl bowl(const Options& options) {
  Bowl made;
  Builder b(made.graph);
  made.parameter = b.parameter("p", {3}, start);
  const TensorId square = b.multiply(made.parameter, made.parameter);
  made.loss = b.sum(b.multiply(square, b.constant("c", {3}, {0.5f, 1.5f, 0.25f})));
  made.graph.outputs = {made.loss};
  differentiate(made.graph, made.loss);
  add_optimizer(made.graph, options);
  fuse(made.graph);
  return made;
}

// Runs `steps` steps and returns the parameter.
template <typename Options>
std::vector<float> descend(const Options& options, int steps, float rate) {
  const Bowl made = bowl(options);
  const TensorId parameter = made.graph.find("p");
  Interpreter run(made.graph);
  for (int step = 1; step <= steps; ++step) {
    for (const auto& [name, value] : optimizer_scalars(options, step, rate)) {
      run.set(made.graph.find(name), std::vector{value});
    }
    run.run();
    run.update();
  }
  return run.value(parameter);
}

TEST(Optimizer, SgdFollowsItsRecurrence) {
  for (const Sgd& options : {Sgd{0.9f, 0}, Sgd{0, 0}, Sgd{0, 0.1f}, Sgd{0.8f, 0.05f}}) {
    const std::vector<float> found = descend(options, 5, 0.1f);
    for (std::size_t k = 0; k < start.size(); ++k) {
      double p = start[k], velocity = 0;
      for (int step = 0; step < 5; ++step) {
        velocity = static_cast<double>(options.momentum) * velocity + curvature[k] * p +
                   static_cast<double>(options.weight_decay) * p;
        p -= static_cast<double>(0.1f) * velocity;
      }
      EXPECT_NEAR(found[k], p, 1e-5) << options.momentum << " " << options.weight_decay;
    }
  }
}

TEST(Optimizer, AdamWFollowsItsRecurrence) {
  for (const float decay : {0.0f, 0.2f}) {
    AdamW options;
    options.weight_decay = decay;
    const std::vector<float> found = descend(options, 7, 0.05f);
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
  for (const float p : descend(Sgd{0.5f, 0}, 200, 0.3f)) EXPECT_NEAR(p, 0, 1e-6);
}

TEST(Optimizer, EveryParameterAndMomentIsReplacedByNameAndShape) {
  const Bowl made = bowl(AdamW{});
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
