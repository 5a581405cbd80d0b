// Products: along an axis, over axes, and Einstein's.
#include <algorithm>
#include <map>
#include <numeric>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

// x[.., i, ..] times x[.., i + half, ..], until one element is left.
TensorId product_along(graph::Builder& b, TensorId x, std::int64_t axis) {
  for (std::int64_t extent = 0; (extent = b.shape(x)[static_cast<std::size_t>(axis)]) > 1;) {
    const std::int64_t half = extent / 2;
    const TensorId pairs = b.multiply(b.slice(x, axis, 0, half), b.slice(x, axis, half, 2 * half));
    x = extent == 2 * half ? pairs : b.concat(std::vector{pairs, b.slice(x, axis, 2 * half, extent)}, axis);
  }
  return x;
}

void reduce_product(NodeImport& node) {
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool empty_means_none = node.integer("noop_with_empty_axes", 0) != 0;
  std::vector<std::int64_t> axes = node.axes(1, 18);
  TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  const std::size_t rank = b.shape(x).size();
  if (axes.empty() && empty_means_none) return node.result(0, b.reshape(x, b.shape(x)));
  if (axes.empty()) axes.resize(rank), std::iota(axes.begin(), axes.end(), 0);
  for (std::int64_t& axis : axes) {
    axis = static_cast<std::int64_t>(node.dimension(axis, rank));
    x = product_along(b, x, axis);
  }
  node.result(0, keep ? x : b.squeeze(x, axes));
}

// Each element times the one `step` before it, for steps 1, 2, 4...
void cumulative_product(NodeImport& node) {
  TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  const std::size_t rank = b.shape(x).size(), d = node.dimension(node.operand_integer(1), rank);
  const std::int64_t extent = b.shape(x)[d];
  const bool exclusive = node.integer("exclusive", 0) != 0, reverse = node.integer("reverse", 0) != 0;
  const auto moved = [&](TensorId tensor, std::int64_t step) {  // with ones where nothing comes from
    Shape begin(rank, 0), end(rank, 0);
    begin[d] = reverse ? -step : step, end[d] = reverse ? step : -step;
    return b.pad(tensor, begin, end, 1);
  };
  if (exclusive) x = moved(x, 1);
  for (std::int64_t step = 1; step < extent; step *= 2) x = b.multiply(x, moved(x, step));
  const std::optional<Bounds> one = node.bounds_of(0);
  if (!one) return node.result(0, x);
  Bounds all = both(*one, {1, 1});
  for (std::int64_t i = 1; i < extent && all.are_exact(); ++i) all = both(all, onnx::product(all, *one));
  node.whole_result(0, x, node.type_of(0), all);
}

// --- Einsum ---

struct Equation {
  std::vector<std::string> in;
  std::string out;
  bool has_out = false;
};

Equation equation_of(NodeImport& node) {
  std::string text = node.text("equation", "");
  std::erase(text, ' ');
  Equation equation;
  if (const std::size_t arrow = text.find("->"); arrow != text.npos) {
    equation.out = text.substr(arrow + 2), equation.has_out = true;
    text.resize(arrow);
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    equation.in.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  if (equation.in.size() != node.operands())
    node.fail(fmt::format("an equation of {} terms for {} operands", equation.in.size(), node.operands()));
  return equation;
}

constexpr std::int32_t hidden = 256;  // axes of an ellipsis, counted from the right

// The axes that a term names; an ellipsis stands for `unnamed` dimensions.
std::vector<std::int32_t> axes_of(NodeImport& node, const std::string& term, std::size_t unnamed) {
  std::vector<std::int32_t> axes;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (term.compare(i, 3, "...") == 0) {
      for (std::size_t k = unnamed; k-- > 0;) axes.push_back(hidden + static_cast<std::int32_t>(k));
      i += 2;
    } else if (std::isalpha(static_cast<unsigned char>(term[i])) != 0) {
      axes.push_back(static_cast<std::int32_t>(term[i]));
    } else {
      node.fail(fmt::format("'{}' in its equation", term[i]));
    }
  }
  return axes;
}

void einsum(NodeImport& node) {
  const Equation equation = equation_of(node);
  std::vector<TensorId> operands;
  std::vector<std::vector<std::int32_t>> in;
  std::map<std::int32_t, std::size_t> used;
  std::size_t most_unnamed = 0;
  for (std::size_t k = 0; k < node.operands(); ++k) {
    operands.push_back(node.tensor(k));
    const Shape shape = node.build().shape(operands[k]);
    const std::string& term = equation.in[k];
    const bool dots = term.contains("...");
    const std::size_t named = term.size() - (dots ? 3 : 0);
    if (named > shape.size() || (named < shape.size() && !dots))
      node.fail(fmt::format("'{}' for a tensor of {} dimensions", term, shape.size()));
    most_unnamed = std::max(most_unnamed, shape.size() - named);
    in.push_back(axes_of(node, term, shape.size() - named));
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const bool broadcast = in[k][d] >= hidden && shape[d] == 1 && !(d == 0 && node.has_batch(k));
      if (broadcast)
        in[k][d] = graph::Builder::no_axis;
      else
        ++used[in[k][d]];
    }
  }
  std::vector<std::int32_t> out = axes_of(node, equation.out, most_unnamed);
  if (!equation.has_out) {
    out = axes_of(node, "...", most_unnamed);
    for (const auto& [axis, times] : used)
      if (axis < hidden && times == 1) out.push_back(axis);
  }
  const auto missing = std::ranges::find_if(out, [&](std::int32_t axis) { return !used.contains(axis); });
  if (missing != out.end()) node.fail("a dimension of 1 in its result", Refusal::not_yet);
  node.result(0, node.build().einsum(operands, in, out));
}

constexpr OpRow product_table[] = {
    {"CumProd", cumulative_product},
    {"Einsum", einsum},
    {"ReduceProd", reduce_product},
};

}  // namespace

std::span<const OpRow> product_rows() { return product_table; }

}  // namespace dojo::onnx
