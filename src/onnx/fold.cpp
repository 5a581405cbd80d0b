// Shapes are computed while importing: the few operators that exporters use on them, over known integers of
// any number of dimensions.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <numeric>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using ElementIndex = std::vector<std::int64_t>;  // one index per dimension

constexpr std::int64_t most_elements = 1 << 20;

std::int64_t count_of(NodeImport& node, const graph::Shape& dims) {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims)
    if (extent < 0 || (extent > 0 && count > most_elements / extent))
      node.fail("too many integers");
    else
      count *= extent;
  return count;
}

std::int64_t element(const Known& known, const ElementIndex& at) {
  std::size_t index = 0;
  for (std::size_t d = 0; d < at.size(); ++d)
    index = index * static_cast<std::size_t>(known.dims[d]) + static_cast<std::size_t>(at[d]);
  return known.integers[index];
}

// Integers of shape `dims`, each from its place.
Known filled(NodeImport& node, DataType type, graph::Shape dims,
             const std::function<std::int64_t(const ElementIndex&)>& value) {
  Known result;
  result.is_integer = true;
  result.type = type;
  const std::int64_t count = count_of(node, dims);
  ElementIndex at(dims.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    result.integers.push_back(value(at));
    for (std::size_t d = at.size(); d-- > 0 && ++at[d] == dims[d];) at[d] = 0;
  }
  result.dims = std::move(dims);
  return result;
}

std::size_t axis_of(NodeImport& node, std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank))
    node.fail(fmt::format("axis {} of {} dimensions", axis, rank));
  return static_cast<std::size_t>(positive);
}

// --- Element by element ---

// What `dims` and `own` broadcast to.
graph::Shape broadcast(NodeImport& node, graph::Shape dims, const graph::Shape& own) {
  if (own.size() > dims.size()) dims.insert(dims.begin(), own.size() - dims.size(), 1);
  for (std::size_t d = 0; d < own.size(); ++d) {
    std::int64_t& extent = dims[dims.size() - own.size() + d];
    if (extent != own[d] && extent != 1 && own[d] != 1)
      node.fail(fmt::format("operands of {} and {} elements", extent, own[d]));
    if (extent == 1) extent = own[d];
  }
  return dims;
}

// The shape that all operands broadcast to.
graph::Shape common_shape(NodeImport& node) {
  graph::Shape dims;
  for (std::size_t i = 0; i < node.operands(); ++i) dims = broadcast(node, dims, node.known(i)->dims);
  return dims;
}

std::int64_t broadcast_element(const Known& known, const ElementIndex& at) {
  ElementIndex own(at.end() - static_cast<std::ptrdiff_t>(known.dims.size()), at.end());
  for (std::size_t d = 0; d < own.size(); ++d)
    if (known.dims[d] == 1) own[d] = 0;
  return element(known, own);
}

using Arguments = std::span<const std::int64_t>;
using Integer = std::int64_t (*)(NodeImport&, Arguments);

// Wraps around, as the standard's integers do.
std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::int64_t add(NodeImport&, Arguments a) {
  return wrapped(static_cast<std::uint64_t>(a[0]) + static_cast<std::uint64_t>(a[1]));
}
std::int64_t subtract(NodeImport&, Arguments a) {
  return wrapped(static_cast<std::uint64_t>(a[0]) - static_cast<std::uint64_t>(a[1]));
}
std::int64_t multiply(NodeImport&, Arguments a) {
  return wrapped(static_cast<std::uint64_t>(a[0]) * static_cast<std::uint64_t>(a[1]));
}
std::int64_t divide(NodeImport& node, Arguments a) {
  if (a[1] == 0) node.fail("division by zero");
  return a[1] == -1 ? wrapped(0 - static_cast<std::uint64_t>(a[0])) : a[0] / a[1];
}
std::int64_t negate(NodeImport&, Arguments a) { return wrapped(0 - static_cast<std::uint64_t>(a[0])); }
std::int64_t equal(NodeImport&, Arguments a) { return a[0] == a[1]; }
std::int64_t where(NodeImport&, Arguments a) { return a[0] != 0 ? a[1] : a[2]; }
std::int64_t less(NodeImport&, Arguments a) { return a[0] < a[1]; }
std::int64_t at_most(NodeImport&, Arguments a) { return a[0] <= a[1]; }
std::int64_t greater(NodeImport&, Arguments a) { return a[0] > a[1]; }
std::int64_t at_least(NodeImport&, Arguments a) { return a[0] >= a[1]; }
std::int64_t both_true(NodeImport&, Arguments a) { return a[0] != 0 && a[1] != 0; }
std::int64_t one_true(NodeImport&, Arguments a) { return a[0] != 0 || a[1] != 0; }
std::int64_t not_true(NodeImport&, Arguments a) { return a[0] == 0; }
std::int64_t smaller(NodeImport&, Arguments a) { return std::min(a[0], a[1]); }
std::int64_t larger(NodeImport&, Arguments a) { return std::max(a[0], a[1]); }
// With the sign of the divisor, or, as C's remainder, of the dividend.
std::int64_t remainder(NodeImport& node, Arguments a) {
  if (a[1] == 0) node.fail("division by zero");
  const std::int64_t rest = a[1] == -1 ? 0 : a[0] % a[1];
  const bool of_divisor = node.integer("fmod", 0) == 0;
  return of_divisor && rest != 0 && (rest < 0) != (a[1] < 0) ? rest + a[1] : rest;
}

std::int64_t common_bits(NodeImport&, Arguments a) { return a[0] & a[1]; }
std::int64_t all_bits(NodeImport&, Arguments a) { return a[0] | a[1]; }
std::int64_t different_bits(NodeImport&, Arguments a) { return a[0] ^ a[1]; }
std::int64_t inverted(NodeImport&, Arguments a) { return ~a[0]; }
// By places that the type does not have, or fewer than none: what the sign alone leaves.
std::int64_t shifted(NodeImport& node, Arguments a) {
  const DataType type = node.known(0)->type;
  const std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") node.fail(fmt::format("direction = '{}'", direction));
  const bool left = direction == "LEFT";
  const bool there = a[1] >= 0 && a[1] < static_cast<std::int64_t>(bits_of(type));
  if (left) return there ? wrapped(static_cast<std::uint64_t>(a[0]) << a[1]) : 0;
  if (type == DataType::uint64) return there ? wrapped(static_cast<std::uint64_t>(a[0]) >> a[1]) : 0;
  return a[0] >> (there ? a[1] : 63);
}

constexpr bool compares(Integer compute) {
  for (const Integer one : {equal, less, at_most, greater, at_least, both_true, one_true, not_true})
    if (compute == one) return true;
  return false;
}

// In the type of its last operand, unless it compares.
template <Integer compute, std::size_t operands>
void elementwise(NodeImport& node) {
  if (node.operands() != operands) node.fail(fmt::format("needs {} operands", operands));
  const DataType type = compares(compute) ? DataType::boolean : node.known(operands - 1)->type;
  node.result(0, filled(node, type, common_shape(node), [&](const ElementIndex& at) {
                std::array<std::int64_t, operands> arguments;
                for (std::size_t k = 0; k < operands; ++k)
                  arguments[k] = broadcast_element(*node.known(k), at);
                return held(type, compute(node, arguments));
              }));
}

void expand(NodeImport& node) {
  if (node.operands() != 2) node.fail("needs 2 operands");
  node.result(0,
              filled(node, node.known(0)->type, broadcast(node, node.known(0)->dims, node.known(1)->integers),
                     [&](const ElementIndex& at) { return broadcast_element(*node.known(0), at); }));
}

// --- Elements at other places ---

void concat(NodeImport& node) {
  graph::Shape dims = node.known(0)->dims;
  const std::size_t along = axis_of(node, node.integer("axis", 0), dims.size());
  dims[along] = 0;
  for (std::size_t i = 0; i < node.operands(); ++i) {
    graph::Shape own = node.known(i)->dims;
    if (own.size() != dims.size()) node.fail("operands of different ranks");
    const std::int64_t extent = std::exchange(own[along], dims[along]);
    if (own != dims) node.fail("operands that do not fit beside each other");
    dims[along] += extent;
  }
  node.result(0, filled(node, node.known(0)->type, dims, [&](ElementIndex at) {
                std::size_t i = 0;
                for (; at[along] >= node.known(i)->dims[along]; ++i) at[along] -= node.known(i)->dims[along];
                return element(*node.known(i), at);
              }));
}

void gather(NodeImport& node) {
  const Known &data = *node.known(0), &indices = *node.known(1);
  const std::size_t along = axis_of(node, node.integer("axis", 0), data.dims.size());
  const std::int64_t extent = data.dims[along];
  for (const std::int64_t index : indices.integers)
    if (index < -extent || index >= extent) node.fail(fmt::format("index {} of {} elements", index, extent));
  graph::Shape dims = data.dims;
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(along));
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(along), indices.dims.begin(), indices.dims.end());
  node.result(0, filled(node, node.known(0)->type, dims, [&](const ElementIndex& at) {
                const auto first = at.begin() + static_cast<std::ptrdiff_t>(along);
                const auto last = first + static_cast<std::ptrdiff_t>(indices.dims.size());
                const std::int64_t index = element(indices, ElementIndex(first, last));
                ElementIndex from(at.begin(), first);
                from.push_back(index < 0 ? index + extent : index);
                from.insert(from.end(), last, at.end());
                return element(data, from);
              }));
}

void transpose(NodeImport& node) {
  const Known& data = *node.known(0);
  const std::size_t rank = data.dims.size();
  graph::Shape reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const graph::Shape order = node.integers("perm", reversed);
  if (!std::ranges::is_permutation(order, reversed)) node.fail("no permutation of its dimensions");
  graph::Shape dims;
  for (const std::int64_t d : order) dims.push_back(data.dims[static_cast<std::size_t>(d)]);
  node.result(0, filled(node, node.known(0)->type, dims, [&](const ElementIndex& at) {
                ElementIndex from(rank);
                for (std::size_t d = 0; d < rank; ++d) from[static_cast<std::size_t>(order[d])] = at[d];
                return element(data, from);
              }));
}

struct Cut {
  std::int64_t start = 0, step = 1;
};

void slice(NodeImport& node) {
  const Known& data = *node.known(0);
  if (node.operands() < 3) node.fail("needs 3 operands", Refusal::unsupported);
  const auto starts = node.operand_integers(1), ends = node.operand_integers(2);
  std::vector<std::int64_t> axes(starts.size()), steps(starts.size(), 1);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = node.operand_integers(3);
  if (node.has(4)) steps = node.operand_integers(4);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    node.fail("starts, ends, axes and steps differ in length");
  graph::Shape dims = data.dims;
  std::vector<Cut> cuts(dims.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t d = axis_of(node, axes[i], dims.size());
    const std::int64_t extent = data.dims[d], step = steps[i];
    if (step == 0 || step > most_elements || step < -most_elements)
      node.fail(fmt::format("a step of {}", step));
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    const auto bound = [&](std::int64_t v) { return std::clamp(v < 0 ? v + extent : v, low, high); };
    const std::int64_t start = bound(starts[i]), end = bound(ends[i]);
    const std::int64_t room = step > 0 ? end - start + step - 1 : start - end - step - 1;
    dims[d] = std::max<std::int64_t>(0, room / std::abs(step));
    cuts[d] = {start, step};
  }
  node.result(0, filled(node, node.known(0)->type, dims, [&](ElementIndex at) {
                for (std::size_t d = 0; d < at.size(); ++d) at[d] = cuts[d].start + at[d] * cuts[d].step;
                return element(data, at);
              }));
}

// --- The same elements in other dimensions ---

void with_dims(NodeImport& node, graph::Shape dims) {
  Known result = *node.known(0);
  if (count_of(node, dims) != static_cast<std::int64_t>(result.count()))
    node.fail(fmt::format("{} integers cannot take the shape [{}]", result.count(), fmt::join(dims, ", ")));
  result.dims = std::move(dims);
  node.result(0, result);
}

void squeeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  const graph::Shape& own = node.known(0)->dims;
  std::vector<bool> dropped(own.size());
  for (std::size_t d = 0; d < own.size(); ++d) dropped[d] = axes.empty() && own[d] == 1;
  for (const std::int64_t axis : axes) dropped[axis_of(node, axis, own.size())] = true;
  graph::Shape dims;
  for (std::size_t d = 0; d < own.size(); ++d)
    if (!dropped[d]) dims.push_back(own[d]);
  with_dims(node, dims);
}

void unsqueeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  const graph::Shape& own = node.known(0)->dims;
  std::vector<bool> added(own.size() + axes.size());
  for (const std::int64_t axis : axes) added[axis_of(node, axis, added.size())] = true;
  if (std::ranges::count(added, true) != static_cast<std::ptrdiff_t>(axes.size())) node.fail("an axis twice");
  graph::Shape dims;
  for (std::size_t d = 0, next = 0; d < added.size(); ++d) dims.push_back(added[d] ? 1 : own[next++]);
  with_dims(node, dims);
}

void reshape(NodeImport& node) {
  node.ignore({"allowzero"});
  graph::Shape dims = node.known(1)->integers;
  const graph::Shape& own = node.known(0)->dims;
  std::int64_t known = 1;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] == 0 && d < own.size()) dims[d] = own[d];
    if (dims[d] > 0 && known <= most_elements) known *= dims[d];
  }
  for (std::int64_t& extent : dims)
    if (extent == -1) extent = static_cast<std::int64_t>(node.known(0)->count()) / known;
  with_dims(node, dims);
}

// --- Counting ---

void product(NodeImport& node) {
  node.ignore({"axes", "noop_with_empty_axes"});
  const bool keep = node.integer("keepdims", 1) != 0;
  const Known& data = *node.known(0);
  if (data.dims.size() > 1) node.fail("integers of more than one dimension", Refusal::not_yet);
  std::int64_t result = 1;
  for (const std::int64_t factor : data.integers)
    result = wrapped(static_cast<std::uint64_t>(result) * static_cast<std::uint64_t>(factor));
  node.result(0, filled(node, data.type, graph::Shape(keep ? data.dims.size() : 0, 1),
                        [&](const ElementIndex&) { return held(data.type, result); }));
}

void range(NodeImport& node) {
  if (node.operands() != 3) node.fail("needs 3 operands");
  const std::int64_t start = node.operand_integer(0), limit = node.operand_integer(1),
                     step = node.operand_integer(2);
  const auto far = [](std::int64_t v) { return v > most_elements || v < -most_elements; };
  if (step == 0) node.fail("a step (delta) of 0, which never ends");
  if (far(start) || far(limit) || far(step))
    node.fail(fmt::format("a start, limit or step (delta) beyond {}", most_elements), Refusal::unsupported);
  std::vector<std::int64_t> values;
  for (std::int64_t v = start; step > 0 ? v < limit : v > limit; v += step) values.push_back(v);
  Known result = known_integers(values);
  result.type = node.known(0)->type;
  node.result(0, result);
}

// clang-format off
constexpr OpRow fold_table[] = {
    {"Add",            elementwise<add, 2>},
    {"And",            elementwise<both_true, 2>},
    {"BitShift",       elementwise<shifted, 2>},
    {"BitwiseAnd",     elementwise<common_bits, 2>},
    {"BitwiseNot",     elementwise<inverted, 1>},
    {"BitwiseOr",      elementwise<all_bits, 2>},
    {"BitwiseXor",     elementwise<different_bits, 2>},
    {"Concat",         concat},
    {"Div",            elementwise<divide, 2>},
    {"Equal",          elementwise<equal, 2>},
    {"Expand",         expand},
    {"Gather",         gather},
    {"Greater",        elementwise<greater, 2>},
    {"GreaterOrEqual", elementwise<at_least, 2>},
    {"Less",           elementwise<less, 2>},
    {"LessOrEqual",    elementwise<at_most, 2>},
    {"Max",            elementwise<larger, 2>},
    {"Min",            elementwise<smaller, 2>},
    {"Mod",            elementwise<remainder, 2>},
    {"Mul",            elementwise<multiply, 2>},
    {"Neg",            elementwise<negate, 1>},
    {"Not",            elementwise<not_true, 1>},
    {"Or",             elementwise<one_true, 2>},
    {"Range",          range},
    {"ReduceProd",     product},
    {"Reshape",        reshape},
    {"Slice",          slice},
    {"Squeeze",        squeeze},
    {"Sub",            elementwise<subtract, 2>},
    {"Transpose",      transpose},
    {"Unsqueeze",      unsqueeze},
    {"Where",          elementwise<where, 3>},
};
// clang-format on

}  // namespace

bool folds(std::string_view op) {
  return std::ranges::find(fold_table, op, &OpRow::op) != std::end(fold_table);
}

bool fold_known(NodeImport& node) {
  if (!node.all_known_integers()) return false;
  const auto row = std::ranges::find(fold_table, node.node().op, &OpRow::op);
  const bool two_alone = row != std::end(fold_table) && (row->op == "Max" || row->op == "Min");
  if (row == std::end(fold_table) || (two_alone && node.operands() != 2)) return false;
  row->build(node);
  return true;
}

}  // namespace dojo::onnx
