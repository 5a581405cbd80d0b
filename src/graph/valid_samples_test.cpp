// Does a program for N samples give for fewer the bits of one that was made for them?
#include "graph/valid_samples.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>

#include "base/random.h"
#include "graph/interpreter.h"
#include "graph/spread_batch.h"
#include "graph/traced_networks_for_tests.h"

namespace dojo::graph {
namespace {

using traced::Traced;

// Of zeros the logarithm is infinite, its gradient NaN, and the largest one is not below 0.
void with_logarithms(Traced& t) {
  Builder& b = t.make;
  const TensorId x = b.name("positive").unary(Scalar::absolute, t.input("x", {t.n, 5}));
  const TensorId w = b.parameter("w", {5, 3}, std::vector<float>(15, 1));
  const TensorId y = b.name("y").unary(Scalar::log, b.scale(b.matmul(x, w), 0.01f));
  const TensorId loss = b.name("loss").sum(b.multiply(y, y));
  differentiate(t.graph, loss);
  t.graph.update[w] = b.name("next").subtract(w, b.scale(t.graph.gradient.at(w), 0.01f));
  t.graph.outputs = {loss, b.name("largest").maximum(y, {0}),
                     b.name("count").sum(b.binary(Scalar::equal, x, x), {0})};
}

struct Results {
  std::vector<std::vector<std::uint32_t>> bits;  // of outputs, then of updates
  Graph graph;
};

// The network for `capacity` samples, of which the first `count` are given and the others left out.
Results results_of(const std::function<void(Traced&)>& build, std::int64_t capacity, std::int64_t count) {
  Traced t(capacity);
  build(t);
  if (count < capacity) t.input("valid", {capacity});
  Graph graph = t.graph;
  EXPECT_EQ(spread_batch(graph, t.samples).refusal, "");
  if (count < capacity) leave_samples_out(graph, graph.find("valid"));
  Interpreter run(graph);
  for (const std::string& name : t.samples) {
    const Tensor& tensor = graph.at(graph.find(name));
    std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)), 0);
    Random random(static_cast<std::uint64_t>(name[0]));
    const std::size_t given =
        values.size() / static_cast<std::size_t>(capacity) * static_cast<std::size_t>(count);
    for (std::size_t k = 0; k < given; ++k)
      values[k] = name == "valid" ? 1 : static_cast<float>(random.normal());
    run.set(graph.find(name), values);
  }
  run.run();
  Results results;
  const auto keep = [&](TensorId id) {
    results.bits.emplace_back();
    for (const float value : run.value(id))
      results.bits.back().push_back(std::bit_cast<std::uint32_t>(value));
  };
  for (const TensorId id : graph.outputs) keep(id);
  for (const auto& [from, to] : graph.update) keep(to);
  results.graph = graph;
  return results;
}

TEST(ValidSamples, sums_and_maxima_are_over_those_that_count) {
  for (const auto& build : {&with_logarithms, &traced::clipped}) {
    const Results alone = results_of(build, 3, 3);
    for (const std::int64_t capacity : {4, 7}) EXPECT_EQ(results_of(build, capacity, 3).bits, alone.bits);
  }
}

TEST(ValidSamples, a_contraction_over_the_batch_stays_a_product) {
  const Graph graph = results_of(&with_logarithms, 4, 3).graph;
  int products = 0;
  for (const StructuredOp& op : graph.ops)
    products += op.reduction == Reduction::sum && is_product(op.body) && !graph.at(op.out.tensor).has_batch;
  EXPECT_EQ(products, 1);  // the gradient of w
}

}  // namespace
}  // namespace dojo::graph
