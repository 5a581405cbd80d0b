// The optimizer as part of the graph: elementwise ops from parameter, gradient, moments and the launch's
// scalars to the new parameter and moments, entered in graph.update. Needs graph.gradient; parameters without
// a gradient stay as they are.
//
// A new optimizer is a row in optimizer.cpp, and a member here if it has a hyperparameter that none had.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/ir.h"
#include "graph/scalar_operations.h"

namespace dojo::graph {

// An optimizer gives those a value that it has; the others say nothing to it.
struct Hyperparameters {
  float momentum = 0;
  float beta1 = 0, beta2 = 0;
  float epsilon = 0;
  float weight_decay = 0;
};

constexpr std::size_t most_moments = 2;

// What an update reads of one parameter.
template <typename Quantity>
struct UpdateOperands {
  Quantity parameter, gradient;
  std::array<Quantity, most_moments> moment, next;  // before the step, and after it for the parameter's rule
  Quantity rate;
  std::array<Quantity, most_moments> correction;
};

// Moments are states "<parameter>.NAME", zero at first. A correction is a scalar "<optimizer>.NAME" that
// depends on the number of the step, t = 1, 2, ...
struct Optimizer {
  using Rule = Term (*)(const UpdateOperands<Term>& now, const Hyperparameters& hyper);
  struct Moment {
    std::string_view name;
    Rule rule = nullptr;
  };
  struct Correction {
    std::string_view name;
    float (*value)(const Hyperparameters& hyper, std::uint64_t step) = nullptr;
  };

  std::string_view name, about;  // for people
  Hyperparameters hyper;         // those of the row are the default
  std::array<Moment, most_moments> moments;
  std::array<Correction, most_moments> corrections;
  Rule parameter;  // its new value
};

std::span<const Optimizer> optimizers();
const Optimizer& optimizer_named(std::string_view name);  // UserError if there is none

void add_optimizer(Graph& graph, const Optimizer& optimizer);

// The scalars (Role::scalar) that the step number `step` reads, "learning_rate" and the corrections: (name,
// value) pairs. The first step is 1.
std::vector<std::pair<std::string, float>> optimizer_scalars(const Optimizer& optimizer, std::uint64_t step,
                                                             double learning_rate);

}  // namespace dojo::graph
