// Operators that pick elements by number, count along an axis or put elements in order.
#include <algorithm>

#include "onnx/node.h"
#include "onnx/scattered.h"

namespace dojo::onnx {
namespace {

// Operand i as numbers from 0: known ones are a constant, computed ones may count from the end. `extents`:
// one, or one for each place of the last dimension.
graph::TensorId places(NodeImport& node, std::size_t i, const graph::Shape& extents) {
  const Known* known = node.known(i);
  if (known == nullptr) {
    const graph::TensorId result = node.numbers(i);
    if (extents.size() == 1) return node.build().from_start(result, extents[0]);
    return node.build().from_start(result, extents);
  }
  if (!known->is_integer) node.fail(fmt::format("'{}' holds no whole numbers", node.node().inputs[i]));
  if (known->integers.empty()) node.fail("no indices", Refusal::unsupported);
  std::vector<float> values;
  for (std::size_t k = 0; k < known->integers.size(); ++k) {
    const std::int64_t extent = extents[k % extents.size()], index = known->integers[k];
    if (index < -extent || index >= extent) node.fail(fmt::format("index {} of {} elements", index, extent));
    values.push_back(static_cast<float>(index < 0 ? index + extent : index));
  }
  return node.build().constant(node.build().fresh_tensor_name(node.node().inputs[i]), known->dims,
                               std::move(values));
}

std::size_t axis_of(NodeImport& node, std::int64_t otherwise) {
  return node.dimension(node.integer("axis", otherwise), node.shape(0).size());
}

void arg_extreme(NodeImport& node, bool smallest) {
  const auto axis = static_cast<std::int64_t>(axis_of(node, 0));
  const bool keep = node.integer("keepdims", 1) != 0, last = node.integer("select_last_index", 0) != 0;
  const std::int64_t extent = node.shape(0)[static_cast<std::size_t>(axis)];
  node.whole_result(0, node.build().arg_extreme(node.tensor(0), axis, keep, {smallest, last}),
                    DataType::int64, {0, extent - 1});
}
void arg_max(NodeImport& node) { arg_extreme(node, false); }
void arg_min(NodeImport& node) { arg_extreme(node, true); }

void cumulative_sum(NodeImport& node) {
  const std::size_t axis = node.dimension(node.operand_integer(1), node.shape(0).size());
  const bool exclusive = node.integer("exclusive", 0) != 0, reverse = node.integer("reverse", 0) != 0;
  const graph::TensorId made =
      node.build().cumulative_sum(node.tensor(0), static_cast<std::int64_t>(axis), exclusive, reverse);
  const std::optional<Bounds> one = node.bounds_of(0);
  if (!one) return node.result(0, made);
  const std::int64_t extent = node.shape(0)[axis];
  node.whole_result(0, made, node.type_of(0), both(product(*one, {1, extent}), {0, 0}));
}

void gather_elements(NodeImport& node) {
  const std::size_t axis = axis_of(node, 0);
  const graph::TensorId indices = places(node, 1, {node.shape(0)[axis]});
  node.result(0, node.build().gather_elements(node.tensor(0), indices, static_cast<std::int64_t>(axis)));
}

// The extents that the last dimension of indices counts in, behind `leading` dimensions.
graph::Shape counted(NodeImport& node, std::size_t leading) {
  const graph::Shape data = node.shape(0), indices = node.shape(1);
  if (indices.empty() || indices.back() < 1 ||
      leading + static_cast<std::size_t>(indices.back()) > data.size())
    node.fail(fmt::format("places [{}] in [{}]", fmt::join(indices, ", "), fmt::join(data, ", ")));
  const auto first = data.begin() + static_cast<std::ptrdiff_t>(leading);
  return {first, first + indices.back()};
}

void gather_nd(NodeImport& node) {
  const auto leading = static_cast<std::size_t>(std::max<std::int64_t>(0, node.integer("batch_dims", 0)));
  const graph::TensorId indices = places(node, 1, counted(node, leading));
  node.result(0, node.build().gather_nd(node.tensor(0), indices, leading));
}

// 1 at the first largest element along an axis.
void hardmax(NodeImport& node) {
  if (node.opset() < 13)
    node.fail("over several dimensions at once, as before operator set 13", Refusal::not_yet);
  const auto axis = static_cast<std::int64_t>(axis_of(node, -1));
  const std::int64_t depth = node.shape(0)[static_cast<std::size_t>(axis)];
  graph::Builder& b = node.build();
  const graph::TensorId place = b.arg_extreme(node.tensor(0), axis, false, {});
  node.result(0, b.one_hot(place, depth, axis, b.constant(0), b.constant(1)));
}

void one_hot(NodeImport& node) {
  const auto depth = static_cast<std::int64_t>(node.operand_number(1, 0));
  if (depth < 1) node.fail(fmt::format("a depth of {}", depth));
  const std::vector<float> values = node.operand_floats(2);
  if (values.size() != 2) node.fail(fmt::format("{} values, not off and on", values.size()));
  const std::size_t axis = node.dimension(node.integer("axis", -1), node.shape(0).size() + 1);
  graph::Builder& b = node.build();
  const graph::TensorId indices =
      b.from_start(node.known(0) == nullptr ? node.numbers(0)
                                            : b.constant(b.fresh_tensor_name(node.node().inputs[0]),
                                                         node.known(0)->dims, node.operand_floats(0)),
                   depth);
  const graph::TensorId made = b.one_hot(indices, depth, static_cast<std::int64_t>(axis),
                                         b.constant(values[0]), b.constant(values[1]));
  if (const auto bounds = node.bounds_of(2)) return node.whole_result(0, made, node.type_of(2), *bounds);
  node.result(0, made);
}

Arrival arrival_of(NodeImport& node) {
  const std::string how = node.text("reduction", "none");
  if (how == "none") return Arrival::replace;
  if (how == "add") return Arrival::add;
  if (how == "max") return Arrival::maximum;
  if (how == "min") return Arrival::minimum;
  node.fail(fmt::format("reduction = '{}'", how), Refusal::not_yet);
}

void scatter_elements(NodeImport& node) {
  const auto axis = static_cast<std::int64_t>(axis_of(node, 0));
  const graph::TensorId indices = places(node, 1, {node.shape(0)[static_cast<std::size_t>(axis)]});
  const graph::TensorId data = node.tensor(0), updates = node.tensor(2);
  node.result(0, scattered(node.build(), arrival_of(node), data, updates, indices, axis));
}

void scatter_nd(NodeImport& node) {
  const graph::TensorId indices = places(node, 1, counted(node, 0));
  const graph::TensorId data = node.tensor(0), updates = node.tensor(2);
  node.result(0, scattered_rows(node.build(), arrival_of(node), data, updates, indices));
}

void top_k(NodeImport& node) {
  const auto axis = static_cast<std::int64_t>(axis_of(node, -1));
  const std::int64_t count = node.opset() < 10 ? node.integer("k", 0) : node.operand_integer(1);
  const bool largest = node.integer("largest", 1) != 0;
  node.ignore({"sorted"});  // they may be
  const graph::Sorted sorted = node.build().top_k(node.tensor(0), count, axis, largest);
  if (const auto bounds = node.bounds_of(0))
    node.whole_result(0, sorted.values, node.type_of(0), *bounds);
  else
    node.result(0, sorted.values);
  const std::int64_t extent = node.shape(0)[static_cast<std::size_t>(axis)];
  node.whole_result(1, sorted.places, DataType::int64, {0, extent - 1});
}

void triangle(NodeImport& node) {
  const std::int64_t diagonal = node.has(1) ? node.operand_integer(1) : 0;
  const bool upper = node.integer("upper", 1) != 0;
  node.result(0, node.build().triangle(node.tensor(0), diagonal, upper));
}

// clang-format off
constexpr OpRow indexed_table[] = {
    {"ArgMax",          arg_max},
    {"ArgMin",          arg_min},
    {"CumSum",          cumulative_sum},
    {"GatherElements",  gather_elements},
    {"GatherND",        gather_nd},
    {"Hardmax",         hardmax},
    {"OneHot",          one_hot},
    {"Scatter",         scatter_elements},
    {"ScatterElements", scatter_elements},
    {"ScatterND",       scatter_nd},
    {"TopK",            top_k},
    {"Trilu",           triangle},
};
// clang-format on

}  // namespace

std::span<const OpRow> indexed_rows() { return indexed_table; }

}  // namespace dojo::onnx
