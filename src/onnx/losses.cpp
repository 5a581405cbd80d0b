// Losses as nodes of a network: of class numbers, given log-probabilities or scores.
//
//   loss[n, ...] = -weight[c] * log_probability[n, c, ...]   with c = labels[n, ...]; 0 where c is to be
//   ignored
//
// A mean divides by the sum of the weights that count.
#include "graph/expression.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::TensorId;
using F = graph::Formula;

// Class numbers as they are: what is to be ignored may be no class.
TensorId labels_of(NodeImport& node) {
  const Known* known = node.known(1);
  if (known == nullptr) return node.numbers(1);
  graph::Builder& b = node.build();
  return b.constant(b.fresh_tensor_name("labels"), known->dims, node.operand_floats(1));
}

// values where they count, else 0.
TensorId counted(NodeImport& node, TensorId values, TensorId labels) {
  if (!node.has_attribute("ignore_index")) return values;
  F f;
  const F::Node ignored = f.constant(static_cast<float>(node.integer("ignore_index", 0)));
  const F::Node here = f.apply(graph::Scalar::equal, f.input(1), ignored);
  const TensorId operands[] = {values, labels};
  return node.build().elementwise(f.finish(f.select(here, f.constant(0), f.input(0))), operands);
}

void loss_of(NodeImport& node, TensorId log_probabilities) {
  graph::Builder& b = node.build();
  const graph::Shape shape = b.shape(log_probabilities);
  const std::string over = node.text("reduction", "mean");
  if (over != "none" && over != "sum" && over != "mean") node.fail(fmt::format("reduction = '{}'", over));
  if (shape.size() < 2) node.fail("needs classes in dimension 1");
  const TensorId labels = labels_of(node), places = b.unsqueeze(labels, {1});
  const TensorId picked = b.squeeze(b.gather_elements(log_probabilities, places, 1), {1});
  TensorId loss = b.unary(graph::Scalar::negate, picked), weights = graph::no_tensor;
  if (node.has(2)) {
    weights = counted(node, b.gather(node.tensor(2), labels, 0), labels);
    loss = b.multiply(counted(node, loss, labels), weights);
  } else {
    loss = counted(node, loss, labels);
  }
  if (over == "none") return node.result(0, loss);
  if (over == "sum") return node.result(0, b.sum(loss));
  if (!node.has(2) && !node.has_attribute("ignore_index")) return node.result(0, b.mean(loss));
  if (!node.has(2)) weights = counted(node, b.expand(b.constant(1), b.shape(loss)), labels);
  node.result(0, b.divide(b.sum(loss), b.sum(weights)));
}

void negative_log_likelihood(NodeImport& node) { loss_of(node, node.tensor(0)); }

void softmax_cross_entropy(NodeImport& node) {
  const TensorId log_probabilities = node.build().log_softmax(node.tensor(0), 1);
  node.result(1, log_probabilities);
  loss_of(node, log_probabilities);
}

constexpr OpRow loss_table[] = {
    {"NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
};

}  // namespace

std::span<const OpRow> loss_rows() { return loss_table; }

}  // namespace dojo::onnx
