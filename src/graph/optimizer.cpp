#include "graph/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/portable_math.h"
#include "graph/builder.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

using Now = UpdateOperands<Term>;
using Hyper = Hyperparameters;

// 1 / (1 - beta^t): what a mean that began with 0 lacks.
float correction(float beta, std::uint64_t step) {
  return static_cast<float>(1 / (1 - power(static_cast<double>(beta), step)));
}

constexpr Optimizer optimizer_rows[] = {
    // torch.optim.SGD without dampening:
    //   velocity = momentum * velocity + (gradient + weight_decay * parameter)
    //   parameter -= learning_rate * velocity
    {.name = "sgd",
     .about = "momentum 0.9",
     .hyper = {.momentum = 0.9f},
     .moments = {{{"velocity",
                   [](const Now& now, const Hyper& hyper) {
                     const bool decays = hyper.weight_decay != 0;
                     const Term push =
                         decays ? fma(hyper.weight_decay, now.parameter, now.gradient) : now.gradient;
                     return fma(hyper.momentum, now.moment[0], push);
                   }}}},
     .corrections = {},
     .parameter = [](const Now& now, const Hyper&) { return fma(-now.rate, now.next[0], now.parameter); }},

    // Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, as torch.optim.AdamW:
    //   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g g;
    //   parameter = parameter * (1 - lr * weight_decay)
    //               - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
    {.name = "adamw",
     .about = "",
     .hyper = {.beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f},
     .moments = {{{"moment1",
                   [](const Now& now, const Hyper& hyper) {
                     return fma(hyper.beta1, now.moment[0], (1 - hyper.beta1) * now.gradient);
                   }},
                  {"moment2",
                   [](const Now& now, const Hyper& hyper) {
                     const Term square = (1 - hyper.beta2) * now.gradient * now.gradient;
                     return fma(hyper.beta2, now.moment[1], square);
                   }}}},
     .corrections =
         {{{"correction1", [](const Hyper& hyper, std::uint64_t t) { return correction(hyper.beta1, t); }},
           {"correction2", [](const Hyper& hyper, std::uint64_t t) { return correction(hyper.beta2, t); }}}},
     .parameter =
         [](const Now& now, const Hyper& hyper) {
           const Term deviation = sqrt(now.next[1] * now.correction[1]);
           const Term direction = now.next[0] * now.correction[0] / (deviation + hyper.epsilon);
           const Term kept = now.parameter * (1 - now.rate * hyper.weight_decay);
           return fma(-now.rate, direction, kept);
         }},
};

TensorId add_scalar(Builder& builder, const std::string& name) {
  const TensorId known = builder.graph().find(name);
  return known != no_tensor ? known : builder.scalar(name);
}

TensorId add_moment(Builder& builder, TensorId parameter, std::string_view kind) {
  const Tensor& tensor = builder.graph().at(parameter);
  const std::string name = fmt::format("{}.{}", tensor.name, kind);
  const Shape shape = tensor.shape;
  return builder.state(name, shape, std::vector<float>(static_cast<std::size_t>(element_count(shape)), 0.0f));
}

void end_step(Builder& builder, TensorId from, TensorId to) {
  builder.rename(to, builder.graph().at(from).name + ".new");
  builder.graph().update[from] = to;
}

// A rule's result, of the tensors that there are.
TensorId computed(Builder& builder, Optimizer::Rule rule, const UpdateOperands<TensorId>& tensors,
                  const Hyper& hyper) {
  Formula formula;
  std::vector<TensorId> operands;
  const auto term = [&](TensorId tensor) {
    if (tensor == no_tensor) return Term();
    operands.push_back(tensor);
    return Term(formula, formula.input(static_cast<std::int32_t>(operands.size() - 1)));
  };
  const auto terms = [&](const std::array<TensorId, most_moments>& some) {
    return std::array{term(some[0]), term(some[1])};
  };
  const Now now{.parameter = term(tensors.parameter),
                .gradient = term(tensors.gradient),
                .moment = terms(tensors.moment),
                .next = terms(tensors.next),
                .rate = term(tensors.rate),
                .correction = terms(tensors.correction)};
  return builder.elementwise(formula.finish(rule(now, hyper).node), operands);
}

void add_update(Builder& builder, const Optimizer& optimizer, UpdateOperands<TensorId> tensors) {
  for (std::size_t k = 0; k < most_moments; ++k)
    if (optimizer.moments[k].rule != nullptr)
      tensors.moment[k] = add_moment(builder, tensors.parameter, optimizer.moments[k].name);
  for (std::size_t k = 0; k < most_moments; ++k)
    if (optimizer.corrections[k].value != nullptr)
      tensors.correction[k] =
          add_scalar(builder, fmt::format("{}.{}", optimizer.name, optimizer.corrections[k].name));
  std::array next = tensors.next;
  for (std::size_t k = 0; k < most_moments; ++k)
    if (optimizer.moments[k].rule != nullptr)
      next[k] = computed(builder, optimizer.moments[k].rule, tensors, optimizer.hyper);
  tensors.next = next;
  const TensorId parameter = computed(builder, optimizer.parameter, tensors, optimizer.hyper);
  for (std::size_t k = 0; k < most_moments; ++k)
    if (next[k] != no_tensor) end_step(builder, tensors.moment[k], next[k]);
  end_step(builder, tensors.parameter, parameter);
}

}  // namespace

std::span<const Optimizer> optimizers() { return optimizer_rows; }

const Optimizer& optimizer_named(std::string_view name) {
  const auto* const row = std::ranges::find(optimizer_rows, name, &Optimizer::name);
  if (row != std::end(optimizer_rows)) return *row;
  std::vector<std::string_view> names;
  for (const Optimizer& known : optimizer_rows) names.push_back(known.name);
  refuse(Settings{{"optimizer"}}, "", "'{}' is no optimizer; there are {}", name, fmt::join(names, ", "));
}

void add_optimizer(Graph& graph, const Optimizer& optimizer) {
  Builder builder(graph);
  const TensorId rate = add_scalar(builder, "learning_rate");
  constexpr std::array absent = {no_tensor, no_tensor};
  for (const auto& [parameter, gradient] : graph.gradient) {
    builder.name(graph.at(parameter).name + ".update", "optimizer");
    add_update(builder, optimizer,
               {.parameter = parameter,
                .gradient = gradient,
                .moment = absent,
                .next = absent,
                .rate = rate,
                .correction = absent});
  }
  validate(graph);
}

std::vector<std::pair<std::string, float>> optimizer_scalars(const Optimizer& optimizer, std::uint64_t step,
                                                             double learning_rate) {
  DOJO_ENSURE(step >= 1);
  std::vector<std::pair<std::string, float>> scalars = {{"learning_rate", static_cast<float>(learning_rate)}};
  for (const auto& [name, value] : optimizer.corrections)
    if (value != nullptr)
      scalars.emplace_back(fmt::format("{}.{}", optimizer.name, name), value(optimizer.hyper, step));
  return scalars;
}

}  // namespace dojo::graph
