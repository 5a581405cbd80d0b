// Scalar formulas that operators of more than one domain are made of, and rows that are nothing but a
// formula.
//
// Inside the importer only. A formula takes the node along for its attributes.
#pragma once

#include <span>

#include "graph/expression.h"
#include "onnx/node.h"

namespace dojo::onnx {

using F = graph::Formula;

template <graph::Scalar op>
void unary(NodeImport& node) {
  node.result(0, node.build().unary(op, node.tensor(0)));
}

// An operator as a formula of its operand x and its attributes.
template <graph::Formula::Node (*formula)(graph::Formula&, graph::Formula::Node, NodeImport&)>
void by_formula(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Formula made;
  const graph::Formula::Node root = formula(made, made.input(0), node);
  node.result(0, node.build().elementwise(made.finish(root), std::span(&x, 1)));
}

F::Node reciprocal(F& f, F::Node x, NodeImport& node);
F::Node ceiling(F& f, F::Node x, NodeImport& node);
F::Node at_most(F& f, F::Node a, F::Node b);  // false of NaN
F::Node sign(F& f, F::Node x, NodeImport& node);
F::Node round(F& f, F::Node x, NodeImport& node);  // halves to the even one
F::Node logical_not(F& f, F::Node x, NodeImport& node);

}  // namespace dojo::onnx
