// Derivatives of scalar expressions, backwards from the root; one rule per operation.
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

using Node = Formula::Node;

// d loss / d operand for the three operands of a node; -1: zero.
using Partials = std::array<Node, 3>;

// a, b, c: operands; y: the node's own value; g: d loss / d y.
Partials partials(Formula& f, Scalar op, Node a, Node b, Node c, Node y, Node g) {
  const Node zero = f.constant(0), one = f.constant(1);
  switch (op) {
    case Scalar::add:
      return {g, g, -1};
    case Scalar::subtract:
      return {g, f.negate(g), -1};
    case Scalar::multiply:
      return {f.multiply(g, b), f.multiply(g, a), -1};
    case Scalar::divide:
      return {f.divide(g, b), f.negate(f.divide(f.multiply(g, y), b)), -1};
    case Scalar::fma:
      return {f.multiply(g, b), f.multiply(g, a), g};
    case Scalar::negate:
      return {f.negate(g), -1, -1};
    case Scalar::absolute: {
      const Node positive = f.select(f.less(zero, a), g, zero);
      return {f.select(f.less(a, zero), f.negate(g), positive), -1, -1};
    }
    case Scalar::minimum: {
      const Node first = f.less(a, b);
      return {f.select(first, g, zero), f.select(first, zero, g), -1};
    }
    case Scalar::maximum: {
      const Node first = f.less(b, a);
      return {f.select(first, g, zero), f.select(first, zero, g), -1};
    }
    case Scalar::sqrt:
      return {f.divide(f.multiply(g, f.constant(0.5f)), y), -1, -1};
    case Scalar::reciprocal_sqrt:
      return {f.multiply(g, f.multiply(f.constant(-0.5f), f.multiply(y, f.multiply(y, y)))), -1, -1};
    case Scalar::exp:
      return {f.multiply(g, y), -1, -1};
    case Scalar::log:
      return {f.divide(g, a), -1, -1};
    case Scalar::tanh:
      return {f.multiply(g, f.subtract(one, f.multiply(y, y))), -1, -1};
    case Scalar::sigmoid:
      return {f.multiply(g, f.multiply(y, f.subtract(one, y))), -1, -1};
    case Scalar::erf: {
      const Node slope = f.multiply(f.constant(2 / std::sqrt(std::numbers::pi_v<float>)),
                                    f.apply(Scalar::exp, f.negate(f.multiply(a, a))));
      return {f.multiply(g, slope), -1, -1};
    }
    case Scalar::relu:
      return {f.select(f.less(zero, y), g, zero), -1, -1};
    case Scalar::select:
      return {-1, f.select(a, g, zero), f.select(a, zero, g)};
    case Scalar::floor:
    case Scalar::less:
    case Scalar::equal:
      return {-1, -1, -1};
    case Scalar::input:
    case Scalar::constant:
      break;
  }
  DOJO_ENSURE(!"an operation");
  static_cast<void>(c);
  return {};
}

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
    const auto operand = [&](std::int32_t id) { return id < 0 ? -1 : node[static_cast<std::size_t>(id)]; };
    const Partials part =
        partials(formula, n.op, operand(n.a), operand(n.b), operand(n.c), node[k], adjoint[k]);
    const std::array operands = {n.a, n.b, n.c};
    for (std::size_t j = 0; j < 3; ++j) {
      if (operands[j] >= 0) accumulate(adjoint[static_cast<std::size_t>(operands[j])], part[j]);
    }
  }
  return gradient;
}

}  // namespace dojo::graph
