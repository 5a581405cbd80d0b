// Scalar expressions: making, evaluating and printing them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/ir.h"
#include "graph/scalar_operations.h"

namespace dojo::graph {

// Applies one operation, the definition of all others. input and constant are no operations: a broken
// invariant.
float apply(Scalar op, float a, float b = 0, float c = 0);

// `arguments[k]` is the value of input k.
float evaluate(const Expression& expression, std::span<const float> arguments);

// The value of a whole row of points: out[i] from rows[k][i]. Same bits as evaluate() point by point.
// `scratch` grows to nodes * length floats and may be reused from call to call.
void evaluate_rows(const Expression& expression, std::span<const float* const> rows, std::size_t length,
                   float* out, std::vector<float>& scratch);

// As text: "relu(in0 + in1)", with the given names for the inputs ("in0"... where names are missing).
std::string to_text(const Expression& expression, std::span<const std::string> names = {});

// The body that is input 0 as it is, and the one that is input 0 times input 1.
Expression copy_of_input();
Expression product_of_inputs();

// Builds expressions: equal nodes are shared, and what is exact for finite numbers is simplified (x * 1, x +
// 0, x * 0, operations on constants, double negation), so that derivatives come out short and products stay
// products.
class Formula {
public:
  using Node = std::int32_t;

  Node input(std::int32_t argument);
  Node constant(float value);
  Node apply(Scalar op, Node a, Node b = -1, Node c = -1);

  Node add(Node a, Node b) { return apply(Scalar::add, a, b); }
  Node subtract(Node a, Node b) { return apply(Scalar::subtract, a, b); }
  Node multiply(Node a, Node b) { return apply(Scalar::multiply, a, b); }
  Node divide(Node a, Node b) { return apply(Scalar::divide, a, b); }
  Node negate(Node a) { return apply(Scalar::negate, a); }
  Node less(Node a, Node b) { return apply(Scalar::less, a, b); }
  Node select(Node condition, Node yes, Node no) { return apply(Scalar::select, condition, yes, no); }

  // Copies an expression in, with arguments[k] in the place of its input k; returns its root. Copied as it
  // stands: no simplification, so its value keeps its bits.
  Node insert(const Expression& expression, std::span<const Node> arguments);

  const ScalarNode& at(Node node) const { return nodes_[static_cast<std::size_t>(node)]; }
  bool is_constant(Node node, float value) const;

  // The expression with this root; nodes that it does not need are left out.
  Expression finish(Node root) const;

private:
  Node push(ScalarNode node);
  Node simplify(Scalar op, Node a, Node b, Node c);
  std::vector<ScalarNode> nodes_;
};

// Which inputs occur, ascending, without repetition.
std::vector<std::int32_t> inputs_used(const Expression& expression);

// The derivative of `body` with respect to each of its inputs, times an upstream factor.
//   formula:   where the result is built; `arguments[k]` stands for input k
//   upstream:  node of the factor (d loss / d result)
//   result:    node that stands for the body's own value, or -1 to recompute it; where a derivative is
//              shorter in terms of the result (relu, tanh, sigmoid, exp, sqrt, reciprocal_sqrt, quotient) it
//              is used, so that the input need not be kept
// Returns for each argument the node of its derivative, or -1 where it is zero. minimum, maximum: the operand
// that was chosen gets all; absolute: sign, 0 at 0; floor, less, equal: zero.
std::vector<Formula::Node> derivative(Formula& formula, const Expression& body,
                                      std::span<const Formula::Node> arguments, Formula::Node upstream,
                                      Formula::Node result);

}  // namespace dojo::graph
