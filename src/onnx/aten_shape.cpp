// ATen's operators that lay elements out in another shape, take some of them, or make tensors of numbers.
// What shape a result has the file says.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/expression.h"
#include "graph/op_maker.h"
#include "onnx/aten_rows.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

// The same elements in the same order.
void reshaped(NodeImport& node) {
  node.ignore({"size", "shape", "dim", "memory_format", "start_dim", "end_dim"});
  const Shape& wanted = node.wanted_shape(0);
  if (node.shape(0) == wanted) return node.result(0, node.value(0));
  node.result(0, node.build().reshape(node.tensor(0), wanted));
}

void permute(NodeImport& node) {
  const TensorId x = node.tensor(0);
  std::vector<std::int64_t> order = node.integers("dims");
  if (order.empty()) return node.result(0, node.value(0));
  node.result(0, node.build().transpose(x, order));
}

void exchange(NodeImport& node, std::int64_t first, std::int64_t second) {
  const std::size_t rank = node.shape(0).size();
  if (rank < 2) return node.result(0, node.value(0));
  std::vector<std::int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[node.dimension(first, rank)], order[node.dimension(second, rank)]);
  node.result(0, node.build().transpose(node.tensor(0), order));
}
void transpose(NodeImport& node) {
  const std::int64_t first = node.integer("dim0", 0), second = node.integer("dim1", 1);
  exchange(node, first, second);
}
void transpose_matrix(NodeImport& node) { exchange(node, 0, 1); }

void expand(NodeImport& node) {
  node.ignore({"size", "implicit"});
  const Shape& wanted = node.wanted_shape(0);
  if (node.shape(0) == wanted) return node.result(0, node.value(0));
  node.result(0, node.build().expand(node.tensor(0), wanted));
}

// Whole copies beside each other: [r, a] of [a], laid out as [r * a].
void repeat(NodeImport& node) {
  const Shape repeats = node.integers("repeats");
  Shape own = node.shape(0), apart, whole;
  own.insert(own.begin(), repeats.size() - std::min(repeats.size(), own.size()), 1);
  if (own.size() != repeats.size()) node.fail("fewer repeats than dimensions");
  for (std::size_t d = 0; d < own.size(); ++d) {
    apart.insert(apart.end(), {1, own[d]});
    whole.insert(whole.end(), {repeats[d], own[d]});
  }
  graph::Builder& b = node.build();
  node.result(0, b.reshape(b.expand(b.reshape(node.tensor(0), apart), whole), node.wanted_shape(0)));
}

void concatenate(NodeImport& node) {
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < node.operands(); ++i) parts.push_back(node.tensor(i));
  node.result(0, node.build().concat(parts, node.integer("dim", 0)));
}

constexpr std::int64_t no_end = std::int64_t{1} << 40;

void slice(NodeImport& node) {
  const std::int64_t dim = node.integer("dim", 0), start = node.integer("start", 0),
                     end = std::min(node.integer("end", no_end), no_end), step = node.integer("step", 1);
  if (node.shape(0) == node.wanted_shape(0)) return node.result(0, node.value(0));
  node.result(0, node.build().slice(node.tensor(0), dim, start, end, step));
}

void select(NodeImport& node) {
  const Shape own = node.shape(0);
  const std::size_t dim = node.dimension(node.integer("dim", 0), own.size());
  std::int64_t index = node.integer("index", 0);
  if (index < -own[dim] || index >= own[dim])
    node.fail(fmt::format("index {} of {} elements", index, own[dim]));
  if (index < 0) index += own[dim];
  graph::Builder& b = node.build();
  const TensorId part = b.slice(node.tensor(0), static_cast<std::int64_t>(dim), index, index + 1);
  node.result(0, b.reshape(part, node.wanted_shape(0)));
}

void split_along(NodeImport& node, std::size_t dim, std::span<const std::int64_t> sizes) {
  const TensorId x = node.tensor(0);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); start += sizes[i++])
    if (node.wants(i))
      node.result(i, node.build().slice(x, static_cast<std::int64_t>(dim), start, start + sizes[i]));
}

void split_with_sizes(NodeImport& node) {
  const std::size_t dim = node.dimension(node.integer("dim", 0), node.shape(0).size());
  split_along(node, dim, node.integers("split_sizes"));
}

void split(NodeImport& node) {
  const std::size_t dim = node.dimension(node.integer("dim", 0), node.shape(0).size());
  const std::int64_t extent = node.shape(0)[dim], size = node.integer("split_size", 1);
  if (size < 1) node.fail(fmt::format("parts of {}", size));
  Shape sizes;
  for (std::int64_t start = 0; start < extent; start += size) sizes.push_back(std::min(size, extent - start));
  split_along(node, dim, sizes);
}

void unbind(NodeImport& node) {
  const Shape own = node.shape(0);
  const auto dim = static_cast<std::int64_t>(node.dimension(node.integer("dim", 0), own.size()));
  const TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  for (std::int64_t i = 0; i < own[static_cast<std::size_t>(dim)]; ++i) {
    const auto result = static_cast<std::size_t>(i);
    if (node.wants(result))
      node.result(result, b.reshape(b.slice(x, dim, i, i + 1), node.wanted_shape(result)));
  }
}

// Pads of the last dimension come first, each as before and behind.
void pad(NodeImport& node) {
  const Shape pads = node.integers("pad"), own = node.shape(0);
  if (pads.size() % 2 != 0 || pads.size() > 2 * own.size())
    node.fail(fmt::format("{} pads of {} dimensions", pads.size(), own.size()));
  Shape begin(own.size(), 0), end(own.size(), 0);
  for (std::size_t k = 0; k < pads.size() / 2; ++k) {
    begin[own.size() - 1 - k] = pads[2 * k];
    end[own.size() - 1 - k] = pads[2 * k + 1];
  }
  node.result(0, node.build().pad(node.tensor(0), begin, end, node.number("value", 0)));
}

void flip(NodeImport& node) {
  TensorId x = node.tensor(0);
  for (const std::int64_t dim : node.integers("dims")) x = node.build().slice(x, dim, -1, -no_end, -1);
  node.result(0, x);
}

// `src` in the place of a slice of `self`: it is moved there, and taken where the place is its own.
void slice_scatter(NodeImport& node) {
  const Shape own = node.shape(0), part = node.shape(1);
  const std::size_t dim = node.dimension(node.integer("dim", 0), own.size());
  std::int64_t start = node.integer("start", 0);
  start = std::clamp<std::int64_t>(start < 0 ? start + own[dim] : start, 0, own[dim]);
  const std::int64_t step = node.integer("step", 1);
  node.ignore({"end"});  // as far as the source goes
  if (step < 1 || start + (part[dim] - 1) * step >= own[dim])
    node.fail("a source that does not fit the slice");
  std::vector<float> inside(static_cast<std::size_t>(own[dim]), 0);
  for (std::int64_t k = 0; k < part[dim]; ++k) inside[static_cast<std::size_t>(start + k * step)] = 1;
  Shape along(own.size(), 1);
  along[dim] = own[dim];
  graph::Builder& b = node.build();
  const TensorId mask = b.constant(b.fresh_tensor_name(node.node().outputs[0] + ".inside"), along, inside);
  const TensorId x = node.tensor(0), source = node.tensor(1);
  graph::OpMaker op(b);
  std::vector<graph::Index> from, to;
  for (std::size_t d = 0; d < own.size(); ++d) {
    from.push_back(graph::Index::along(op.axis(fmt::format("d{}", d), part[d])));
    to.push_back(d == dim ? graph::Index::along(d, step, start) : from.back());
  }
  op.read(source, std::move(from));
  const TensorId moved = op.write(own, to, graph::Reduction::sum, graph::copy_of_input());
  graph::Formula f;
  const auto root = f.select(f.input(0), f.input(1), f.input(2));
  node.result(0, b.elementwise(f.finish(root), std::vector{mask, moved, x}));
}

// [.., k] = x[.., k + max(0, -offset), k + max(0, offset)] of two dimensions, the diagonal last.
void diagonal(NodeImport& node) {
  const Shape own = node.shape(0);
  const std::size_t first = node.dimension(node.integer("dim1", 0), own.size()),
                    second = node.dimension(node.integer("dim2", 1), own.size());
  const std::int64_t offset = node.integer("offset", 0);
  if (first == second) node.fail("twice the same dimension");
  const TensorId x = node.tensor(0);
  graph::OpMaker op(node.build());
  std::vector<graph::Index> from(own.size()), to;
  for (std::size_t d = 0; d < own.size(); ++d)
    if (d != first && d != second)
      to.push_back(from[d] = graph::Index::along(op.axis(fmt::format("d{}", d), own[d])));
  const std::size_t along = op.axis("k", node.wanted_shape(0).back());
  from[first] = graph::Index::along(along, 1, std::max<std::int64_t>(0, -offset));
  from[second] = graph::Index::along(along, 1, std::max<std::int64_t>(0, offset));
  to.push_back(graph::Index::along(along));
  op.read(x, std::move(from));
  node.result(0, op.write(node.wanted_shape(0), to, graph::Reduction::none, graph::copy_of_input()));
}

// Windows along a dimension: [.., i, .., k] = x[.., i * step + k, ..].
void unfold(NodeImport& node) {
  const Shape own = node.shape(0), wanted = node.wanted_shape(0);
  const std::size_t along = node.dimension(node.integer("dimension", 0), own.size());
  const std::int64_t size = node.integer("size", 1), step = node.integer("step", 1);
  if (wanted.size() != own.size() + 1 || wanted.back() != size ||
      (wanted[along] - 1) * step + size > own[along])
    node.fail(fmt::format("windows of {} in {}", size, own[along]));
  const TensorId x = node.tensor(0);
  graph::OpMaker op(node.build());
  std::vector<graph::Index> from, to;
  for (std::size_t d = 0; d < own.size(); ++d) {
    const std::size_t axis = op.axis(fmt::format("d{}", d), wanted[d]);
    to.push_back(graph::Index::along(axis));
    from.push_back(graph::Index::along(axis, d == along ? step : 1));
  }
  const std::size_t inside = op.axis("k", size);
  from[along].plus(inside, 1);
  to.push_back(graph::Index::along(inside));
  op.read(x, std::move(from));
  node.result(0, op.write(wanted, to, graph::Reduction::none, graph::copy_of_input()));
}

// --- Tensors of numbers ---

template <int number>
void of_one_number(NodeImport& node) {
  node.ignore({"size", "dtype", "layout", "device", "pin_memory", "memory_format"});
  node.result(0, filled(node, number, node.wanted_shape(0)));
}

void full(NodeImport& node) {
  node.ignore({"size", "dtype", "layout", "device", "pin_memory", "memory_format"});
  const std::size_t slot = node.node().op.starts_with("full_like") ? 1 : 0;
  if (!node.has(slot))
    return node.result(0, filled(node, node.number("fill_value", 0), node.wanted_shape(0)));
  node.result(0, node.build().expand(node.tensor(slot), node.wanted_shape(0)));
}

void scalar_tensor(NodeImport& node) {
  node.ignore({"dtype", "layout", "device", "pin_memory"});
  node.result(0, node.has(0) ? node.tensor(0) : node.build().constant(node.number("s", 0)));
}

void range(NodeImport& node) {
  node.ignore({"end", "dtype", "layout", "device", "pin_memory"});
  const float start = node.number("start", 0), step = node.number("step", 1);
  std::vector<float> values;
  for (std::int64_t k = 0; k < graph::element_count(node.wanted_shape(0)); ++k)
    values.push_back(static_cast<float>(start + static_cast<double>(k) * step));
  graph::Builder& b = node.build();
  node.result(0, b.constant(b.fresh_tensor_name(node.node().outputs[0]), node.wanted_shape(0), values));
}

// clang-format off
constexpr OpRow rows[] = {
    {"_unsafe_view.default",        reshaped},
    {"arange.default",              range},
    {"arange.start",                range},
    {"arange.start_step",           range},
    {"cat.default",                 concatenate},
    {"constant_pad_nd.default",     pad},
    {"diagonal.default",            diagonal},
    {"empty.memory_format",         of_one_number<0>},
    {"empty_like.default",          of_one_number<0>},
    {"expand.default",              expand},
    {"flip.default",                flip},
    {"full.default",                full},
    {"full_like.default",           full},
    {"ones.default",                of_one_number<1>},
    {"ones_like.default",           of_one_number<1>},
    {"permute.default",             permute},
    {"repeat.default",              repeat},
    {"reshape.default",             reshaped},
    {"scalar_tensor.default",       scalar_tensor},
    {"select.int",                  select},
    {"slice.Tensor",                slice},
    {"slice_scatter.default",       slice_scatter},
    {"split.Tensor",                split},
    {"split_with_sizes.default",    split_with_sizes},
    {"squeeze.default",             reshaped},
    {"squeeze.dim",                 reshaped},
    {"squeeze.dims",                reshaped},
    {"t.default",                   transpose_matrix},
    {"transpose.int",               transpose},
    {"unbind.int",                  unbind},
    {"unfold.default",              unfold},
    {"unsqueeze.default",           reshaped},
    {"view.default",                reshaped},
    {"zeros.default",               of_one_number<0>},
    {"zeros_like.default",          of_one_number<0>},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_shape_rows() { return rows; }

}  // namespace dojo::onnx
