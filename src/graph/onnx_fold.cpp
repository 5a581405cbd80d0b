// Shapes are computed while importing: the few operators that exporters use on them, over known integers.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "graph/onnx_node.h"

namespace dojo::graph::onnx {
namespace {

// Operands of one element serve every place; others must have the same count.
std::size_t common_count(NodeImport& node) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < node.operands(); ++i) {
    const std::size_t have = node.known(i)->count();
    if (have == 1) continue;
    if (count != 1 && count != have) node.fail(fmt::format("operands of {} and {} elements", count, have));
    count = have;
  }
  return count;
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

template <Integer compute, std::size_t operands>
void elementwise(NodeImport& node) {
  if (node.operands() != operands) node.fail(fmt::format("needs {} operands", operands));
  const std::size_t count = common_count(node);
  Known result;
  result.is_integer = true;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::int64_t, operands> arguments;
    for (std::size_t k = 0; k < operands; ++k) {
      const Known& operand = *node.known(k);
      arguments[k] = operand.integers[operand.count() == 1 ? 0 : i];
    }
    result.integers.push_back(compute(node, arguments));
  }
  for (std::size_t k = 0; k < operands; ++k)
    if (node.known(k)->count() == count && node.known(k)->dims.size() >= result.dims.size())
      result.dims = node.known(k)->dims;
  node.result(0, result);
}

void concat(NodeImport& node) {
  std::vector<std::int64_t> joined;
  node.ignore({"axis"});
  for (std::size_t i = 0; i < node.operands(); ++i) {
    const Known& part = *node.known(i);
    if (part.dims.size() != 1) node.fail("integers of more than one dimension", Refusal::not_yet);
    joined.insert(joined.end(), part.integers.begin(), part.integers.end());
  }
  node.result(0, known_integers(joined));
}

void gather(NodeImport& node) {
  node.ignore({"axis"});
  const Known &data = *node.known(0), &indices = *node.known(1);
  if (data.dims.size() != 1) node.fail("integers of more than one dimension", Refusal::not_yet);
  Known result = indices;
  const auto extent = static_cast<std::int64_t>(data.count());
  for (std::int64_t& index : result.integers) {
    const std::int64_t at = index < 0 ? index + extent : index;
    if (at < 0 || at >= extent) node.fail(fmt::format("index {} of {} elements", index, extent));
    index = data.integers[static_cast<std::size_t>(at)];
  }
  node.result(0, result);
}

// The same elements in one dimension or in none.
void reshaped(NodeImport& node, std::size_t dimensions) {
  Known result = *node.known(0);
  if (dimensions == 0 && result.count() != 1) dimensions = 1;
  result.dims = dimensions == 0 ? Shape{} : Shape{static_cast<std::int64_t>(result.count())};
  node.result(0, result);
}

void squeeze(NodeImport& node) {
  node.ignore({"axes"});
  reshaped(node, 0);
}

void unsqueeze(NodeImport& node) {
  node.ignore({"axes"});
  if (!node.known(0)->dims.empty()) node.fail("integers of more than one dimension", Refusal::not_yet);
  reshaped(node, 1);
}

void reshape(NodeImport& node) {
  node.ignore({"allowzero"});
  if (node.known(1)->count() > 1) node.fail("integers of more than one dimension", Refusal::not_yet);
  reshaped(node, node.known(1)->count());
}

void slice(NodeImport& node) {
  const Known& data = *node.known(0);
  if (data.dims.size() != 1 || node.operands() < 3)
    node.fail("integers of more than one dimension", Refusal::not_yet);
  const auto extent = static_cast<std::int64_t>(data.count());
  const std::int64_t step = node.has(4) ? node.operand_integers(4).at(0) : 1;
  if (step != 1 || node.known(1)->count() != 1 || node.known(2)->count() != 1)
    node.fail("a slice of a shape with steps", Refusal::not_yet);
  const auto bound = [&](std::int64_t v) {
    return std::clamp<std::int64_t>(v < 0 ? v + extent : v, 0, extent);
  };
  const std::int64_t begin = bound(node.known(1)->integers[0]);
  const std::int64_t end = std::max(begin, bound(node.known(2)->integers[0]));
  node.result(0, known_integers({data.integers.begin() + begin, data.integers.begin() + end}));
}

void range(NodeImport& node) {
  if (node.operands() != 3) node.fail("needs 3 operands");
  const std::int64_t start = node.operand_integers(0).at(0), limit = node.operand_integers(1).at(0),
                     step = node.operand_integers(2).at(0);
  constexpr std::int64_t most = 1 << 20;
  if (step == 0 || std::abs(start) > most || std::abs(limit) > most || std::abs(step) > most)
    node.fail("a range that long", Refusal::unsupported);
  std::vector<std::int64_t> values;
  for (std::int64_t v = start; step > 0 ? v < limit : v > limit; v += step) values.push_back(v);
  node.result(0, known_integers(values));
}

// clang-format off
constexpr OpRow rows[] = {
    {"Add",       elementwise<add, 2>},
    {"Concat",    concat},
    {"Div",       elementwise<divide, 2>},
    {"Equal",     elementwise<equal, 2>},
    {"Gather",    gather},
    {"Mul",       elementwise<multiply, 2>},
    {"Neg",       elementwise<negate, 1>},
    {"Range",     range},
    {"Reshape",   reshape},
    {"Slice",     slice},
    {"Squeeze",   squeeze},
    {"Sub",       elementwise<subtract, 2>},
    {"Unsqueeze", unsqueeze},
    {"Where",     elementwise<where, 3>},
};
// clang-format on

}  // namespace

bool fold_known(NodeImport& node) {
  if (!node.all_known_integers()) return false;
  const auto row = std::ranges::find(rows, node.node().op, &OpRow::op);
  if (row == std::end(rows)) return false;
  row->build(node);
  return true;
}

}  // namespace dojo::graph::onnx
