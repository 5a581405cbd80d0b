#include "graph/optimizer.h"

#include <cmath>

#include "base/error.h"
#include "base/portable_math.h"
#include "graph/builder.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

TensorId scalar(Builder& builder, const std::string& name) {
  const TensorId known = builder.graph().find(name);
  return known != no_tensor ? known : builder.scalar(name);
}

TensorId moment(Builder& builder, TensorId parameter, const std::string& kind) {
  const Tensor& tensor = builder.graph().at(parameter);
  const std::string name = tensor.name + "." + kind;
  const Shape shape = tensor.shape;
  return builder.state(name, shape, std::vector<float>(static_cast<std::size_t>(element_count(shape)), 0.0f));
}

void end_step(Builder& builder, TensorId from, TensorId to) {
  builder.rename(to, builder.graph().at(from).name + ".new");
  builder.graph().update[from] = to;
}

void add_sgd(Builder& builder, TensorId parameter, TensorId gradient, TensorId rate, const Sgd& options) {
  // in0: gradient, in1: parameter
  Formula decayed;
  const auto pull =
      decayed.apply(Scalar::fma, decayed.constant(options.weight_decay), decayed.input(1), decayed.input(0));
  TensorId direction = gradient;
  if (options.momentum != 0) {
    const TensorId velocity = moment(builder, parameter, "velocity");
    Formula f;
    const auto inputs = std::vector{f.input(0), f.input(1)};
    const auto push = options.weight_decay == 0 ? f.input(0) : f.insert(decayed.finish(pull), inputs);
    direction =
        builder.elementwise(f.finish(f.apply(Scalar::fma, f.constant(options.momentum), f.input(2), push)),
                            std::vector{gradient, parameter, velocity});
    end_step(builder, velocity, direction);
  } else if (options.weight_decay != 0) {
    direction = builder.elementwise(decayed.finish(pull), std::vector{gradient, parameter});
  }
  Formula f;
  const auto moved = f.apply(Scalar::fma, f.negate(f.input(2)), f.input(1), f.input(0));
  end_step(builder, parameter, builder.elementwise(f.finish(moved), std::vector{parameter, direction, rate}));
}

void add_adamw(Builder& builder, TensorId parameter, TensorId gradient, TensorId rate, const AdamW& options) {
  const TensorId first = moment(builder, parameter, "moment1"),
                 second = moment(builder, parameter, "moment2");
  const TensorId correction1 = scalar(builder, "adamw.correction1"),
                 correction2 = scalar(builder, "adamw.correction2");
  // in0: gradient, in1: moment
  Formula f;
  const auto mean = f.apply(Scalar::fma, f.constant(options.beta1), f.input(1),
                            f.multiply(f.constant(1 - options.beta1), f.input(0)));
  const TensorId new_first = builder.elementwise(f.finish(mean), std::vector{gradient, first});
  Formula s;
  const auto square = s.multiply(s.multiply(s.constant(1 - options.beta2), s.input(0)), s.input(0));
  const auto spread = s.apply(Scalar::fma, s.constant(options.beta2), s.input(1), square);
  const TensorId new_second = builder.elementwise(s.finish(spread), std::vector{gradient, second});
  // in0: parameter, in1: moment1, in2: moment2, in3: learning rate, in4 and in5: corrections
  Formula p;
  const auto deviation = p.apply(Scalar::sqrt, p.multiply(p.input(2), p.input(5)));
  const auto step =
      p.divide(p.multiply(p.input(1), p.input(4)), p.add(deviation, p.constant(options.epsilon)));
  const auto shrink = p.multiply(p.input(3), p.constant(options.weight_decay));
  const auto kept = p.multiply(p.input(0), p.subtract(p.constant(1), shrink));
  const auto moved = p.apply(Scalar::fma, p.negate(p.input(3)), step, kept);
  const TensorId fresh = builder.elementwise(
      p.finish(moved), std::vector{parameter, new_first, new_second, rate, correction1, correction2});
  end_step(builder, first, new_first);
  end_step(builder, second, new_second);
  end_step(builder, parameter, fresh);
}

template <typename Options, typename AddOne>
void add_to_all(Graph& graph, const Options& options, AddOne add_one) {
  Builder builder(graph);
  const TensorId rate = scalar(builder, "learning_rate");
  for (const auto& [parameter, gradient] : graph.gradient) {
    builder.name(graph.at(parameter).name + ".update", "optimizer");
    add_one(builder, parameter, gradient, rate, options);
  }
  validate(graph);
}

}  // namespace

void add_optimizer(Graph& graph, const Sgd& options) { add_to_all(graph, options, add_sgd); }
void add_optimizer(Graph& graph, const AdamW& options) { add_to_all(graph, options, add_adamw); }

std::vector<std::pair<std::string, float>> optimizer_scalars(const Sgd&, std::int64_t step,
                                                             float learning_rate) {
  DOJO_ENSURE(step >= 1);
  return {{"learning_rate", learning_rate}};
}

std::vector<std::pair<std::string, float>> optimizer_scalars(const AdamW& options, std::int64_t step,
                                                             float learning_rate) {
  DOJO_ENSURE(step >= 1);
  const auto correction = [&](float beta) {
    return static_cast<float>(1 / (1 - power(static_cast<double>(beta), static_cast<std::uint64_t>(step))));
  };
  return {{"learning_rate", learning_rate},
          {"adamw.correction1", correction(options.beta1)},
          {"adamw.correction2", correction(options.beta2)}};
}

}  // namespace dojo::graph
