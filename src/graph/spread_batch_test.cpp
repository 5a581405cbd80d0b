// Does a graph whose batch was found compute the bits that it computed before, and is every other one refused
// by name?
#include "graph/spread_batch.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "graph/builder.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "graph/optimizer.h"

namespace dojo::graph {
namespace {

constexpr std::int64_t N = 4;

// A graph as another program traces it: shapes, and nothing said of samples.
class Traced {
public:
  Traced() : make(graph) { graph.name = "traced"; }

  TensorId input(const std::string& name, const Shape& shape) {
    const TensorId id = make.input(name, shape);
    graph.at(id).has_batch = false;
    if (name == "wanted") graph.at(id).role = Role::label;
    samples.push_back(name);
    return id;
  }
  TensorId weights(const std::string& name, const Shape& shape) {
    return make.parameter(name, shape, values(shape, 0.5));
  }
  std::vector<float> values(const Shape& shape, double scale) {
    std::vector<float> data;
    for (std::int64_t k = 0; k < element_count(shape); ++k)
      data.push_back(static_cast<float>(random_.normal() * scale));
    return data;
  }
  void train(TensorId loss) {
    graph.outputs = {loss};
    differentiate(graph, loss);
    add_optimizer(graph, optimizer_named("adamw"));
  }
  void output_everything() {
    graph.outputs.clear();
    for (const StructuredOp& op : graph.ops) graph.outputs.push_back(op.out.tensor);
  }

  Graph graph;
  Builder make;
  std::vector<std::string> samples;

private:
  Random random_{5};
};

void feed(Interpreter& run, const Graph& graph) {
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.role != Role::input && tensor.role != Role::label && tensor.role != Role::scalar) continue;
    Random random(id);
    std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)));
    for (float& value : values)
      value =
          static_cast<float>(tensor.name == "tokens" ? std::floor(3 * random.uniform()) : random.normal());
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
TensorId cross_entropy(Traced& t, TensorId logits, TensorId labels) {
  return t.make.name("loss").softmax_cross_entropy(logits, labels);
}

// Matrices see [samples * places, channels], and so does the loss.
void sequence(Traced& t) {
  Builder& b = t.make;
  const TensorId x = t.input("x", {N, 3, 5}), y = t.input("tokens", {N, 3});
  const TensorId rows = b.name("rows").reshape(x, {N * 3, 5});
  const TensorId hidden =
      b.name("hidden").tanh(b.add(b.matmul(rows, t.weights("w", {5, 6})), t.weights("b", {6})));
  const TensorId whole = b.name("whole").reshape(hidden, {N, 3, 6});
  const TensorId shifted = b.name("shifted").add(whole, t.weights("places", {3, 6}));
  const TensorId logits = b.name("logits").matmul(b.reshape(shifted, {N * 3, 6}), t.weights("head", {6, 3}));
  t.train(cross_entropy(t, logits, b.reshape(y, {N * 3})));
}

// The samples behind the places, as recurrent networks want them, and merged with them.
void places_first(Traced& t) {
  Builder& b = t.make;
  const TensorId x = b.name("turned").transpose(t.input("x", {N, 3, 5}), {1, 0, 2});
  TensorId state = b.constant("start", {N, 6}, std::vector<float>(N * 6, 0));
  const TensorId w = t.weights("w", {5, 6}), u = t.weights("u", {6, 6});
  std::vector<TensorId> states;
  for (std::int64_t turn = 0; turn < 3; ++turn) {
    const TensorId now = b.name("now").reshape(b.slice(x, 0, turn, turn + 1), {N, 5});
    state = b.name("state").tanh(b.add(b.matmul(now, w), b.matmul(state, u)));
    states.push_back(b.reshape(state, {1, N, 6}));
  }
  const TensorId all = b.name("rows").reshape(b.concat(states, 0), {3 * N, 6});
  const TensorId logits = b.name("logits").matmul(all, t.weights("head", {6, 3}));
  const TensorId labels = b.reshape(b.transpose(t.input("tokens", {N, 3}), {1, 0}), {3 * N});
  t.train(cross_entropy(t, logits, labels));
}

// Heads merged with samples, a mask that is expanded over them, the embedding of what is given.
void attention(Traced& t) {
  Builder& b = t.make;
  const TensorId tokens = t.input("tokens", {N, 4});
  const TensorId x = b.name("embedded").gather(t.weights("table", {3, 6}), tokens, 0);
  const auto heads = [&](const char* name) {
    const TensorId all =
        b.name(name).matmul(b.reshape(x, {N * 4, 6}), t.weights(std::string("w") + name, {6, 6}));
    return b.reshape(b.transpose(b.reshape(all, {N, 4, 2, 3}), {0, 2, 1, 3}), {N * 2, 4, 3});
  };
  const TensorId q = heads("q"), k = heads("k"), v = heads("v");
  const TensorId seen =
      b.name("mask").triangle(b.constant("ones", {4, 4}, std::vector<float>(16, 1)), 0, false);
  const TensorId mask = b.expand(b.scale(b.subtract(seen, b.constant(1)), 1e4f), {N * 2, 4, 4});
  const TensorId scores = b.name("scores").softmax(b.add(b.matmul(q, k, false, true), mask), -1);
  const TensorId mixed =
      b.reshape(b.transpose(b.reshape(b.matmul(scores, v), {N, 2, 4, 3}), {0, 2, 1, 3}), {N, 4, 6});
  const TensorId logits = b.name("logits").matmul(
      b.layer_norm(mixed, -1, t.weights("gamma", {6}), std::nullopt, 1e-5f), t.weights("head", {6, 3}));
  t.train(cross_entropy(t, b.reshape(logits, {N * 4, 3}), b.reshape(tokens, {N * 4})));
}

// Statistics of the batch are used again by its samples; their running means are states.
void images(Traced& t) {
  Builder& b = t.make;
  const TensorId x = t.input("x", {N, 2, 5, 5});
  const TensorId y = b.name("conv").convolution(x, t.weights("w", {3, 2, 3, 3}), t.weights("b", {3}), {});
  const TensorId mean = b.state("mean", {3}, {0, 0, 0}), variance = b.state("variance", {3}, {1, 1, 1});
  const TensorId z = b.name("norm").relu(
      b.batch_norm(y, t.weights("gamma", {3}), t.weights("beta", {3}), mean, variance, {}));
  const TensorId token = b.name("class").expand(t.weights("class", {1, 1, 3}), {N, 1, 3});
  const TensorId pixels = b.name("pixels").transpose(b.reshape(z, {N, 3, 9}), {0, 2, 1});
  const TensorId all = b.name("all").concat(std::vector{token, pixels}, 1);
  const TensorId scores = b.name("scores").matmul(b.reshape(all, {N, 30}), t.weights("head", {30, 2}));
  t.train(b.name("loss").mean_squared_error(scores, t.input("wanted", {N, 2})));
}

// Rates and norms that are computed from sums over the samples; a loss that weighs samples by a mask.
void clipped(Traced& t) {
  Builder& b = t.make;
  const TensorId x = t.input("x", {N, 5}), w = t.weights("w", {5, 1});
  const TensorId used = b.name("used").binary(Scalar::less, t.input("wanted", {N, 1}), b.constant(0.3f));
  const TensorId errors = b.name("errors").multiply(b.relu(b.matmul(x, w)), used);
  const TensorId loss = b.name("loss").divide(b.sum(errors), b.sum(used));
  differentiate(t.graph, loss);
  const TensorId gradient = t.graph.gradient.at(w);
  const TensorId norm = b.name("norm").unary(Scalar::sqrt, b.sum(b.multiply(gradient, gradient)));
  const TensorId clip = b.binary(Scalar::minimum, b.constant(1), b.divide(b.constant(0.1f), norm));
  t.graph.update[w] = b.name("new").subtract(w, b.multiply(gradient, clip));
  t.graph.outputs = {loss, norm};
}

struct Network {
  const char* name;
  void (*build)(Traced&);
};

class SpreadBatchOf : public testing::TestWithParam<Network> {};

TEST_P(SpreadBatchOf, keeps_the_bits_of_every_tensor) {
  Traced traced;
  GetParam().build(traced);
  traced.output_everything();
  Graph graph = traced.graph;
  const SpreadBatch spread = spread_batch(graph, traced.samples);
  ASSERT_EQ(spread.refusal, "");
  expect_same_bits(traced.graph, graph, spread);
}

// What depends on a sample has the batch; a weight's gradient has not.
TEST_P(SpreadBatchOf, gives_the_batch_to_all_that_is_of_samples) {
  Traced traced;
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

INSTANTIATE_TEST_SUITE_P(, SpreadBatchOf,
                         testing::Values(Network{"sequence", sequence}, Network{"places_first", places_first},
                                         Network{"attention", attention}, Network{"images", images},
                                         Network{"clipped", clipped}),
                         [](const auto& tested) { return tested.param.name; });

// The samples are last, merged with the places before them: an axis of 3 * N points becomes two.
TEST(SpreadBatch, takes_merged_dimensions_apart) {
  Traced t;
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
    Traced traced;
    traced.graph.outputs = {refused.build(traced)};
    Graph graph = traced.graph;
    EXPECT_EQ(spread_batch(graph, traced.samples).refusal, refused.why);
    EXPECT_EQ(to_text(graph), to_text(traced.graph));
  }
}

TEST(SpreadBatch, refuses_a_state_of_each_sample_and_a_single_sample) {
  Traced t;
  const TensorId state = t.make.state("state", {N, 3}, std::vector<float>(N * 3, 0));
  t.graph.update[state] = t.make.name("new").tanh(t.input("x", {N, 3}));
  EXPECT_EQ(spread_batch(t.graph, t.samples).refusal,
            "state: would take values of each sample, those of 'new'");
  Traced one;
  one.graph.outputs = {one.make.tanh(one.input("x", {1, 3}))};
  EXPECT_EQ(spread_batch(one.graph, one.samples).refusal, "traced: has one sample");
}

TEST(SpreadBatch, wants_names_of_inputs_with_as_many_samples) {
  Traced t;
  t.graph.outputs = {t.make.tanh(t.input("x", {N, 3}))};
  EXPECT_THROW(spread_batch(t.graph, std::vector<std::string>{"y"}), UserError);
  EXPECT_THROW(spread_batch(t.graph, std::vector<std::string>{"op"}), UserError);
  t.input("y", {N + 1, 3});
  EXPECT_THROW(spread_batch(t.graph, t.samples), UserError);
}

}  // namespace
}  // namespace dojo::graph
