// Training steps as another program traces them, for the tests of what makes of them something that is spread
// over the nodes: shapes, and nothing said of samples.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "graph/builder.h"
#include "graph/expression.h"
#include "graph/gradient.h"
#include "graph/optimizer.h"

namespace dojo::graph::traced {

class Traced {
public:
  explicit Traced(std::int64_t count) : make(graph), n(count) { graph.name = "traced"; }

  TensorId input(const std::string& name, const Shape& shape) {
    const TensorId id = make.input(name, shape);
    graph.at(id).has_batch = false;
    if (name == "wanted") graph.at(id).role = Role::label;
    samples.push_back(name);
    return id;
  }
  // Whole numbers from 0 to 2, made of any input.
  TensorId tokens(const Shape& shape) {
    const TensorId x = make.unary(Scalar::absolute, input("numbers", shape));
    return make.name("tokens").unary(Scalar::floor, make.clip(make.scale(x, 2), 0, 2.5f));
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

  Graph graph;
  Builder make;
  const std::int64_t n;  // samples
  std::vector<std::string> samples;

private:
  Random random_{5};
};

inline TensorId cross_entropy(Traced& t, TensorId logits, TensorId labels) {
  return t.make.name("loss").softmax_cross_entropy(logits, labels);
}

// Matrices see [samples * places, channels], and so does the loss.
inline void sequence(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 3, 5}), y = t.tokens({n, 3});
  const TensorId rows = b.name("rows").reshape(x, {n * 3, 5});
  const TensorId hidden =
      b.name("hidden").tanh(b.add(b.matmul(rows, t.weights("w", {5, 6})), t.weights("b", {6})));
  const TensorId whole = b.name("whole").reshape(hidden, {n, 3, 6});
  const TensorId shifted = b.name("shifted").add(whole, t.weights("places", {3, 6}));
  const TensorId logits = b.name("logits").matmul(b.reshape(shifted, {n * 3, 6}), t.weights("head", {6, 3}));
  t.train(cross_entropy(t, logits, b.reshape(y, {n * 3})));
}

// The samples behind the places, as recurrent networks want them, and merged with them.
inline void places_first(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = b.name("turned").transpose(t.input("x", {n, 3, 5}), {1, 0, 2});
  TensorId state = b.constant("start", {n, 6}, std::vector<float>(static_cast<std::size_t>(n * 6), 0));
  const TensorId w = t.weights("w", {5, 6}), u = t.weights("u", {6, 6});
  std::vector<TensorId> states;
  for (std::int64_t turn = 0; turn < 3; ++turn) {
    const TensorId now = b.name("now").reshape(b.slice(x, 0, turn, turn + 1), {n, 5});
    state = b.name("state").tanh(b.add(b.matmul(now, w), b.matmul(state, u)));
    states.push_back(b.reshape(state, {1, n, 6}));
  }
  const TensorId all = b.name("rows").reshape(b.concat(states, 0), {3 * n, 6});
  const TensorId logits = b.name("logits").matmul(all, t.weights("head", {6, 3}));
  const TensorId labels = b.reshape(b.transpose(t.tokens({n, 3}), {1, 0}), {3 * n});
  t.train(cross_entropy(t, logits, labels));
}

// Heads merged with samples, a mask that is expanded over them, the embedding of what is given.
inline void attention(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId tokens = t.tokens({n, 4});
  const TensorId x = b.name("embedded").gather(t.weights("table", {3, 6}), tokens, 0);
  const auto heads = [&](const char* name) {
    const TensorId all =
        b.name(name).matmul(b.reshape(x, {n * 4, 6}), t.weights(std::string("w") + name, {6, 6}));
    return b.reshape(b.transpose(b.reshape(all, {n, 4, 2, 3}), {0, 2, 1, 3}), {n * 2, 4, 3});
  };
  const TensorId q = heads("q"), k = heads("k"), v = heads("v");
  const TensorId seen =
      b.name("mask").triangle(b.constant("ones", {4, 4}, std::vector<float>(16, 1)), 0, false);
  const TensorId mask = b.expand(b.scale(b.subtract(seen, b.constant(1)), 1e4f), {n * 2, 4, 4});
  const TensorId scores = b.name("scores").softmax(b.add(b.matmul(q, k, false, true), mask), -1);
  const TensorId mixed =
      b.reshape(b.transpose(b.reshape(b.matmul(scores, v), {n, 2, 4, 3}), {0, 2, 1, 3}), {n, 4, 6});
  const TensorId logits = b.name("logits").matmul(
      b.layer_norm(mixed, -1, t.weights("gamma", {6}), std::nullopt, 1e-5f), t.weights("head", {6, 3}));
  t.train(cross_entropy(t, b.reshape(logits, {n * 4, 3}), b.reshape(tokens, {n * 4})));
}

// Statistics of the batch are used again by its samples; their running means are states.
inline void images(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 2, 5, 5});
  const TensorId y = b.name("conv").convolution(x, t.weights("w", {3, 2, 3, 3}), std::nullopt, {});
  const TensorId mean = b.state("mean", {3}, {0, 0, 0}), variance = b.state("variance", {3}, {1, 1, 1});
  const TensorId z = b.name("norm").relu(
      b.batch_norm(y, t.weights("gamma", {3}), t.weights("beta", {3}), mean, variance, {}));
  const TensorId token = b.name("class").expand(t.weights("class", {1, 1, 3}), {n, 1, 3});
  const TensorId pixels = b.name("pixels").transpose(b.reshape(z, {n, 3, 9}), {0, 2, 1});
  const TensorId all = b.name("all").concat(std::vector{token, pixels}, 1);
  const TensorId scores = b.name("scores").matmul(b.reshape(all, {n, 30}), t.weights("head", {30, 2}));
  t.train(b.name("loss").mean_squared_error(scores, t.input("wanted", {n, 2})));
}

// Rates and norms that are computed from sums over the samples; a loss that weighs samples by a mask.
inline void clipped(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 5}), w = t.weights("w", {5, 1});
  const TensorId used = b.name("used").binary(Scalar::less, t.input("wanted", {n, 1}), b.constant(0.3f));
  const TensorId errors = b.name("errors").multiply(b.relu(b.matmul(x, w)), used);
  const TensorId loss = b.name("loss").divide(b.sum(errors), b.sum(used));
  differentiate(t.graph, loss);
  const TensorId gradient = t.graph.gradient.at(w);
  const TensorId norm = b.name("norm").unary(Scalar::sqrt, b.sum(b.multiply(gradient, gradient)));
  const TensorId clip = b.binary(Scalar::minimum, b.constant(1), b.divide(b.constant(0.1f), norm));
  t.graph.update[w] = b.name("new").subtract(w, b.multiply(gradient, clip));
  t.graph.outputs = {loss, norm};
}

// Weights of several tiles, whose size is part of the loss and whose gradients' norm limits the step.
inline void regularized(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 100}), wanted = t.input("wanted", {n, 1});
  const std::vector<TensorId> weights = {t.weights("w", {100, 300}), t.weights("v", {300, 330}),
                                         t.weights("u", {330, 1}), t.weights("c", {330})};
  const TensorId hidden = b.name("hidden").tanh(b.matmul(b.tanh(b.matmul(x, weights[0])), weights[1]));
  const TensorId out = b.name("out").matmul(b.add(hidden, weights[3]), weights[2]);
  TensorId loss = b.name("loss").mean_squared_error(out, wanted);
  for (const TensorId w : weights) loss = b.name("size").add(loss, b.scale(b.sum(b.multiply(w, w)), 1e-3f));
  differentiate(t.graph, loss);
  const std::map<TensorId, TensorId> gradients = t.graph.gradient;
  TensorId squares = no_tensor;
  for (const auto& [parameter, gradient] : gradients) {
    const TensorId norm = b.name("norm").unary(Scalar::sqrt, b.sum(b.multiply(gradient, gradient)));
    const TensorId square = b.multiply(norm, norm);
    squares = squares == no_tensor ? square : b.add(squares, square);
  }
  const TensorId norm = b.name("norm").unary(Scalar::sqrt, squares);
  const TensorId clip =
      b.name("clip").binary(Scalar::minimum, b.constant(1), b.divide(b.constant(0.1f), norm));
  for (const auto& [parameter, gradient] : gradients)
    t.graph.update[parameter] = b.name("new").subtract(parameter, b.multiply(gradient, clip));
  t.graph.outputs = {loss, norm};
}

// The largest value of the batch scales all others, the largest of each feature becomes a state.
inline void largest(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 5}), wanted = t.input("wanted", {n, 3});
  const TensorId seen = b.state("seen", {5}, std::vector<float>(5, 0.5f));
  t.graph.update[seen] =
      b.name("seen_next").binary(Scalar::maximum, seen, b.name("features").maximum(x, {0}));
  const TensorId out = b.name("out").matmul(x, t.weights("w", {5, 3}));
  const TensorId scaled = b.name("scaled").divide(out, b.maximum(b.unary(Scalar::absolute, out)));
  t.train(b.name("loss").mean_squared_error(scaled, wanted));
}

// A table of several tiles, looked up and added to; one token is of no row.
inline void vocabulary(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId numbers = b.unary(Scalar::absolute, t.input("x", {n, 5}));
  const TensorId token = b.name("token").clip(b.scale(numbers, 900), 0, 1400.5f);
  const TensorId rows = b.name("embedded").gather(t.weights("table", {1400, 64}), token, 0);
  Formula f;
  const auto is_number = f.apply(Scalar::equal, f.input(0), f.input(0));
  const TensorId found = b.name("found").elementwise(f.finish(f.select(is_number, f.input(0), f.constant(0))),
                                                     std::vector{rows});
  const TensorId out = b.name("out").matmul(b.reshape(found, {n * 5, 64}), t.weights("head", {64, 1}));
  t.train(b.name("loss").mean_squared_error(b.reshape(out, {n, 5}), t.input("wanted", {n, 5})));
}

// The backward pass as matrices and transpositions, an optimizer written out: nothing of ours made it.
inline void by_hand(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId x = t.input("x", {n, 3, 8}), wanted = t.input("wanted", {n, 3, 2});
  const TensorId w = t.weights("w", {12, 8}), v = t.weights("v", {2, 12}), c = t.weights("c", {12});
  const auto turned = [&](TensorId a) { return b.transpose(a, {1, 0}); };
  const TensorId rows = b.name("rows").reshape(x, {n * 3, 8});
  const TensorId hidden = b.name("hidden").tanh(b.add(b.matmul(rows, turned(w)), c));
  const TensorId out = b.name("out").matmul(hidden, turned(v));
  const TensorId error = b.name("error").subtract(out, b.reshape(wanted, {n * 3, 2}));
  const TensorId loss = b.name("loss").mean(b.multiply(error, error));
  const TensorId one = b.name("one").expand(b.constant(1.0f / static_cast<float>(n * 6)), {n * 3, 2});
  const TensorId slope = b.name("slope").multiply(b.scale(one, 2), error);
  const TensorId dv = b.name("dv").matmul(turned(slope), hidden);
  const TensorId dhidden = b.name("dhidden").matmul(slope, v);
  const TensorId through =
      b.name("through").multiply(dhidden, b.subtract(b.constant(1), b.multiply(hidden, hidden)));
  const TensorId dw = b.name("dw").matmul(turned(through), rows), dc = b.name("dc").sum(through, {0});
  const auto step = [&](TensorId parameter, TensorId gradient) {
    b.name("step");
    const TensorId momentum = b.state(t.graph.at(parameter).name + ".momentum", b.shape(parameter),
                                      t.values(b.shape(parameter), 0));
    const TensorId now = b.add(b.scale(momentum, 0.9f), gradient);
    t.graph.update[momentum] = now;
    t.graph.update[parameter] = b.subtract(parameter, b.scale(now, 0.1f));
  };
  step(w, turned(turned(dw)));
  step(v, turned(turned(dv)));
  step(c, dc);
  t.graph.outputs = {b.reshape(out, {n, 3, 2}), loss};
}

// The samples inside the rows of matrices, which every weight's gradient sums over: rows of 32 places.
inline void merged(Traced& t) {
  Builder& b = t.make;
  const std::int64_t n = t.n;
  const TensorId places = b.name("places").transpose(t.input("x", {n, 32, 16}), {1, 0, 2});
  const TensorId rows = b.name("rows").reshape(places, {32 * n, 16});
  const TensorId hidden = b.name("hidden").tanh(b.matmul(rows, t.weights("w", {16, 24})));
  const TensorId out = b.name("out").matmul(hidden, t.weights("head", {24, 9}));
  t.train(b.name("loss").mean_squared_error(b.transpose(b.reshape(out, {32, n, 9}), {1, 0, 2}),
                                            t.input("wanted", {n, 32, 9})));
}

struct Network {
  const char* name;
  void (*build)(Traced&);
};

inline constexpr Network networks[] = {{"sequence", sequence},     {"places_first", places_first},
                                       {"attention", attention},   {"images", images},
                                       {"clipped", clipped},       {"regularized", regularized},
                                       {"vocabulary", vocabulary}, {"largest", largest},
                                       {"by_hand", by_hand},       {"merged", merged}};

}  // namespace dojo::graph::traced
