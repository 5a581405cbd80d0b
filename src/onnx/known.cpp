// Operators whose results are known while importing: constants and shapes.
#include <algorithm>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

void constant(NodeImport& node) {
  if (node.node().attributes.size() != 1) node.fail("needs exactly one attribute");
  const Attribute& value = *node.attribute(node.node().attributes[0].name);
  Known known;
  switch (value.type) {
    case AttributeType::tensor:
      known = known_of(value.tensor, node.node().name);
      break;
    case AttributeType::integer:
      known = known_integers({value.integer}), known.dims.clear();
      break;
    case AttributeType::integers:
      known = known_integers(value.integers);
      break;
    case AttributeType::single:
      known.floats = {value.single};
      break;
    case AttributeType::singles:
      known.floats = value.singles;
      known.dims = {static_cast<std::int64_t>(value.singles.size())};
      break;
    default:
      node.fail(fmt::format("attribute '{}'", value.name), Refusal::unsupported);
  }
  node.result(0, known);
}

void constant_of_shape(NodeImport& node) {
  Known known;
  known.dims = node.operand_integers(0);
  std::int64_t count = 1;
  for (const std::int64_t extent : known.dims) {
    if (extent < 0 || (extent > 0 && count > (std::int64_t{1} << 28) / extent))
      node.fail("an impossible shape");
    count *= extent;
  }
  const Attribute* value = node.attribute("value");
  Known one;
  one.floats = {0};
  if (value != nullptr) one = known_of(value->tensor, node.node().name);
  if (one.count() != 1) node.fail("attribute 'value' must have one element");
  known.is_integer = one.is_integer;
  known.type = one.type;
  if (one.is_integer) known.integers.assign(static_cast<std::size_t>(count), one.integers[0]);
  if (!one.is_integer) known.floats.assign(static_cast<std::size_t>(count), one.floats[0]);
  node.result(0, known);
}

void shape(NodeImport& node) {
  graph::Shape whole = node.shape(0);
  const auto rank = static_cast<std::int64_t>(whole.size());
  const auto bound = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const std::int64_t start = bound(node.integer("start", 0));
  const std::int64_t end = std::max(start, bound(node.integer("end", rank)));
  Known known = known_integers({whole.begin() + start, whole.begin() + end});
  const auto batch = static_cast<std::int64_t>(node.view_of(0).dimension);
  known.from_batch = node.has_batch(0) && start <= batch && batch < end;
  node.result(0, known);
}

void size(NodeImport& node) {
  Known known = known_integers({graph::element_count(node.shape(0))});
  known.dims.clear();
  node.result(0, known);
}

// clang-format off
constexpr OpRow known_table[] = {
    {"Constant",        constant},
    {"ConstantOfShape", constant_of_shape},
    {"Shape",           shape},
    {"Size",            size},
};
// clang-format on

}  // namespace

std::span<const OpRow> known_rows() { return known_table; }

}  // namespace dojo::onnx
