// Does a graph whose batch was found compute the bits that it computed before, and is every other one refused
// by name?
#include "graph/spread_batch.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "graph/interpreter.h"
#include "graph/traced_networks_for_tests.h"

namespace dojo::graph {
namespace {

using traced::Traced;

constexpr std::int64_t N = 4;

void feed(Interpreter& run, const Graph& graph) {
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.role != Role::input && tensor.role != Role::label && tensor.role != Role::scalar) continue;
    Random random(id);
    std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)));
    for (float& value : values) value = static_cast<float>(random.normal());
    run.set(static_cast<TensorId>(id), values);
  }
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float value : values) result.push_back(std::bit_cast<std::uint32_t>(value));
  return result;
}

// Every output of `before` has the same bits in `after`.
void expect_same_bits(const Graph& before, const Graph& after, const SpreadBatch& spread) {
  Interpreter whole(before), samples(after);
  feed(whole, before);
  feed(samples, after);
  whole.run();
  samples.run();
  for (const TensorId id : before.outputs) {
    const std::string& name = before.at(id).name;
    const std::vector<float>& values = samples.value(after.find(name));
    const auto moved = spread.moved.find(name);
    EXPECT_EQ(bits(moved == spread.moved.end() ? values : in_former_order(values, moved->second)),
              bits(whole.value(id)))
        << name << "\n"
        << to_text(after);
  }
}

// --- What is spread ---
class SpreadBatchOf : public testing::TestWithParam<traced::Network> {};

TEST_P(SpreadBatchOf, keeps_the_bits_of_every_tensor) {
  Traced traced(N);
  GetParam().build(traced);
  traced.graph.outputs.clear();
  for (const StructuredOp& op : traced.graph.ops) traced.graph.outputs.push_back(op.out.tensor);
  Graph graph = traced.graph;
  const SpreadBatch spread = spread_batch(graph, traced.samples);
  ASSERT_EQ(spread.refusal, "");
  expect_same_bits(traced.graph, graph, spread);
}

// What depends on a sample has the batch; a weight's gradient has not.
TEST_P(SpreadBatchOf, gives_the_batch_to_all_that_is_of_samples) {
  Traced traced(N);
  GetParam().build(traced);
  Graph graph = traced.graph;
  ASSERT_EQ(spread_batch(graph, traced.samples).refusal, "");
  for (const auto& [parameter, gradient] : graph.gradient) {
    EXPECT_FALSE(graph.at(gradient).has_batch);
    EXPECT_EQ(graph.at(gradient).shape, graph.at(parameter).shape);
  }
  for (const StructuredOp& op : graph.ops) {
    const auto inputs = inputs_of(op);
    const bool of_samples =
        std::any_of(inputs.begin(), inputs.end(), [&](TensorId id) { return graph.at(id).has_batch; });
    const auto batch =
        std::find_if(op.box.begin(), op.box.end(), [](const Axis& axis) { return axis.is_batch; });
    EXPECT_EQ(batch != op.box.end(), of_samples) << op.name;
    if (batch == op.box.end()) continue;
    EXPECT_EQ(
        graph.at(op.out.tensor).has_batch,
        !is_chain_axis(op, static_cast<std::size_t>(batch - op.box.begin())) && !has_computed_index(op.out))
        << op.name;
  }
}

INSTANTIATE_TEST_SUITE_P(, SpreadBatchOf, testing::ValuesIn(traced::networks),
                         [](const auto& tested) { return tested.param.name; });

// The samples are last, merged with the places before them: an axis of 3 * N points becomes two.
TEST(SpreadBatch, takes_merged_dimensions_apart) {
  Traced t(N);
  const TensorId turned = t.make.name("turned").transpose(t.input("x", {N, 3, 2}), {1, 0, 2});
  const TensorId rows = t.make.name("rows").reshape(turned, {3 * N, 2});
  t.graph.outputs = {t.make.name("out").tanh(rows)};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_EQ(to_text(graph),
            "graph traced\n"
            "  input x *[4, 3, 2] fp32\n"
            "  turned: (d1:3 d0*:4 d2:2) turned[d0, d1, d2] = x[d0, d1, d2]\n"
            "  rows: (f0:3 f1*:4 f2:2) rows[f1, f0, f2] = turned[f1, f0, f2]\n"
            "  out: (d0_outer:3 d0_sample*:4 d1:2) out[d0_sample, d0_outer, d1] = tanh(rows[d0_sample, "
            "d0_outer, d1])\n"
            "  output out\n");
  expect_same_bits(t.graph, graph, spread);
}

// --- What is refused ---
struct Refused {
  const char* why;
  std::function<TensorId(Traced&)> build;
};

TEST(SpreadBatch, says_what_relates_samples_to_each_other) {
  const auto x = [](Traced& t) { return t.input("x", {N, 3}); };
  const std::vector<Refused> cases = {
      {"all_pairs: relates samples of 'x' to others of 'x'",
       [&](Traced& t) {
         const TensorId z = x(t);
         return t.make.name("all_pairs").matmul(z, z, false, true);
       }},
      {"first: reads 'x' other than sample by sample",
       [&](Traced& t) { return t.make.name("first").slice(x(t), 0, 0, 1); }},
      {"half: reads 'x' other than sample by sample",
       [&](Traced& t) { return t.make.name("half").slice(x(t), 0, 0, N, 2); }},
      {"back: reads 'x' other than sample by sample",
       [&](Traced& t) { return t.make.name("back").slice(x(t), 0, -1, -N - 1, -1); }},
      {"mixed: reads 'merged' other than sample by sample",
       [&](Traced& t) {
         const TensorId merged = t.make.name("merged").reshape(x(t), {N * 3});
         return t.make.name("mixed").slice(merged, 0, 1, N * 3 - 2);
       }},
      {"picked: picks samples of 'x' by computed numbers",
       [&](Traced& t) { return t.make.name("picked").gather(x(t), t.make.constant("at", {2}, {1, 0}), 0); }},
      {"most: takes a maximum over the samples in 'most'",
       [&](Traced& t) { return t.make.name("most").maximum(x(t), {0}); }},
      {"added: reads other values of 'own' for each sample",
       [&](Traced& t) { return t.make.name("added").add(x(t), t.weights("own", {N, 1})); }},
      {"added: reads other values of 'numbers' for each sample",
       [&](Traced& t) {
         return t.make.name("added").add(x(t), t.make.constant("numbers", {N, 1}, {1, 2, 3, 4}));
       }},
      {"turned: reads other values of 'own' for each sample",
       [&](Traced& t) {
         const TensorId turned = t.make.name("turned").transpose(t.weights("own", {1, N}), {1, 0});
         return t.make.name("added").add(x(t), turned);
       }},
      {"second: is an input that holds no samples",
       [&](Traced& t) {
         const TensorId other = t.input("second", {3});
         t.samples.pop_back();
         return t.make.add(x(t), other);
       }},
  };
  for (const Refused& refused : cases) {
    Traced traced(N);
    traced.graph.outputs = {refused.build(traced)};
    Graph graph = traced.graph;
    EXPECT_EQ(spread_batch(graph, traced.samples).refusal, refused.why);
    EXPECT_EQ(to_text(graph), to_text(traced.graph));
  }
}

TEST(SpreadBatch, refuses_a_state_of_each_sample_and_a_single_sample) {
  Traced t(N);
  const TensorId state = t.make.state("state", {N, 3}, std::vector<float>(N * 3, 0));
  t.graph.update[state] = t.make.name("new").tanh(t.input("x", {N, 3}));
  EXPECT_EQ(spread_batch(t.graph, t.samples).refusal,
            "state: would take values of each sample, those of 'new'");
  Traced one(1);
  one.graph.outputs = {one.make.tanh(one.input("x", {1, 3}))};
  EXPECT_EQ(spread_batch(one.graph, one.samples).refusal, "traced: has one sample");
}

TEST(SpreadBatch, wants_names_of_inputs_with_as_many_samples) {
  Traced t(N);
  t.graph.outputs = {t.make.tanh(t.input("x", {N, 3}))};
  EXPECT_THROW(spread_batch(t.graph, std::vector<std::string>{"y"}), UserError);
  EXPECT_THROW(spread_batch(t.graph, std::vector<std::string>{"op"}), UserError);
  t.input("y", {N + 1, 3});
  EXPECT_THROW(spread_batch(t.graph, t.samples), UserError);
}

}  // namespace
}  // namespace dojo::graph
