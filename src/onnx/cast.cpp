// Operators that change what kind of numbers a value holds.
#include <cmath>

#include "graph/expression.h"
#include "onnx/narrow.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

// Known numbers in another type. Truth is what is not 0, a NaN too.
Known cast_known(NodeImport& node, const Known& source, DataType to, bool saturates) {
  Known result;
  result.dims = source.dims;
  result.is_integer = !is_floating(to);
  result.type = to;
  if (!result.is_integer) {
    result.floats = source.floats;
    if (source.is_integer) result.floats.assign(source.integers.begin(), source.integers.end());
    if (const NarrowType* narrow = narrow_type(to)) {
      const graph::Expression rounding = rounding_to(*narrow, saturates);
      for (float& value : result.floats) value = graph::evaluate(rounding, std::span(&value, 1));
    }
    return result;
  }
  for (const std::int64_t value : source.integers) result.integers.push_back(held(to, value));
  for (const float value : source.floats) {
    if (to == DataType::boolean) {
      result.integers.push_back(value != 0);
      continue;
    }
    if (!(std::fabs(value) < 9e18f)) node.fail("a number that no integer holds");
    result.integers.push_back(held(to, static_cast<std::int64_t>(value)));
  }
  return result;
}

graph::TensorId truth(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Formula f;
  const graph::Formula::Node root = f.select(f.input(0), f.constant(1), f.constant(0));
  return node.build().elementwise(f.finish(root), std::span(&x, 1));
}

// Toward zero. What the type does not hold ONNX leaves open.
graph::TensorId cut(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Formula f;
  const auto down = f.apply(graph::Scalar::floor, f.input(0));
  const auto up = f.negate(f.apply(graph::Scalar::floor, f.negate(f.input(0))));
  return node.build().elementwise(f.finish(f.select(f.less(f.input(0), f.constant(0)), up, down)),
                                  std::span(&x, 1));
}

// The same numbers under another type: floating-point ones, or whole ones within `bounds`, wrapped around
// where the type does not hold them.
void retyped(NodeImport& node, DataType to, std::optional<Bounds> bounds) {
  if (bounds && !holds(to, *bounds)) return node.whole_result(0, node.tensor(0), to, *bounds);
  Value value = node.value(0);
  value.declared = to, value.bounds = bounds;
  node.result(0, value);
}

// Every tensor holds FP32: between the wide floating-point types, and from whole numbers to them, nothing
// changes but the type. What is trained is no known number.
void convert(NodeImport& node, DataType to, bool saturates) {
  const Known* known = node.known(0);
  const bool is_trained = known != nullptr && !known->is_integer && !node.value(0).initialiser.empty();
  const bool is_wide = to == DataType::float32 || to == DataType::float64;
  if (!is_wide && !is_floating(to) && !is_whole(to) && to != DataType::boolean)
    node.fail(fmt::format("to {}", data_type_name(to)), Refusal::unsupported);
  if (known != nullptr && !(is_trained && is_wide))
    return node.result(0, cast_known(node, *known, to, saturates));
  const std::optional<Bounds> bounds = node.bounds_of(0);
  if (to == DataType::boolean) {
    if (bounds && *bounds == Bounds{0, 1}) return retyped(node, to, bounds);
    return node.whole_result(0, truth(node), to, {0, 1});
  }
  if (is_whole(to)) {
    if (bounds) return retyped(node, to, bounds);
    // Beyond the type the standard leaves it open; as its own cases have it, small ones wrap around.
    return node.whole_result(0, cut(node), to, wraps(to) ? bounds_of(DataType::int64) : cut_numbers);
  }
  const NarrowType* narrow = narrow_type(to);
  if (narrow == nullptr || node.type_of(0) == to) return retyped(node, to, std::nullopt);
  const graph::TensorId x = node.tensor(0);
  node.result(0, node.build().elementwise(rounding_to(*narrow, saturates), std::span(&x, 1)), to);
}

// Of float8 and float4 types; the others become infinite beyond their largest number.
bool saturates_to(NodeImport& node, DataType to) {
  const bool asked = node.integer("saturate", 1) != 0;
  return to == DataType::float4e2m1 || (asked && bits_of(to) == 8);
}

void cast(NodeImport& node) {
  node.ignore({"round_mode"});  // of float8e8m0 alone
  const auto to = static_cast<DataType>(node.integer("to", 1));
  convert(node, to, saturates_to(node, to));
}

// Of the second operand only the type counts.
void cast_like(NodeImport& node) {
  node.ignore({"round_mode"});
  convert(node, node.type_of(1), saturates_to(node, node.type_of(1)));
}

constexpr OpRow cast_table[] = {
    {"Cast", cast},
    {"CastLike", cast_like},
};

}  // namespace

std::span<const OpRow> cast_rows() { return cast_table; }

}  // namespace dojo::onnx
