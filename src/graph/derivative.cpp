// Derivatives of scalar expressions, backwards from the root, each operation by the rule in its row.
#include <array>

#include "base/error.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

using Node = Formula::Node;

// The expression's nodes in the formula; the root may stand for a value known elsewhere.
std::vector<Node> forward(Formula& formula, const Expression& body, std::span<const Node> arguments,
                          Node result) {
  std::vector<Node> node(body.nodes.size());
  const auto operand = [&](std::int32_t id) { return id < 0 ? -1 : node[static_cast<std::size_t>(id)]; };
  for (std::size_t k = 0; k < body.nodes.size(); ++k) {
    const ScalarNode& n = body.nodes[k];
    const bool root = k + 1 == body.nodes.size();
    if (n.op == Scalar::input) {
      node[k] = arguments[static_cast<std::size_t>(n.a)];
    } else if (n.op == Scalar::constant) {
      node[k] = formula.constant(n.value);
    } else {
      node[k] = root && result >= 0 ? result : formula.apply(n.op, operand(n.a), operand(n.b), operand(n.c));
    }
  }
  return node;
}

}  // namespace

Term combined(Scalar op, Term a, Term b, Term c) {
  Formula* const formula = a.formula != nullptr ? a.formula : b.formula != nullptr ? b.formula : c.formula;
  DOJO_ENSURE(formula != nullptr);
  const std::array terms = {a, b, c};
  std::array<Node, 3> nodes = {-1, -1, -1};
  for (std::size_t j = 0; j < row_of(op).operands; ++j)
    nodes[j] = terms[j].formula != nullptr ? terms[j].node : formula->constant(terms[j].number);
  return {*formula, formula->apply(op, nodes[0], nodes[1], nodes[2])};
}

std::vector<Node> derivative(Formula& formula, const Expression& body, std::span<const Node> arguments,
                             Node upstream, Node result) {
  const std::vector<Node> node = forward(formula, body, arguments, result);
  std::vector<Node> adjoint(body.nodes.size(), -1), gradient(arguments.size(), -1);
  const auto accumulate = [&](Node& sum, Node part) {
    if (part < 0 || formula.is_constant(part, 0)) return;
    sum = sum < 0 ? part : formula.add(sum, part);
  };
  adjoint.back() = upstream;
  for (std::size_t k = body.nodes.size(); k-- > 0;) {
    const ScalarNode& n = body.nodes[k];
    if (adjoint[k] < 0 || n.op == Scalar::constant) continue;
    if (n.op == Scalar::input) {
      accumulate(gradient[static_cast<std::size_t>(n.a)], adjoint[k]);
      continue;
    }
    const auto term = [&](Node id) { return Term(formula, id); };
    const auto operand = [&](std::int32_t id) {
      return term(id < 0 ? -1 : node[static_cast<std::size_t>(id)]);
    };
    const Partials part = row_of(n.op).partials(
        {.a = operand(n.a), .b = operand(n.b), .c = operand(n.c), .y = term(node[k]), .g = term(adjoint[k])});
    const std::array operands = {n.a, n.b, n.c};
    for (std::size_t j = 0; j < row_of(n.op).operands; ++j)
      accumulate(adjoint[static_cast<std::size_t>(operands[j])], part[j].node);
  }
  return gradient;
}

}  // namespace dojo::graph
