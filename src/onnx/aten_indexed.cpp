// ATen's operators that read and write elements at computed places. A place that does not exist, at which
// PyTorch raises an IndexError, is read as NaN and written nowhere.
#include <algorithm>
#include <numeric>

#include "graph/expression.h"
#include "graph/gradient.h"
#include "onnx/aten_rows.h"
#include "onnx/scattered.h"

namespace dojo::onnx {
namespace {

using graph::Builder;
using graph::Shape;
using graph::TensorId;

std::int64_t dim_of(NodeImport& node) {
  return static_cast<std::int64_t>(node.dimension(node.integer("dim", 0), node.shape(0).size()));
}

void gather(NodeImport& node) {
  node.ignore({"sparse_grad"});
  node.result(0, node.build().gather_elements(node.tensor(0), node.tensor(1), dim_of(node)));
}

void index_select(NodeImport& node) {
  node.result(0, node.build().gather(node.tensor(0), node.tensor(1), dim_of(node)));
}

void scatter(NodeImport& node) {
  const TensorId data = node.tensor(0), indices = node.tensor(1), updates = node.tensor(2);
  node.result(0, scattered(node.build(), Arrival::replace, data, updates, indices, dim_of(node)));
}

void scatter_add(NodeImport& node) {
  const TensorId data = node.tensor(0), indices = node.tensor(1), updates = node.tensor(2);
  node.result(0, scattered(node.build(), Arrival::add, data, updates, indices, dim_of(node)));
}

void scatter_reduce(NodeImport& node) {
  const std::string how = node.text("reduce", "");
  if (node.integer("include_self", 1) == 0)
    node.fail("without the elements that are there", Refusal::not_yet);
  if (how != "sum" && how != "amax" && how != "amin")
    node.fail(fmt::format("reduce = '{}'", how), Refusal::not_yet);
  const Arrival arrival = how == "sum" ? Arrival::add : how == "amax" ? Arrival::maximum : Arrival::minimum;
  const TensorId data = node.tensor(0), indices = node.tensor(1), updates = node.tensor(2);
  node.result(0, scattered(node.build(), arrival, data, updates, indices, dim_of(node)));
}

// One number wherever an index leads: which index does not matter.
void scatter_value(NodeImport& node) {
  const TensorId data = node.tensor(0), indices = node.tensor(1), value = argument(node, 2, "value");
  Builder& b = node.build();
  const TensorId ones = filled(node, 1, b.shape(indices));
  const TensorId hit =
      b.scatter_elements(ones, indices, dim_of(node), b.shape(data), graph::Reduction::maximum);
  graph::Formula f;
  const auto root = f.select(f.less(f.constant(0), f.input(0)), f.input(2), f.input(1));
  node.result(0, b.elementwise(f.finish(root), std::vector{hit, data, value}));
}

void embedding(NodeImport& node) {
  node.ignore({"padding_idx", "scale_grad_by_freq", "sparse"});  // they concern the gradient
  node.result(0, node.build().gather(node.tensor(0), node.tensor(1), 0));
}

void embedding_backward(NodeImport& node) {
  if (node.integer("scale_grad_by_freq", 0) != 0) node.fail("scale_grad_by_freq", Refusal::not_yet);
  const std::int64_t rows = node.integer("num_weights", 1), padding = node.integer("padding_idx", -1);
  const TensorId upstream = node.tensor(0), indices = node.tensor(1);
  Builder& b = node.build();
  Shape flat{graph::element_count(b.shape(indices)), b.shape(upstream).back()};
  TensorId gradient =
      b.scatter_nd(b.reshape(upstream, flat), b.reshape(indices, {flat[0], 1}), {rows, flat[1]});
  if (padding >= 0 && padding < rows) {
    std::vector<float> kept(static_cast<std::size_t>(rows), 1);
    kept[static_cast<std::size_t>(padding)] = 0;
    const std::string name = b.fresh_tensor_name(node.node().outputs[0] + ".kept");
    gradient = b.multiply(gradient, b.constant(name, {rows, 1}, std::move(kept)));
  }
  node.result(0, gradient);
}

// --- Tensors as indices: x[i, j], each from the end where it is negative ---

struct Places {
  std::size_t first = 0;  // the dimension of the first index; the others follow it
  TensorId components;    // [places..., indices]
};

Places places_of(NodeImport& node, std::size_t first_slot, std::size_t end_slot) {
  const Shape own = node.shape(0);
  Builder& b = node.build();
  std::vector<TensorId> indices;
  Places places;
  Shape shape;
  for (std::size_t slot = first_slot; slot < end_slot; ++slot) {
    if (!node.has(slot)) continue;
    if (node.value(slot).declared == DataType::boolean || node.value(slot).declared == DataType::uint8)
      node.fail("a mask as an index, whose result's shape depends on its values", Refusal::unsupported);
    const std::size_t dimension = slot - first_slot;
    if (indices.empty()) places.first = dimension;
    if (places.first + indices.size() != dimension)
      node.fail("indices of dimensions that are not neighbours", Refusal::not_yet);
    indices.push_back(b.from_start(node.tensor(slot), own[dimension]));
    const Shape& one = b.shape(indices.back());
    shape.insert(shape.begin(), std::max(shape.size(), one.size()) - shape.size(), 1);
    for (std::size_t d = 0; d < one.size(); ++d) {
      std::int64_t& extent = shape[shape.size() - one.size() + d];
      extent = std::max(extent, one[d]);
    }
  }
  if (indices.empty()) node.fail("no index");
  Shape apart = shape;
  apart.push_back(1);
  for (TensorId& index : indices)
    index = b.reshape(b.shape(index) == shape ? index : b.expand(index, shape), apart);
  places.components =
      indices.size() == 1 ? indices[0] : b.concat(indices, static_cast<std::int64_t>(shape.size()));
  return places;
}

// The dimensions [first, first + count) of a tensor of this rank put in front, and the reverse.
std::vector<std::int64_t> to_front(std::size_t rank, std::size_t first, std::size_t count) {
  std::vector<std::int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  const auto begin = order.begin() + static_cast<std::ptrdiff_t>(first);
  std::rotate(order.begin(), begin, begin + static_cast<std::ptrdiff_t>(count));
  return order;
}
std::vector<std::int64_t> from_front(std::size_t rank, std::size_t first, std::size_t count) {
  std::vector<std::int64_t> order(rank);
  const std::vector<std::int64_t> there = to_front(rank, first, count);
  for (std::size_t d = 0; d < rank; ++d)
    order[static_cast<std::size_t>(there[d])] = static_cast<std::int64_t>(d);
  return order;
}

// How many dimensions the places have, and the indexed ones.
std::size_t extent_of_places(const Builder& b, const Places& places) {
  return b.shape(places.components).size() - 1;
}
std::size_t indexed_dimensions(const Builder& b, const Places& places) {
  return static_cast<std::size_t>(b.shape(places.components).back());
}

void index(NodeImport& node) {
  const Places places = places_of(node, 1, node.operands());
  Builder& b = node.build();
  TensorId x = node.tensor(0);
  if (places.first == 0) return node.result(0, b.gather_nd(x, places.components));
  x = b.transpose(x, to_front(b.shape(x).size(), places.first, indexed_dimensions(b, places)));
  const TensorId picked = b.gather_nd(x, places.components);
  node.result(
      0, b.transpose(picked, from_front(b.shape(picked).size(), places.first, extent_of_places(b, places))));
}

void index_put(NodeImport& node) {
  const std::size_t slot = node.operands() - 1;
  const Arrival arrival = node.integer("accumulate", 0) != 0 ? Arrival::add : Arrival::replace;
  node.ignore({"unsafe"});
  const Places places = places_of(node, 1, slot);
  Builder& b = node.build();
  const Shape own = node.shape(0);
  const std::size_t count = indexed_dimensions(b, places), extent = extent_of_places(b, places);
  const auto first = static_cast<std::ptrdiff_t>(places.first);
  // What is picked there has the places where the indexed dimensions were.
  Shape picked = own;
  picked.erase(picked.begin() + first, picked.begin() + first + static_cast<std::ptrdiff_t>(count));
  const Shape components = b.shape(places.components);
  picked.insert(picked.begin() + first, components.begin(), components.end() - 1);
  TensorId data = node.tensor(0), updates = node.tensor(slot);
  if (node.shape(slot) != picked) updates = b.expand(updates, picked);
  if (places.first != 0) {
    data = b.transpose(data, to_front(own.size(), places.first, count));
    updates = b.transpose(updates, to_front(picked.size(), places.first, extent));
  }
  const TensorId result = scattered_rows(b, arrival, data, updates, places.components);
  node.result(0,
              places.first == 0 ? result : b.transpose(result, from_front(own.size(), places.first, count)));
}

// clang-format off
constexpr OpRow rows[] = {
    {"_unsafe_index.Tensor",                index},
    {"embedding.default",                   embedding},
    {"embedding_dense_backward.default",    embedding_backward},
    {"gather.default",                      gather},
    {"index.Tensor",                        index},
    {"_unsafe_index_put.default",           index_put},
    {"index_put.default",                   index_put},
    {"index_select.default",                index_select},
    {"scatter.src",                         scatter},
    {"scatter.value",                       scatter_value},
    {"scatter_add.default",                 scatter_add},
    {"scatter_reduce.two",                  scatter_reduce},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_indexed_rows() { return rows; }

}  // namespace dojo::onnx
