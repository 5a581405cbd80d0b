#include "graph/expression.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"

namespace dojo::graph {
namespace {

// What an operation comes to when one of its operands is this number: exact for finite numbers.
enum class Left : std::uint8_t { other, negated_other, itself, zero };
struct Identity {
  Scalar op;
  std::size_t place;  // of the operand
  float number;
  Left left;
};

// clang-format off
constexpr Identity identities[] = {
    {Scalar::add,      0,  0, Left::other},
    {Scalar::add,      1,  0, Left::other},
    {Scalar::subtract, 0,  0, Left::negated_other},
    {Scalar::subtract, 1,  0, Left::other},
    {Scalar::multiply, 0,  0, Left::zero},
    {Scalar::multiply, 1,  0, Left::zero},
    {Scalar::multiply, 0,  1, Left::other},
    {Scalar::multiply, 1,  1, Left::other},
    {Scalar::multiply, 0, -1, Left::negated_other},
    {Scalar::multiply, 1, -1, Left::negated_other},
    {Scalar::divide,   0,  0, Left::itself},
    {Scalar::divide,   1,  1, Left::other},
};
// clang-format on

}  // namespace

float apply(Scalar op, float a, float b, float c) {
  DOJO_ENSURE(row_of(op).evaluate != nullptr);
  float out;
  row_of(op).evaluate(&a, &b, &c, 1, &out);
  return out;
}

float evaluate(const Expression& expression, std::span<const float> arguments) {
  std::vector<const float*> rows_of_one;
  for (const float& argument : arguments) rows_of_one.push_back(&argument);
  std::vector<float> scratch;
  float out = 0;
  evaluate_rows(expression, rows_of_one, 1, &out, scratch);
  return out;
}

void evaluate_rows(const Expression& expression, std::span<const float* const> arguments, std::size_t length,
                   float* out, std::vector<float>& scratch) {
  const auto& nodes = expression.nodes;
  DOJO_ENSURE(!nodes.empty());
  scratch.resize(std::max(scratch.size(), nodes.size() * length));
  std::array<const float*, 16> few;
  std::vector<const float*> many;
  if (nodes.size() > few.size()) many.resize(nodes.size());
  const float** at = many.empty() ? few.data() : many.data();
  const auto operand = [&](std::int32_t node) { return node < 0 ? nullptr : at[node]; };
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const ScalarNode& node = nodes[k];
    float* row = k + 1 == nodes.size() ? out : scratch.data() + k * length;
    if (node.op == Scalar::input) {
      at[k] = arguments[static_cast<std::size_t>(node.a)];
      if (row == out) std::copy_n(at[k], length, out);
      continue;
    }
    if (node.op == Scalar::constant) {
      std::fill_n(row, length, node.value);
    } else {
      row_of(node.op).evaluate(operand(node.a), operand(node.b), operand(node.c), length, row);
    }
    at[k] = row;
  }
}

std::string to_text(const Expression& expression, std::span<const std::string> names) {
  std::vector<std::string> text;
  for (const ScalarNode& node : expression.nodes) {
    if (node.op == Scalar::input) {
      const auto k = static_cast<std::size_t>(node.a);
      text.push_back(k < names.size() ? names[k] : fmt::format("in{}", k));
      continue;
    }
    if (node.op == Scalar::constant) {
      text.push_back(fmt::format("{}", node.value));
      continue;
    }
    const ScalarRow& row = row_of(node.op);
    std::vector<std::string> operands;
    for (const std::int32_t id : {node.a, node.b, node.c})
      if (id >= 0) operands.push_back(text[static_cast<std::size_t>(id)]);
    text.push_back(row.sign.empty()
                       ? fmt::format("{}({})", row.name, fmt::join(operands, ", "))
                       : fmt::format("({})", fmt::join(operands, fmt::format(" {} ", row.sign))));
  }
  return text.empty() ? "" : text.back();
}

std::vector<std::int32_t> inputs_used(const Expression& expression) {
  std::vector<std::int32_t> used;
  for (const ScalarNode& node : expression.nodes) {
    if (node.op == Scalar::input) used.push_back(node.a);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  return used;
}

Formula::Node Formula::push(ScalarNode node) {
  for (std::size_t k = 0; k < nodes_.size(); ++k) {
    const ScalarNode& other = nodes_[k];
    if (other.op == node.op && other.a == node.a && other.b == node.b && other.c == node.c &&
        std::bit_cast<std::uint32_t>(other.value) == std::bit_cast<std::uint32_t>(node.value)) {
      return static_cast<Node>(k);
    }
  }
  nodes_.push_back(node);
  return static_cast<Node>(nodes_.size() - 1);
}

Formula::Node Formula::input(std::int32_t argument) { return push({Scalar::input, argument, -1, -1, 0}); }
Formula::Node Formula::constant(float value) { return push({Scalar::constant, -1, -1, -1, value}); }

bool Formula::is_constant(Node node, float value) const {
  return node >= 0 && at(node).op == Scalar::constant && at(node).value == value;
}

Formula::Node Formula::simplify(Scalar op, Node a, Node b, Node c) {
  const auto constant_or_absent = [&](Node node) { return node < 0 || at(node).op == Scalar::constant; };
  if (constant_or_absent(a) && constant_or_absent(b) && constant_or_absent(c)) {
    const auto value = [&](Node node) { return node < 0 ? 0.0f : at(node).value; };
    return constant(graph::apply(op, value(a), value(b), value(c)));
  }
  for (const Identity& known : identities) {
    const Node operands[] = {a, b};
    const Node itself = operands[known.place], other = operands[1 - known.place];
    if (known.op != op || !is_constant(itself, known.number)) continue;
    if (known.left == Left::zero) return constant(0);
    if (known.left == Left::itself) return itself;
    return known.left == Left::other ? other : negate(other);
  }
  const auto is_negation = [&](Node node) { return at(node).op == Scalar::negate; };
  if (op == Scalar::add && is_negation(b)) return subtract(a, at(b).a);
  if (op == Scalar::add && is_negation(a)) return subtract(b, at(a).a);
  if (op == Scalar::subtract && is_negation(b)) return add(a, at(b).a);
  if (op == Scalar::negate && is_negation(a)) return at(a).a;
  if (op == Scalar::select && b == c) return b;
  return -1;
}

Formula::Node Formula::apply(Scalar op, Node a, Node b, Node c) {
  const Node simpler = simplify(op, a, b, c);
  return simpler >= 0 ? simpler : push({op, a, b, c, 0});
}

Formula::Node Formula::insert(const Expression& expression, std::span<const Node> arguments) {
  std::vector<Node> moved;
  const auto operand = [&](std::int32_t id) { return id < 0 ? -1 : moved[static_cast<std::size_t>(id)]; };
  for (const ScalarNode& node : expression.nodes) {
    if (node.op == Scalar::input) {
      moved.push_back(arguments[static_cast<std::size_t>(node.a)]);
    } else {
      moved.push_back(push({node.op, operand(node.a), operand(node.b), operand(node.c), node.value}));
    }
  }
  return moved.back();
}

Expression copy_of_input() { return {{{Scalar::input, 0, -1, -1, 0}}}; }

Expression product_of_inputs() {
  Formula formula;
  return formula.finish(formula.multiply(formula.input(0), formula.input(1)));
}

// In the order of evaluation from left to right, whatever the order in which the nodes were made.
Expression Formula::finish(Node root) const {
  Expression expression;
  std::vector<Node> moved(nodes_.size(), -1);
  const auto place = [&](const auto& self, Node id) -> Node {
    if (id < 0) return -1;
    Node& to = moved[static_cast<std::size_t>(id)];
    if (to >= 0) return to;
    ScalarNode node = at(id);
    if (node.op != Scalar::input) {
      node.a = self(self, node.a);
      node.b = self(self, node.b);
      node.c = self(self, node.c);
    }
    expression.nodes.push_back(node);
    return to = static_cast<Node>(expression.nodes.size() - 1);
  };
  place(place, root);
  return expression;
}

}  // namespace dojo::graph
