#include "onnx/aten_whole.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace dojo::onnx {
namespace {

std::int64_t limited(double value) {
  return static_cast<std::int64_t>(
      std::clamp(value, -static_cast<double>(far_away), static_cast<double>(far_away)));
}

std::int64_t far(const Bounds& bounds) { return std::max(std::abs(bounds.least), std::abs(bounds.most)); }

// A node as the rules see it.
struct Site {
  const Node& node;
  std::size_t result;
  std::int64_t elements;  // of the result
  const std::vector<std::optional<WholeOperand>>& operands;

  std::optional<double> number(std::string_view name) const {
    const Attribute* found = node.find(name);
    if (found == nullptr) return std::nullopt;
    if (found->type == AttributeType::integer) return static_cast<double>(found->integer);
    if (found->type == AttributeType::single) return found->single;
    return std::nullopt;
  }
  // Of an operand, or of the number in its place.
  Bounds of(std::size_t slot, std::string_view name, double otherwise = 0) const {
    if (slot < operands.size() && operands[slot] && operands[slot]->bounds) return *operands[slot]->bounds;
    const double value = number(name).value_or(otherwise);
    return {limited(std::floor(value)), limited(std::ceil(value))};
  }
  graph::Shape shape(std::size_t slot) const {
    return slot < operands.size() && operands[slot] ? operands[slot]->shape : graph::Shape{};
  }
  std::int64_t count(std::size_t slot) const { return graph::element_count(shape(slot)); }
};

Bounds times(const Bounds& bounds, std::int64_t count) {
  return {limited(static_cast<double>(bounds.least) * static_cast<double>(count)),
          limited(static_cast<double>(bounds.most) * static_cast<double>(count))};
}

// Elements of the operands, or the node's own numbers.
Bounds moved(const Site& at) {
  std::optional<Bounds> all;
  const auto take = [&](const Bounds& one) { all = all ? both(*all, one) : one; };
  for (const auto& operand : at.operands)
    if (operand && operand->bounds) take(*operand->bounds);
  for (const std::string_view name : {"other", "value", "fill_value", "s", "self", "min", "max"})
    if (const auto number = at.number(name))
      take({limited(std::floor(*number)), limited(std::ceil(*number))});
  return all.value_or(Bounds{0, 1});  // zeros and ones
}

using Rule = std::optional<Bounds> (*)(const Site& at);

std::optional<Bounds> adds(const Site& at) {
  return sum(at.of(0, "self"), product(at.of(1, "other"), at.of(2, "alpha", 1)));
}
std::optional<Bounds> subtracts(const Site& at) {
  return sum(at.of(0, "self"), negated(product(at.of(1, "other"), at.of(2, "alpha", 1))));
}
std::optional<Bounds> subtracts_from(const Site& at) {
  return sum(at.of(1, "other"), negated(product(at.of(0, "self"), at.of(2, "alpha", 1))));
}
std::optional<Bounds> multiplies(const Site& at) { return product(at.of(0, "self"), at.of(1, "other")); }
std::optional<Bounds> squares(const Site& at) { return product(at.of(0, "self"), at.of(0, "self")); }
std::optional<Bounds> negates(const Site& at) { return negated(at.of(0, "self")); }
std::optional<Bounds> either_sign(const Site& at) {
  const std::int64_t most = far(moved(at));
  return Bounds{-most, most};
}
// Within the numbers that hold it in.
std::optional<Bounds> held_in(const Site& at) {
  const Bounds own = at.of(0, "self"), low = at.of(1, "min", -far_away), high = at.of(2, "max", far_away);
  const auto inside = [&](std::int64_t value, std::int64_t least, std::int64_t most) {
    return std::min(std::max(value, least), most);
  };
  return Bounds{inside(own.least, low.least, high.least), inside(own.most, low.most, high.most)};
}
std::optional<Bounds> remains(const Site& at) {
  const std::int64_t most = std::min(far(at.of(1, "other")), far(moved(at)));
  return Bounds{-most, most};
}
std::optional<Bounds> sums(const Site& at) {
  return times(at.of(0, "self"), at.count(0) / std::max<std::int64_t>(1, at.elements));
}
std::optional<Bounds> sums_up_to(const Site& at) {
  return both(times(at.of(0, "self"), at.count(0)), at.of(0, "self"));
}
// Every update may go to the same element.
std::optional<Bounds> gathers(const Site& at) {
  const std::size_t last = at.operands.size() - 1;
  const Bounds arriving = at.of(last, "value");
  return sum(at.of(0, "self"), both({0, 0}, times(arriving, at.count(last))));
}
std::optional<Bounds> gathers_or_replaces(const Site& at) {
  return at.number("accumulate").value_or(0) != 0 ? gathers(at) : moved(at);
}
// Places along a dimension, or in the whole.
std::optional<Bounds> counts(const Site& at) {
  const graph::Shape shape = at.shape(0);
  const bool along_one = at.node.find("dim") != nullptr && !shape.empty();
  return Bounds{0, (along_one ? std::ranges::max(shape) : at.count(0)) - 1};
}
std::optional<Bounds> counts_behind(const Site& at) { return at.result == 0 ? moved(at) : *counts(at); }
Bounds counts_in_images(const Site& at, std::size_t dimensions) {
  if (at.result == 0) return moved(at);
  const graph::Shape shape = at.shape(0);
  const auto last = static_cast<std::ptrdiff_t>(std::min(dimensions, shape.size()));
  return {0, graph::element_count({shape.end() - last, shape.end()}) - 1};
}
std::optional<Bounds> counts_2d(const Site& at) { return counts_in_images(at, 2); }
std::optional<Bounds> counts_3d(const Site& at) { return counts_in_images(at, 3); }
std::optional<Bounds> ranges(const Site& at) {
  const double start = at.number("start").value_or(0), step = at.number("step").value_or(1);
  const double last = start + step * static_cast<double>(at.elements - 1);
  return Bounds{limited(std::floor(std::min(start, last))), limited(std::ceil(std::max(start, last)))};
}
std::optional<Bounds> casts(const Site& at) {
  if (at.operands.empty() || !at.operands[0]) return std::nullopt;
  if (at.operands[0]->bounds) return at.operands[0]->bounds;
  const Attribute* to = at.node.find("dtype");
  const auto narrow = to == nullptr ? std::nullopt : narrow_whole(to->string);
  return narrow ? bounds_of(*narrow) : cut_numbers;
}
std::optional<Bounds> unknown(const Site&) { return std::nullopt; }

struct WholeRow {
  std::string_view op;  // or the operator in front of the overload's point
  Rule rule;
};
// clang-format off
constexpr WholeRow rows[] = {
    {"_to_copy",                   casts},
    {"abs",                        either_sign},
    {"add",                        adds},
    {"addmm",                      unknown},
    {"arange",                     ranges},
    {"argmax",                     counts},
    {"argmin",                     counts},
    {"bmm",                        unknown},
    {"clamp",                      held_in},
    {"convolution",                unknown},
    {"cumsum",                     sums_up_to},
    {"div",                        either_sign},
    {"dot",                        unknown},
    {"fmod",                       remains},
    {"index_put",                  gathers_or_replaces},
    {"_unsafe_index_put",          gathers_or_replaces},
    {"max",                        counts_behind},
    {"max_pool2d_with_indices",    counts_2d},
    {"max_pool3d_with_indices",    counts_3d},
    {"min",                        counts_behind},
    {"mm",                         unknown},
    {"mul",                        multiplies},
    {"mv",                         unknown},
    {"neg",                        negates},
    {"pow",                        unknown},
    {"remainder",                  remains},
    {"rsub",                       subtracts_from},
    {"scatter_add",                gathers},
    {"scatter_reduce",             gathers},
    {"sort",                       counts_behind},
    {"square",                     squares},
    {"sub",                        subtracts},
    {"sum",                        sums},
    {"topk",                       counts_behind},
};
// clang-format on

}  // namespace

std::optional<DataType> narrow_whole(std::string_view name) {
  if (name == "uint8") return DataType::uint8;
  if (name == "int8") return DataType::int8;
  if (name == "int16") return DataType::int16;
  return std::nullopt;
}

Bounds given_bounds(DataType type) {
  const Bounds held = bounds_of(type);
  return {std::max(held.least, -largest_given), std::min(held.most, largest_given)};
}

std::optional<Bounds> bounds_after(const Node& node, std::size_t result, std::int64_t elements,
                                   const std::vector<std::optional<WholeOperand>>& operands) {
  const Site at{node, result, elements, operands};
  const std::string_view op = std::string_view(node.op).substr(0, node.op.find('.'));
  const auto* row = std::ranges::find(rows, op, &WholeRow::op);
  return row == std::end(rows) ? moved(at) : row->rule(at);
}

}  // namespace dojo::onnx
