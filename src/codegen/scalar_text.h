// Scalar operations (graph/ir.h) as text for the nodes. What they compute is src/numerics/scalar_math.h's;
// the one thing decided here is which of two equal forms costs less.
#pragma once

#include <string>
#include <vector>

#include "graph/ir.h"

namespace dojo::codegen {

std::string literal(float value);

// The operation of a node whose operands have the names a, b and c. `bounded`: b is a number that is known
// and no NaN; `signless`: if a is NaN, its sign is positive.
struct ScalarOperands {
  std::string a, b, c;
  bool bounded = false, signless = false;
};
std::string scalar_text(graph::Scalar op, const ScalarOperands& operands);

// For each node of an expression: whether its value, if it is NaN, is a positive one. RISC-V's arithmetic
// gives no other; what only moves a value or its sign (a copy, negation, select) may. `arguments`: the same
// of the inputs.
std::vector<bool> signless_nodes(const graph::Expression& expression, const std::vector<bool>& arguments);

}  // namespace dojo::codegen
