// ATen's operators that read and write elements at computed places. A place that does not exist, at which
// PyTorch raises an IndexError, is read as NaN and written nowhere.
#include <algorithm>

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

void index(NodeImport& node) {
  const Places places = places_of(node, 1, node.operands());
  Builder& b = node.build();
  const TensorId x = node.tensor(0);
  if (places.first == 0) return node.result(0, b.gather_nd(x, places.components));
  if (b.shape(places.components).back() != 1)
    node.fail("several indices behind a dimension without one", Refusal::not_yet);
  Shape shape = b.shape(places.components);
  shape.pop_back();
  node.result(0, b.gather(x, b.reshape(places.components, shape), static_cast<std::int64_t>(places.first)));
}

void index_put(NodeImport& node) {
  const std::size_t values = node.operands() - 1;
  const bool adds = node.integer("accumulate", 0) != 0;
  const Places places = places_of(node, 1, values);
  if (places.first != 0) node.fail("an index behind a dimension without one", Refusal::not_yet);
  Builder& b = node.build();
  const Shape own = node.shape(0);
  Shape wanted = b.shape(places.components);
  const std::int64_t components = wanted.back();
  wanted.pop_back();
  wanted.insert(wanted.end(), own.begin() + components, own.end());
  const TensorId updates =
      node.shape(values) == wanted ? node.tensor(values) : b.expand(node.tensor(values), wanted);
  node.result(0, scattered_rows(b, adds ? Arrival::add : Arrival::replace, node.tensor(0), updates,
                                places.components));
}

// clang-format off
constexpr OpRow rows[] = {
    {"embedding.default",                   embedding},
    {"embedding_dense_backward.default",    embedding_backward},
    {"gather.default",                      gather},
    {"index.Tensor",                        index},
    {"index_put.default",                   index_put},
    {"index_select.default",                index_select},
    {"scatter.src",                         scatter},
    {"scatter.value",                       scatter_value},
    {"scatter_add.default",                 scatter_add},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_indexed_rows() { return rows; }

}  // namespace dojo::onnx
