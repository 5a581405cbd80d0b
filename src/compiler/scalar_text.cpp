#include "compiler/scalar_text.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace dojo::compiler {

using graph::Scalar;

std::string literal(float value) {
  if (std::isnan(value)) return "__builtin_nanf(\"\")";
  if (std::isinf(value)) return value < 0 ? "-__builtin_inff()" : "__builtin_inff()";
  return fmt::format("{:a}f", value);
}

std::string scalar_text(Scalar op, const ScalarOperands& operands) {
  const auto& [a, b, c, bounded, signless] = operands;
  const auto call = [&](const char* function) { return fmt::format("scalar::{}({})", function, a); };
  const auto of_two = [&](const char* function) { return fmt::format("scalar::{}({}, {})", function, a, b); };
  switch (op) {
      // clang-format off
    case Scalar::add:             return fmt::format("{} + {}", a, b);
    case Scalar::subtract:        return fmt::format("{} - {}", a, b);
    case Scalar::multiply:        return fmt::format("{} * {}", a, b);
    case Scalar::divide:          return fmt::format("{} / {}", a, b);
    case Scalar::fma:             return fmt::format("scalar::fma({}, {}, {})", a, b, c);
    case Scalar::negate:          return fmt::format("-{}", a);
    case Scalar::absolute:        return call("absolute");
    case Scalar::minimum:         return of_two(bounded ? "at_most" : "minimum");
    case Scalar::maximum:         return of_two(bounded ? "at_least" : "maximum");
    case Scalar::sqrt:            return call("sqrt");
    case Scalar::reciprocal_sqrt: return call("reciprocal_sqrt");
    case Scalar::exp:             return call("exp");
    case Scalar::log:             return call("log");
    case Scalar::tanh:            return call("tanh");
    case Scalar::sigmoid:         return call("sigmoid");
    case Scalar::erf:             return call("erf");
    case Scalar::floor:           return call("floor");
    case Scalar::relu:            return call(signless ? "relu_of_result" : "relu");
    case Scalar::less:            return fmt::format("{} < {} ? 1.0f : 0.0f", a, b);
    case Scalar::equal:           return fmt::format("{} == {} ? 1.0f : 0.0f", a, b);
    case Scalar::select:          return fmt::format("{} != 0.0f ? {} : {}", a, b, c);
    // clang-format on
    case Scalar::input:
    case Scalar::constant:
      break;
  }
  DOJO_ENSURE(!"an operation");
  return {};
}

std::vector<bool> signless_nodes(const graph::Expression& expression, const std::vector<bool>& arguments) {
  std::vector<bool> signless;
  const auto of = [&](std::int32_t node) { return node < 0 || signless[static_cast<std::size_t>(node)]; };
  for (const graph::ScalarNode& node : expression.nodes) {
    switch (node.op) {
      case Scalar::input:
        signless.push_back(arguments[static_cast<std::size_t>(node.a)]);
        break;
      case Scalar::negate:
        signless.push_back(false);
        break;
      case Scalar::select:
        signless.push_back(of(node.b) && of(node.c));
        break;
      case Scalar::minimum:
      case Scalar::maximum:
      case Scalar::relu:
      case Scalar::floor:
      case Scalar::log:
      case Scalar::tanh:
      case Scalar::erf:
        signless.push_back(of(node.a) && of(node.b));
        break;
      default:
        signless.push_back(true);
    }
  }
  return signless;
}

}  // namespace dojo::compiler
