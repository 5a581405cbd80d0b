// Operators that change what kind of numbers a value holds.
#include <cmath>

#include "graph/expression.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

// Known numbers in another type. Truth is what is not 0, a NaN too.
Known cast_known(NodeImport& node, const Known& source, DataType to) {
  Known result;
  result.dims = source.dims;
  result.is_integer = !is_floating(to);
  result.type = to;
  if (!result.is_integer) {
    result.floats = source.floats;
    if (source.is_integer) result.floats.assign(source.integers.begin(), source.integers.end());
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
void convert(NodeImport& node, DataType to) {
  const Known* known = node.known(0);
  const bool is_trained = known != nullptr && !known->is_integer && !node.value(0).initialiser.empty();
  const bool is_wide = to == DataType::float32 || to == DataType::float64;
  const auto refuse_type = [&] { node.fail(fmt::format("to {}", data_type_name(to)), Refusal::unsupported); };
  if (known != nullptr && !(is_trained && is_wide)) {
    if (is_floating(to) && !is_wide) refuse_type();
    return node.result(0, cast_known(node, *known, to));
  }
  const std::optional<Bounds> bounds = node.bounds_of(0);
  if (to == DataType::boolean) {
    if (bounds && *bounds == Bounds{0, 1}) return retyped(node, to, bounds);
    return node.whole_result(0, truth(node), to, {0, 1});
  }
  if (is_whole(to)) {
    if (bounds) return retyped(node, to, bounds);
    return node.whole_result(0, cut(node), to, bounds_of(to));
  }
  const bool fits_narrow =
      bounds && bounds->least >= -256 && bounds->most <= 256;  // bfloat16's and float16's
  if (!is_wide && !(fits_narrow && is_floating(to))) refuse_type();
  retyped(node, to, std::nullopt);
}

void cast(NodeImport& node) {
  node.ignore({"saturate", "round_mode"});
  convert(node, static_cast<DataType>(node.integer("to", 1)));
}

// Of the second operand only the type counts.
void cast_like(NodeImport& node) {
  node.ignore({"saturate", "round_mode"});
  convert(node, node.type_of(1));
}

constexpr OpRow cast_table[] = {
    {"Cast", cast},
    {"CastLike", cast_like},
};

}  // namespace

std::span<const OpRow> cast_rows() { return cast_table; }

}  // namespace dojo::onnx
