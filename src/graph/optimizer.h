// The optimizer as part of the graph: elementwise ops from parameter, gradient, moments and the launch's
// scalars to the new parameter and moments, entered in graph.update. Needs graph.gradient; parameters without
// a gradient stay as they are.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/ir.h"

namespace dojo::graph {

// torch.optim.SGD without dampening:
//   velocity = momentum * velocity + (gradient + weight_decay * parameter)
//   parameter -= learning_rate * velocity
// Without momentum there is no velocity: the gradient takes its place.
struct Sgd {
  float momentum = 0.9f;
  float weight_decay = 0;
};

// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, as torch.optim.AdamW:
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g g;
//   parameter = parameter * (1 - lr * weight_decay)
//               - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
struct AdamW {
  float beta1 = 0.9f, beta2 = 0.999f;
  float epsilon = 1e-8f;
  float weight_decay = 0;
};

// Scalars (Role::scalar) that the step t = 1, 2, ... reads, by name:
//   "learning_rate"
//   "adamw.correction1" = 1 / (1 - b1^t), "adamw.correction2" = 1 / (1 - b2^t), for AdamW
// Moments are states, zero at first: "<parameter>.velocity", or "<parameter>.moment1" and ".moment2".
void add_optimizer(Graph& graph, const Sgd& options);
void add_optimizer(Graph& graph, const AdamW& options);

// The values of those scalars for the step number `step` (the first is 1): (name, value) pairs.
std::vector<std::pair<std::string, float>> optimizer_scalars(const Sgd& options, std::int64_t step,
                                                             float learning_rate);
std::vector<std::pair<std::string, float>> optimizer_scalars(const AdamW& options, std::int64_t step,
                                                             float learning_rate);

}  // namespace dojo::graph
