// Normalisation, softmax and losses: compositions of elementwise ops and reductions.
#include <numeric>

#include "base/error.h"
#include "graph/op_maker.h"

namespace dojo::graph {

namespace {

std::vector<std::int64_t> all_but_channels(std::size_t rank) {
  std::vector<std::int64_t> axes = {0};
  for (std::size_t d = 2; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}

// Elementwise op in which the operands marked as per-channel have shape [c] and follow dimension 1 of the
// first.
TensorId over_channels(Builder& builder, const Expression& body, TensorId x,
                       std::span<const TensorId> channels) {
  OpMaker op(builder);
  const Tensor& tensor = builder.graph().at(x);
  const Shape shape = tensor.shape;
  std::vector<Index> map;
  for (std::size_t d = 0; d < shape.size(); ++d)
    map.push_back(Index::along(op.axis(axis_name(tensor, d), shape[d])));
  op.read(x, map);
  for (const TensorId channel : channels) op.read(channel, {Index::along(1)});
  return op.write(shape, map, Reduction::none, body);
}

// (in0 - in1) * (in0 - in1), summed over everything but the channels.
TensorId sum_of_squares_about(Builder& builder, TensorId x, TensorId center) {
  OpMaker op(builder);
  const Tensor& tensor = builder.graph().at(x);
  std::vector<Index> map;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    map.push_back(Index::along(op.axis(axis_name(tensor, d), tensor.shape[d])));
  }
  const std::int64_t channels = tensor.shape[1];
  op.read(x, std::move(map));
  op.read(center, {Index::along(1)});
  Formula f;
  const auto distance = f.subtract(f.input(0), f.input(1));
  return op.write({channels}, {Index::along(1)}, Reduction::sum, f.finish(f.multiply(distance, distance)));
}

// running * momentum + batch * factor, the state's new value.
TensorId blend(Builder& builder, TensorId running, TensorId batch, float momentum, float factor) {
  Formula f;
  const auto kept = f.multiply(f.constant(momentum), f.input(0));
  return builder.elementwise(f.finish(f.apply(Scalar::fma, f.constant(factor), f.input(1), kept)),
                             std::vector{running, batch});
}

}  // namespace

TensorId Builder::batch_norm(TensorId x, TensorId gamma, TensorId beta, TensorId mean_state,
                             TensorId variance_state, const BatchNorm& options) {
  const Shape in = shape(x);
  if (in.size() < 2) refuse(name_, "batch norm of [{}]", fmt::join(in, ", "));
  for (const TensorId channel : {gamma, beta, mean_state, variance_state}) {
    if (shape(channel) != Shape{in[1]})
      refuse(name_, "'{}' is not one value per channel", graph_.at(channel).name);
  }
  TensorId center = mean_state, spread = variance_state;
  if (options.training) {
    const std::int64_t count = element_count(in) / in[1];
    if (count < 2 && options.unbiased_running) refuse(name_, "the variance of one value per channel");
    const TensorId divisor = constant(static_cast<float>(count));
    center = divide(sum(x, all_but_channels(in.size())), divisor);
    spread = divide(sum_of_squares_about(*this, x, center), divisor);
    const float unbiased =
        options.unbiased_running ? static_cast<float>(count) / static_cast<float>(count - 1) : 1;
    const float fresh = 1 - options.momentum;
    graph_.update[mean_state] = blend(*this, mean_state, center, options.momentum, fresh);
    graph_.update[variance_state] = blend(*this, variance_state, spread, options.momentum, fresh * unbiased);
  }
  Formula scale;
  const auto deviation =
      scale.apply(Scalar::reciprocal_sqrt, scale.add(scale.input(0), scale.constant(options.epsilon)));
  const TensorId inverse = elementwise(scale.finish(deviation), std::vector{spread});
  const TensorId factor = multiply(inverse, gamma);
  Formula f;
  const auto centered = f.subtract(f.input(0), f.input(1));
  return over_channels(*this, f.finish(f.apply(Scalar::fma, centered, f.input(2), f.input(3))), x,
                       std::vector{center, factor, beta});
}

TensorId Builder::layer_norm(TensorId x, std::int64_t first_axis, std::optional<TensorId> gamma,
                             std::optional<TensorId> beta, float epsilon) {
  const std::size_t rank = shape(x).size(), first = normal_axis(name_, first_axis, rank);
  std::vector<std::int64_t> axes(rank - first);
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(first));
  const TensorId centered = subtract(x, mean(x, axes, true));
  const TensorId variance = mean(multiply(centered, centered), axes, true);
  Formula f;
  const auto inverse = f.apply(Scalar::reciprocal_sqrt, f.add(f.input(0), f.constant(epsilon)));
  TensorId result = multiply(centered, elementwise(f.finish(inverse), std::vector{variance}));
  if (gamma) result = multiply(result, *gamma);
  if (beta) result = add(result, *beta);
  return result;
}

namespace {

// The largest logit, kept as a dimension of 1. It only guards against overflow: results do not depend on it,
// so it gets no gradient.
TensorId guard(Builder& builder, TensorId x, std::int64_t axis) {
  const TensorId largest = builder.maximum(x, {axis}, true);
  builder.graph().ops.back().stop_gradient = true;
  return largest;
}

}  // namespace

TensorId Builder::softmax(TensorId x, std::int64_t axis) {
  Formula f;
  const auto shifted = f.subtract(f.input(0), f.input(1));
  const TensorId powers =
      elementwise(f.finish(f.apply(Scalar::exp, shifted)), std::vector{x, guard(*this, x, axis)});
  return divide(powers, sum(powers, {axis}, true));
}

TensorId Builder::log_softmax(TensorId x, std::int64_t axis) {
  const TensorId shifted = subtract(x, guard(*this, x, axis));
  return subtract(shifted, unary(Scalar::log, sum(exp(shifted), {axis}, true)));
}

TensorId Builder::finish_loss(TensorId elements, Mean over, std::int64_t divisor) {
  if (over == Mean::none) return elements;
  const TensorId total = sum(elements);
  return over == Mean::sum ? total : divide(total, constant(static_cast<float>(divisor)));
}

namespace {

void check_same_shape(const std::string& op, const Shape& a, const Shape& b) {
  if (a != b) refuse(op, "a prediction of [{}] for a target of [{}]", fmt::join(a, ", "), fmt::join(b, ", "));
}

}  // namespace

TensorId Builder::mean_squared_error(TensorId prediction, TensorId target, Mean over) {
  check_same_shape(name_, shape(prediction), shape(target));
  Formula f;
  const auto error = f.subtract(f.input(0), f.input(1));
  const TensorId squares = elementwise(f.finish(f.multiply(error, error)), std::vector{prediction, target});
  return finish_loss(squares, over, element_count(shape(prediction)));
}

TensorId Builder::binary_cross_entropy(TensorId probability, TensorId target, Mean over) {
  check_same_shape(name_, shape(probability), shape(target));
  Formula f;
  const auto p = f.input(0), y = f.input(1), one = f.constant(1);
  const auto bounded_log = [&](Formula::Node x) {
    return f.apply(Scalar::maximum, f.apply(Scalar::log, x), f.constant(-100));
  };
  const auto yes = f.multiply(y, bounded_log(p));
  const auto no = f.multiply(f.subtract(one, y), bounded_log(f.subtract(one, p)));
  return finish_loss(elementwise(f.finish(f.negate(f.add(yes, no))), std::vector{probability, target}), over,
                     element_count(shape(probability)));
}

TensorId Builder::binary_cross_entropy_with_logits(TensorId logit, TensorId target, Mean over) {
  check_same_shape(name_, shape(logit), shape(target));
  Formula f;
  const auto x = f.input(0), y = f.input(1);
  const auto rest = f.apply(Scalar::log1p, f.apply(Scalar::exp, f.negate(f.apply(Scalar::absolute, x))));
  const auto sum = f.add(f.subtract(f.apply(Scalar::maximum, x, f.constant(0)), f.multiply(x, y)), rest);
  return finish_loss(elementwise(f.finish(sum), std::vector{logit, target}), over,
                     element_count(shape(logit)));
}

TensorId Builder::mean_absolute_error(TensorId prediction, TensorId target, Mean over) {
  check_same_shape(name_, shape(prediction), shape(target));
  Formula f;
  const auto error = f.apply(Scalar::absolute, f.subtract(f.input(0), f.input(1)));
  return finish_loss(elementwise(f.finish(error), std::vector{prediction, target}), over,
                     element_count(shape(prediction)));
}

TensorId Builder::huber(TensorId prediction, TensorId target, float delta, Mean over) {
  check_same_shape(name_, shape(prediction), shape(target));
  Formula f;
  const auto size = f.apply(Scalar::absolute, f.subtract(f.input(0), f.input(1)));
  const auto half = f.constant(0.5f), limit = f.constant(delta);
  const auto inner = f.multiply(half, f.multiply(size, size));
  const auto outer = f.multiply(limit, f.subtract(size, f.multiply(half, limit)));
  return finish_loss(
      elementwise(f.finish(f.select(f.less(size, limit), inner, outer)), std::vector{prediction, target}),
      over, element_count(shape(prediction)));
}

TensorId Builder::softmax_cross_entropy(TensorId logits, TensorId labels, Mean over) {
  const Shape of_logits = shape(logits);
  if (of_logits.size() < 2) refuse(name_, "cross entropy of [{}]", fmt::join(of_logits, ", "));
  Shape without_classes = of_logits;
  without_classes.erase(without_classes.begin() + 1);
  const bool probabilities = shape(labels) == of_logits;
  if (!probabilities) check_same_shape(name_, without_classes, shape(labels));
  const TensorId log_likelihood = log_softmax(logits, 1);
  std::vector<float> numbers(static_cast<std::size_t>(of_logits[1]));
  std::iota(numbers.begin(), numbers.end(), 0.0f);

  OpMaker op(*this);
  std::vector<Index> all, kept;
  for (std::size_t d = 0; d < of_logits.size(); ++d) {
    all.push_back(Index::along(op.axis(axis_name(graph_.at(logits), d), of_logits[d])));
    if (d != 1) kept.push_back(all.back());
  }
  Formula f;
  const auto log_probability = f.input(op.read(log_likelihood, all));
  Formula::Node body;
  if (probabilities) {
    body = f.multiply(f.negate(f.input(op.read(labels, all))), log_probability);
  } else {
    const TensorId classes =
        constant(fresh_tensor_name(name_ + ".classes"), {of_logits[1]}, std::move(numbers));
    const auto wanted = f.input(op.read(labels, kept)), number = f.input(op.read(classes, {all[1]}));
    body = f.select(f.apply(Scalar::equal, wanted, number), f.negate(log_probability), f.constant(0));
  }
  const TensorId per_sample = op.write(without_classes, kept, Reduction::sum, f.finish(body));
  return finish_loss(per_sample, over, element_count(without_classes));
}

}  // namespace dojo::graph
