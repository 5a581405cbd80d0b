// Does a graph whose batch was found compute the bits that it computed before, and is every other one refused
// by name?
#include "graph/spread_batch.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "graph/expression.h"
#include "graph/interpreter.h"
#include "graph/random_traced_for_tests.h"
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
  for (const auto& [name, former] : spread.moved)
    if (before.find(name) != no_tensor && before.at(before.find(name)).role == Role::input)
      samples.set(after.find(name), sample_by_sample(whole.value(before.find(name)), former));
  for (const auto& [name, values] : spread.constants) {
    const auto moved = spread.moved.find(name);
    samples.set(after.find(name),
                moved == spread.moved.end() ? values : sample_by_sample(values, moved->second));
  }
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

// Whatever a random step does with its samples: its bits stay, or it stays as it was.
TEST(SpreadBatch, keeps_the_bits_of_random_steps) {
  int spread_steps = 0, moved = 0;
  std::set<std::string> reasons;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    traced::RandomStep random(seed, 3 + static_cast<std::int64_t>(seed % 3));
    Graph& before = random.step.graph;
    before.outputs.clear();
    for (const StructuredOp& op : before.ops) before.outputs.push_back(op.out.tensor);
    Graph graph = before;
    const SpreadBatch spread = spread_batch(graph, random.step.samples);
    if (!spread.refusal.empty()) {
      ASSERT_EQ(to_text(graph), to_text(before)) << seed;
      reasons.insert(spread.refusal.substr(spread.refusal.find(": "), 14));
      continue;
    }
    ++spread_steps;
    moved += static_cast<int>(spread.moved.size());
    expect_same_bits(before, graph, spread);
    ASSERT_FALSE(HasFailure()) << seed;
  }
  EXPECT_GT(spread_steps, 150);
  EXPECT_GT(moved, 200);
  EXPECT_GE(reasons.size(), 4u);
}

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

// One score of each sample is picked: scores[arange(N), label].
TEST(SpreadBatch, knows_the_numbers_of_samples_as_indices) {
  Traced t(N);
  const TensorId scores = t.make.tanh(t.input("x", {N, 3})), label = t.tokens({N});
  const TensorId number = t.make.from_start(t.make.positions(N), N);
  StructuredOp op;
  op.name = "picked";
  op.box = {{"i", N, false}};
  op.in = {{scores, {{{0}, 0, 1}, {{0}, 0, 2}}, 0}, {number, {{{1}, 0}}, 0}, {label, {{{1}, 0}}, 0}};
  op.body = copy_of_input();
  Tensor picked;
  picked.name = op.name;
  picked.shape = {N};
  op.out = {t.graph.add(picked), {{{1}, 0}}, 0};
  t.graph.ops.push_back(op);
  t.graph.outputs = {op.out.tensor};
  validate(t.graph);
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_NE(to_text(graph).find("picked: (i*:4) picked[i] = op[i, tokens.3[i]]"), std::string::npos)
      << to_text(graph);
  expect_same_bits(t.graph, graph, spread);
}

// The same by places that were joined into one tensor, and its gradient, which writes there.
TEST(SpreadBatch, knows_the_numbers_of_samples_among_joined_places) {
  Traced t(N);
  const TensorId scores = t.make.tanh(t.input("x", {N, 3})), label = t.tokens({N});
  const TensorId number = t.make.from_start(t.make.positions(N), N);
  const TensorId places =
      t.make.concat(std::vector{t.make.reshape(number, {N, 1}), t.make.reshape(label, {N, 1})}, 1);
  const TensorId picked = t.make.name("picked").gather_nd(scores, places);
  t.graph.outputs = {picked, t.make.name("back").scatter_nd(picked, places, {N, 3})};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_TRUE(graph.at(graph.find("picked")).has_batch);
  EXPECT_TRUE(graph.at(graph.find("back")).has_batch);
  expect_same_bits(t.graph, graph, spread);
}

// Two batches one behind the other, as siamese networks have them: the samples have an outer part of 2.
TEST(SpreadBatch, takes_joined_batches_apart) {
  Traced t(N);
  const TensorId x = t.input("x", {N, 3}), y = t.input("y", {N, 3});
  const TensorId both = t.make.name("both").concat(std::vector{x, y}, 0);
  const TensorId seen = t.make.tanh(t.make.matmul(both, t.weights("w", {3, 2})));
  const TensorId first = t.make.slice(seen, 0, 0, N), second = t.make.slice(seen, 0, N, 2 * N);
  t.graph.outputs = {both, seen, t.make.name("product").multiply(first, second)};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_EQ(graph.at(graph.find("both")).shape, (Shape{N, 2, 3}));
  expect_same_bits(t.graph, graph, spread);
}

// Two micro-batches, and the difference of neighbours.
TEST(SpreadBatch, takes_groups_of_related_samples_for_one) {
  for (const bool neighbours : {false, true}) {
    Traced t(N);
    const TensorId x = t.input("x", {N, 3});
    const TensorId apart = t.make.reshape(x, neighbours ? Shape{N / 2, 2, 3} : Shape{2, N / 2, 3});
    const std::int64_t axis = neighbours ? 1 : 0;
    const TensorId first = t.make.slice(apart, axis, 0, 1), second = t.make.slice(apart, axis, 1, 2);
    t.graph.outputs = {t.make.subtract(t.make.tanh(first), second), t.make.name("all").tanh(x)};
    Graph graph = t.graph;
    const SpreadBatch spread = spread_batch(graph, t.samples);
    ASSERT_EQ(spread.refusal, "");
    EXPECT_EQ(graph.at(x).shape, (Shape{N / 2, 2, 3}));
    expect_same_bits(t.graph, graph, spread);
  }
}

// An input that holds no samples arrives as the first sample's.
TEST(SpreadBatch, receives_inputs_without_samples) {
  Traced t(N);
  const TensorId x = t.input("x", {N, 3}), other = t.input("other", {3});
  t.samples.pop_back();
  t.graph.outputs = {t.make.name("sum").add(x, other)};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_EQ(spread.whole, std::vector<std::string>{"other"});
  const std::vector<float> values = t.values({N, 3}, 1), three = t.values({3}, 1);
  std::vector<float> given = three;
  given.resize(N * 3, 0);
  Interpreter before(t.graph), after(graph);
  before.set(x, values);
  before.set(other, three);
  before.run();
  after.set(x, values);
  after.set(graph.find("other"), given);
  after.run();
  EXPECT_EQ(bits(after.value(graph.find("sum"))), bits(before.value(t.graph.find("sum"))));
}

// What a forward graph gave, a backward graph takes.
TEST(SpreadBatch, takes_inputs_that_hold_samples_elsewhere) {
  Traced t(N);
  const TensorId rows = t.input("rows", {3 * N, 2}), x = t.input("x", {N, 2});
  const TensorId whole = t.make.reshape(rows, {3, N, 2});
  t.graph.outputs = {t.make.name("sum").add(whole, x)};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, {{"rows", {0, 3, 1}}, {"x", {}}});
  ASSERT_EQ(spread.refusal, "");
  EXPECT_EQ(graph.at(rows).shape, (Shape{N, 3, 2}));
  EXPECT_EQ(graph.at(graph.find("sum")).shape, (Shape{N, 3, 2}));
  const std::vector<float> values = t.values({3 * N, 2}, 1), others = t.values({N, 2}, 1);
  Interpreter before(t.graph), after(graph);
  before.set(rows, values);
  before.set(x, others);
  before.run();
  after.set(rows, sample_by_sample(values, spread.moved.at("rows")));
  after.set(x, others);
  after.run();
  EXPECT_EQ(bits(in_former_order(after.value(graph.find("sum")), spread.moved.at("sum"))),
            bits(before.value(t.graph.find("sum"))));
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
      {"back: reads 'x' other than sample by sample",
       [&](Traced& t) { return t.make.name("back").slice(x(t), 0, -1, -N - 1, -1); }},
      {"mixed: reads 'merged' other than sample by sample",
       [&](Traced& t) {
         const TensorId merged = t.make.name("merged").reshape(x(t), {N * 3});
         return t.make.name("mixed").slice(merged, 0, 1, N * 3 - 2);
       }},
      {"picked: picks samples of 'x' by computed numbers",
       [&](Traced& t) {
         return t.make.name("picked").gather(x(t), t.make.constant("at", {3}, {2, 0, 1}), 0);
       }},
      {"added: reads other values of 'own' for each sample",
       [&](Traced& t) { return t.make.name("added").add(x(t), t.weights("own", {N, 1})); }},
      {"added: reads other values of 'turned' for each sample",
       [&](Traced& t) {
         const TensorId turned = t.make.name("turned").transpose(t.weights("own", {1, N}), {1, 0});
         return t.make.name("added").add(x(t), turned);
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

// The numbers of the samples, as draws take them: read as they are, merged with others, and through an op of
// constants alone.
TEST(SpreadBatch, makes_inputs_of_constants_that_differ_from_sample_to_sample) {
  Traced t(N);
  Builder& b = t.make;
  const TensorId x = t.input("x", {N, 3}), rows = b.name("rows").reshape(x, {N * 3});
  const TensorId merged = b.name("merged").add(rows, b.positions(N * 3));
  const TensorId own = b.name("own").add(x, b.constant("numbers", {N, 1}, {1, 2, 3, 4}));
  const TensorId made = b.name("made").tanh(b.scale(b.constant("more", {N, 3}, t.values({N, 3}, 1)), 2));
  const TensorId both = b.name("both").multiply(own, made);
  t.graph.outputs = {merged, own, both, b.name("sum").sum(both, {0})};
  Graph graph = t.graph;
  const SpreadBatch spread = spread_batch(graph, t.samples);
  ASSERT_EQ(spread.refusal, "");
  EXPECT_EQ(spread.constants.size(), 3u);
  expect_same_bits(t.graph, graph, spread);
  for (const TensorId id : t.graph.outputs)
    EXPECT_EQ(graph.at(graph.find(t.graph.at(id).name)).has_batch, t.graph.at(id).name != "sum");
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
