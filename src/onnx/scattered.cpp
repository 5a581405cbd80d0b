#include "onnx/scattered.h"

#include "graph/expression.h"

namespace dojo::onnx {
namespace {

using graph::Builder;
using graph::Reduction;
using graph::Shape;
using graph::TensorId;

// `scatter` writes what it is given into a tensor of data's shape, and `pick` reads an update by its number
// there.
template <typename Scatter, typename Pick>
TensorId brought_in(Builder& b, Arrival arrival, TensorId data, TensorId updates, TensorId numbers,
                    Scatter scatter, Pick pick) {
  if (arrival == Arrival::add) return b.add(data, scatter(updates, Reduction::sum));
  if (arrival == Arrival::maximum)
    return b.binary(graph::Scalar::maximum, data, scatter(updates, Reduction::maximum));
  if (arrival == Arrival::minimum) {
    const TensorId least = scatter(b.unary(graph::Scalar::negate, updates), Reduction::maximum);
    return b.binary(graph::Scalar::minimum, data, b.unary(graph::Scalar::negate, least));
  }
  const TensorId winner = scatter(numbers, Reduction::maximum);
  graph::Formula f;
  const auto untouched = f.less(f.input(0), f.constant(0));
  const auto body = f.finish(f.select(untouched, f.input(1), f.input(2)));
  return b.elementwise(body, std::vector{winner, data, pick(winner)});
}

// 0, 1, 2... along one dimension of a shape, the same along the others.
TensorId numbers_along(Builder& b, std::size_t dimension, Shape shape) {
  Shape alone(shape.size(), 1);
  alone[dimension] = shape[dimension];
  return b.expand(b.reshape(b.positions(shape[dimension]), alone), shape);
}

}  // namespace

TensorId scattered(Builder& b, Arrival arrival, TensorId data, TensorId updates, TensorId indices,
                   std::int64_t axis) {
  const Shape shape = b.shape(data);
  const TensorId numbers = numbers_along(b, static_cast<std::size_t>(axis), b.shape(indices));
  return brought_in(
      b, arrival, data, updates, numbers,
      [&](TensorId values, Reduction reduction) {
        return b.scatter_elements(values, indices, axis, shape, reduction);
      },
      [&](TensorId winner) { return b.gather_elements(updates, winner, axis); });
}

TensorId scattered_rows(Builder& b, Arrival arrival, TensorId data, TensorId updates, TensorId indices) {
  const Shape shape = b.shape(data);
  const std::int64_t components = b.shape(indices).back();
  // One row a place.
  Shape flat(shape.begin() + components, shape.end());
  const std::int64_t rows = graph::element_count(b.shape(indices)) / components;
  indices = b.reshape(indices, {rows, components});
  flat.insert(flat.begin(), rows);
  updates = b.reshape(updates, flat);
  return brought_in(
      b, arrival, data, updates, numbers_along(b, 0, flat),
      [&](TensorId values, Reduction reduction) { return b.scatter_nd(values, indices, shape, reduction); },
      [&](TensorId winner) { return b.pick_rows(updates, winner); });
}

}  // namespace dojo::onnx
