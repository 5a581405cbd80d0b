// Random training steps without a batch: a dozen operations on whatever there is, mixing the samples'
// dimension with others and now and then samples with each other.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "graph/traced_networks_for_tests.h"

namespace dojo::graph::traced {

class RandomStep {
public:
  RandomStep(std::uint64_t seed, std::int64_t samples) : random_(seed), step(samples), make_(step.make) {
    made_ = {step.input("x", {samples, 2 + below(2), 2 + below(3)}),
             step.input("y", {samples, 2 + below(3)})};
    made_.push_back(make_.reshape(step.weights("shift", {3}), {3, 1}));
    for (int k = 0; k < 12; ++k) add_something();
    finish();
  }

private:
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_.uniform() * static_cast<double>(n));
  }
  TensorId any() { return made_[static_cast<std::size_t>(below(static_cast<std::int64_t>(made_.size())))]; }

  void add_something() {
    const std::size_t ops = step.graph.ops.size();
    try {
      make_.name("made");
      const TensorId made = something(any());
      if (element_count(make_.shape(made)) <= 2000) made_.push_back(made);
    } catch (const UserError&) {  // of shapes that do not fit
      step.graph.ops.resize(ops);
    }
  }

  TensorId something(TensorId a) {
    const Shape shape = make_.shape(a);
    const auto rank = static_cast<std::int64_t>(shape.size());
    if (rank == 0) return make_.multiply(a, any());
    std::int64_t axis = below(rank);
    if (shape[static_cast<std::size_t>(axis)] == step.n) axis = below(rank);  // now and then only
    const std::int64_t extent = shape[static_cast<std::size_t>(axis)];
    switch (below(14)) {
      case 0:
        return make_.tanh(a);
      case 1:
        return make_.add(a, any());
      case 2:
        return make_.multiply(a, any());
      case 3:
        return make_.matmul(a, step.weights(make_.fresh_tensor_name("w"), {shape.back(), 2 + below(2)}));
      case 4:
        return make_.matmul(a, any(), below(2) == 1, below(2) == 1);
      case 5:
        return make_.transpose(a, random_order(rank));
      case 6:
        return make_.sum(a, {axis}, below(2) == 1);
      case 7:
        return make_.maximum(a, {axis}, below(2) == 1);
      case 8:
        return make_.softmax(a, axis);
      case 9:
        return make_.slice(a, axis, below(2), extent - below(2));
      case 10:
        return make_.concat(std::vector{a, any()}, axis);
      case 11:
        return make_.add(a, make_.expand(step.weights(make_.fresh_tensor_name("b"), {shape.back()}), shape));
      default:
        return make_.reshape(a, other_shape(shape, static_cast<std::size_t>(axis)));
    }
  }

  std::vector<std::int64_t> random_order(std::int64_t rank) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t k = order.size(); k-- > 1;)
      std::swap(order[k], order[static_cast<std::size_t>(below(static_cast<std::int64_t>(k) + 1))]);
    return order;
  }

  // A dimension merged with the next, or taken apart.
  Shape other_shape(Shape shape, std::size_t axis) {
    if (below(2) == 0 && axis + 1 < shape.size()) {
      shape[axis] *= shape[axis + 1];
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
      return shape;
    }
    std::vector<std::int64_t> factors;
    for (std::int64_t f = 2; f < shape[axis]; ++f)
      if (shape[axis] % f == 0) factors.push_back(f);
    if (factors.empty()) return shape;
    const std::int64_t factor =
        factors[static_cast<std::size_t>(below(static_cast<std::int64_t>(factors.size())))];
    shape[axis] /= factor;
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, factor);
    return shape;
  }

  void finish() {
    make_.name("loss");
    TensorId loss = make_.sum(make_.tanh(made_.back()));
    for (std::size_t k = made_.size() - 3; k + 1 < made_.size(); ++k)
      loss = make_.add(loss, make_.mean(make_.tanh(made_[k])));
    step.graph.outputs = {loss};
    differentiate(step.graph, loss);
    const std::map<TensorId, TensorId> gradients = step.graph.gradient;
    for (const auto& [parameter, gradient] : gradients)
      step.graph.update[parameter] = make_.name("next").subtract(parameter, make_.scale(gradient, 0.01f));
  }

  Random random_;

public:
  Traced step;

private:
  Builder& make_;
  std::vector<TensorId> made_;
};

}  // namespace dojo::graph::traced
