#include "codegen/scalar_text.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "graph/scalar_operations.h"

namespace dojo::codegen {

using graph::Scalar;

std::string literal(float value) {
  if (std::isnan(value)) return "__builtin_nanf(\"\")";
  if (std::isinf(value)) return value < 0 ? "-__builtin_inff()" : "__builtin_inff()";
  return fmt::format("{:a}f", value);
}

std::string scalar_text(Scalar op, const ScalarOperands& operands) {
  const graph::ScalarRow& row = graph::row_of(op);
  DOJO_ENSURE(!row.code.empty());
  const bool cheaper = (row.given == graph::Given::bounded && operands.bounded) ||
                       (row.given == graph::Given::signless && operands.signless);
  return fmt::format(fmt::runtime(cheaper ? row.cheaper : row.code), fmt::arg("a", operands.a),
                     fmt::arg("b", operands.b), fmt::arg("c", operands.c));
}

std::vector<bool> signless_nodes(const graph::Expression& expression, const std::vector<bool>& arguments) {
  using graph::NanSign;
  std::vector<bool> signless;
  const auto of = [&](std::int32_t node) { return signless[static_cast<std::size_t>(node)]; };
  const auto is_signless = [&](const graph::ScalarNode& node) -> bool {
    if (node.op == Scalar::input) return arguments[static_cast<std::size_t>(node.a)];
    switch (graph::row_of(node.op).nan) {
      case NanSign::positive:
        return true;
      case NanSign::of_a:
        return of(node.a);
      case NanSign::of_ab:
        return of(node.a) && of(node.b);
      case NanSign::of_bc:
        return of(node.b) && of(node.c);
      case NanSign::unknown:
        return false;
    }
    return false;
  };
  for (const graph::ScalarNode& node : expression.nodes) signless.push_back(is_signless(node));
  return signless;
}

}  // namespace dojo::codegen
