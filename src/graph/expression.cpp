#include "graph/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "numerics/scalar_math.h"

namespace dojo::graph {
namespace {

struct Row {
  Scalar op;
  std::string_view name;
  unsigned operands;
};

// clang-format off
constexpr std::array rows = {
    Row{Scalar::input, "input", 0},       Row{Scalar::constant, "constant", 0},
    Row{Scalar::add, "add", 2},           Row{Scalar::subtract, "subtract", 2},
    Row{Scalar::multiply, "multiply", 2}, Row{Scalar::divide, "divide", 2},
    Row{Scalar::fma, "fma", 3},           Row{Scalar::negate, "negate", 1},
    Row{Scalar::absolute, "absolute", 1}, Row{Scalar::minimum, "minimum", 2},
    Row{Scalar::maximum, "maximum", 2},   Row{Scalar::sqrt, "sqrt", 1},
    Row{Scalar::reciprocal_sqrt, "reciprocal_sqrt", 1},
    Row{Scalar::exp, "exp", 1},           Row{Scalar::log, "log", 1},
    Row{Scalar::tanh, "tanh", 1},         Row{Scalar::sigmoid, "sigmoid", 1},
    Row{Scalar::erf, "erf", 1},           Row{Scalar::floor, "floor", 1},
    Row{Scalar::relu, "relu", 1},         Row{Scalar::less, "less", 2},
    Row{Scalar::equal, "equal", 2},       Row{Scalar::select, "select", 3},
};
// clang-format on

constexpr bool rows_follow_the_enumeration() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].op) != i) return false;
  }
  return true;
}
static_assert(rows_follow_the_enumeration());

// One loop per operation, so that the compiler makes vector code of each.
template <typename Function>
void over_row(std::size_t length, float* out, Function function) {
  for (std::size_t i = 0; i < length; ++i) out[i] = function(i);
}

void apply_row(Scalar op, const float* a, const float* b, const float* c, std::size_t n, float* out) {
  switch (op) {
      // clang-format off
    case Scalar::add:      return over_row(n, out, [=](std::size_t i) { return a[i] + b[i]; });
    case Scalar::subtract: return over_row(n, out, [=](std::size_t i) { return a[i] - b[i]; });
    case Scalar::multiply: return over_row(n, out, [=](std::size_t i) { return a[i] * b[i]; });
    case Scalar::divide:   return over_row(n, out, [=](std::size_t i) { return a[i] / b[i]; });
    case Scalar::fma:      return over_row(n, out, [=](std::size_t i) { return scalar::fma(a[i], b[i], c[i]); });
    case Scalar::negate:   return over_row(n, out, [=](std::size_t i) { return -a[i]; });
    case Scalar::absolute: return over_row(n, out, [=](std::size_t i) { return scalar::absolute(a[i]); });
    case Scalar::minimum:  return over_row(n, out, [=](std::size_t i) { return scalar::minimum(a[i], b[i]); });
    case Scalar::maximum:  return over_row(n, out, [=](std::size_t i) { return scalar::maximum(a[i], b[i]); });
    case Scalar::sqrt:     return over_row(n, out, [=](std::size_t i) { return scalar::sqrt(a[i]); });
    case Scalar::reciprocal_sqrt: return over_row(n, out, [=](std::size_t i) { return scalar::reciprocal_sqrt(a[i]); });
    case Scalar::exp:      return over_row(n, out, [=](std::size_t i) { return scalar::exp(a[i]); });
    case Scalar::log:      return over_row(n, out, [=](std::size_t i) { return scalar::log(a[i]); });
    case Scalar::tanh:     return over_row(n, out, [=](std::size_t i) { return scalar::tanh(a[i]); });
    case Scalar::sigmoid:  return over_row(n, out, [=](std::size_t i) { return scalar::sigmoid(a[i]); });
    case Scalar::erf:      return over_row(n, out, [=](std::size_t i) { return scalar::erf(a[i]); });
    case Scalar::floor:    return over_row(n, out, [=](std::size_t i) { return scalar::floor(a[i]); });
    case Scalar::relu:     return over_row(n, out, [=](std::size_t i) { return scalar::relu(a[i]); });
    case Scalar::less:     return over_row(n, out, [=](std::size_t i) { return a[i] < b[i] ? 1.0f : 0.0f; });
    case Scalar::equal:    return over_row(n, out, [=](std::size_t i) { return a[i] == b[i] ? 1.0f : 0.0f; });
    case Scalar::select:   return over_row(n, out, [=](std::size_t i) { return a[i] != 0 ? b[i] : c[i]; });
    // clang-format on
    case Scalar::input:
    case Scalar::constant:
      break;
  }
  DOJO_ENSURE(!"an operation");
}

}  // namespace

unsigned operand_count(Scalar op) { return rows[static_cast<std::size_t>(op)].operands; }
std::string_view name(Scalar op) { return rows[static_cast<std::size_t>(op)].name; }

float apply(Scalar op, float a, float b, float c) {
  float out;
  apply_row(op, &a, &b, &c, 1, &out);
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
      apply_row(node.op, operand(node.a), operand(node.b), operand(node.c), length, row);
    }
    at[k] = row;
  }
}

std::string to_text(const Expression& expression, std::span<const std::string> names) {
  std::vector<std::string> text;
  for (const ScalarNode& node : expression.nodes) {
    const auto operand = [&](std::int32_t id) { return text[static_cast<std::size_t>(id)]; };
    const auto infix = [&](const char* sign) {
      return fmt::format("({} {} {})", operand(node.a), sign, operand(node.b));
    };
    switch (node.op) {
      case Scalar::input: {
        const auto k = static_cast<std::size_t>(node.a);
        text.push_back(k < names.size() ? names[k] : fmt::format("in{}", k));
        break;
      }
      case Scalar::constant:
        text.push_back(fmt::format("{}", node.value));
        break;
      case Scalar::add:
        text.push_back(infix("+"));
        break;
      case Scalar::subtract:
        text.push_back(infix("-"));
        break;
      case Scalar::multiply:
        text.push_back(infix("*"));
        break;
      case Scalar::divide:
        text.push_back(infix("/"));
        break;
      case Scalar::less:
        text.push_back(infix("<"));
        break;
      case Scalar::equal:
        text.push_back(infix("=="));
        break;
      default: {
        std::string list = operand(node.a);
        if (node.b >= 0) list += ", " + operand(node.b);
        if (node.c >= 0) list += ", " + operand(node.c);
        text.push_back(fmt::format("{}({})", name(node.op), list));
      }
    }
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
  switch (op) {
    case Scalar::add:
      if (is_constant(a, 0)) return b;
      if (is_constant(b, 0)) return a;
      if (at(b).op == Scalar::negate) return subtract(a, at(b).a);
      if (at(a).op == Scalar::negate) return subtract(b, at(a).a);
      break;
    case Scalar::subtract:
      if (is_constant(b, 0)) return a;
      if (is_constant(a, 0)) return negate(b);
      if (at(b).op == Scalar::negate) return add(a, at(b).a);
      break;
    case Scalar::multiply:
      if (is_constant(a, 0) || is_constant(b, 0)) return constant(0);
      if (is_constant(a, 1)) return b;
      if (is_constant(b, 1)) return a;
      if (is_constant(a, -1)) return negate(b);
      if (is_constant(b, -1)) return negate(a);
      break;
    case Scalar::divide:
      if (is_constant(a, 0)) return a;
      if (is_constant(b, 1)) return a;
      break;
    case Scalar::negate:
      if (at(a).op == Scalar::negate) return at(a).a;
      break;
    case Scalar::select:
      if (b == c) return b;
      break;
    default:
      break;
  }
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
