// Do random training steps whose batch was found compute on several nodes what they mean?
#include <gtest/gtest.h>

#include <cmath>

#include "graph/fuse.h"
#include "graph/interpreter.h"
#include "graph/random_traced_for_tests.h"
#include "graph/spread_batch.h"
#include "lowering/lower.h"
#include "lowering/lowered_interpreter.h"

namespace dojo::lowering {
namespace {

void expect_near(const std::vector<float>& is, const std::vector<float>& should, const std::string& name) {
  ASSERT_EQ(is.size(), should.size()) << name;
  double scale = 1;
  for (const float value : should) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (std::size_t k = 0; k < is.size(); ++k)
    ASSERT_NEAR(is[k], should[k], 1e-4 * scale) << name << " at " << k;
}

// Parameters after the step, and the loss.
void expect_the_same_step(const graph::Graph& graph, unsigned nodes) {
  const Lowered lowered = lower(graph, nodes);
  LoweredInterpreter spread(lowered.program);
  graph::Interpreter whole(graph);
  Tensors persistent, samples;
  std::int64_t batch = 0;
  for (graph::TensorId id = 0; id < static_cast<graph::TensorId>(graph.tensors.size()); ++id) {
    const graph::Tensor& tensor = graph.at(id);
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      persistent[tensor.name] = tensor.data;
    if (tensor.role != graph::Role::input) continue;
    batch = tensor.shape[0];
    Random random(static_cast<std::uint64_t>(id));
    for (std::int64_t k = 0; k < graph::element_count(tensor.shape); ++k)
      samples[tensor.name].push_back(static_cast<float>(random.normal()));
    whole.set(id, samples[tensor.name]);
  }
  spread.set_persistent(persistent);
  spread.run(samples, batch, {});
  whole.run();
  for (const graph::TensorId id : graph.outputs)
    expect_near(spread.results().at(graph.at(id).name), whole.value(id), graph.at(id).name);
  whole.update();
  const Tensors after = spread.persistent();
  for (const auto& [target, value] : graph.update)
    expect_near(after.at(graph.at(target).name), whole.value(target), graph.at(target).name);
}

TEST(SpreadSteps, mean_the_same_on_several_nodes) {
  int steps = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    graph::traced::RandomStep random(seed, 3 + static_cast<std::int64_t>(seed % 4));
    graph::Graph& graph = random.step.graph;
    if (!graph::spread_batch(graph, random.step.samples).refusal.empty()) continue;
    graph::fuse(graph);
    SCOPED_TRACE(seed);
    expect_the_same_step(graph, 2 + static_cast<unsigned>(seed % 3));
    if (HasFatalFailure()) return;
    ++steps;
  }
  EXPECT_GT(steps, 50);
}

}  // namespace
}  // namespace dojo::lowering
