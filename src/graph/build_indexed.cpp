// Elements at computed places. A place that does not exist is read as NaN and written nowhere.
#include <limits>

#include "base/error.h"
#include "graph/op_maker.h"

namespace dojo::graph {
namespace {

constexpr float absent = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TensorId Builder::from_start(TensorId indices, std::int64_t extent) {
  Formula f;
  const auto index = f.input(0);
  const auto negative = f.apply(Scalar::less, index, f.constant(0));
  const auto body = f.finish(f.select(negative, f.add(index, f.constant(static_cast<float>(extent))), index));
  return elementwise(body, std::span(&indices, 1));
}

TensorId Builder::gather(TensorId x, TensorId indices, std::int64_t axis) {
  const Tensor &data = graph_.at(x), &places = graph_.at(indices);
  const std::size_t along = normal_axis(name_, axis, data.shape.size());
  OpMaker op(*this);
  Shape shape;
  std::vector<Index> from, at, to;
  const auto keep = [&](std::size_t d) {
    const Index index = Index::along(op.axis(axis_name(data, d), data.shape[d]));
    from.push_back(index), to.push_back(index), shape.push_back(data.shape[d]);
  };
  for (std::size_t d = 0; d < along; ++d) keep(d);
  for (std::size_t d = 0; d < places.shape.size(); ++d) {
    const bool batch = d == 0 && places.has_batch;
    const Index index = Index::along(op.axis(batch ? "n" : fmt::format("i{}", d), places.shape[d]));
    at.push_back(index), to.push_back(index), shape.push_back(places.shape[d]);
  }
  from.push_back(Index::computed(0));
  for (std::size_t d = along + 1; d < data.shape.size(); ++d) keep(d);
  op.read(indices, at, absent);
  Formula f;
  const auto value = f.input(op.read(x, from, absent));
  return op.write(shape, to, Reduction::none, f.finish(value));
}

TensorId Builder::gather_elements(TensorId x, TensorId indices, std::int64_t axis) {
  const Tensor &data = graph_.at(x), &places = graph_.at(indices);
  const std::size_t along = normal_axis(name_, axis, data.shape.size());
  OpMaker op(*this);
  const std::vector<Index> every = same_places(op, data.shape, places, along);
  op.read(indices, every, absent);
  std::vector<Index> from = every;
  from[along] = Index::computed(0);
  Formula f;
  const auto value = f.input(op.read(x, from, absent));
  return op.write(places.shape, every, Reduction::none, f.finish(value));
}

TensorId Builder::scatter_elements(TensorId updates, TensorId indices, std::int64_t axis, Shape shape,
                                   Reduction reduction) {
  const std::size_t along = normal_axis(name_, axis, shape.size());
  const Tensor& places = graph_.at(indices);
  OpMaker op(*this);
  const std::vector<Index> every = same_places(op, shape, places, along);
  op.read(indices, every, absent);
  Formula f;
  const auto value = f.input(op.read(updates, every));
  std::vector<Index> to = every;
  to[along] = Index::computed(0);
  return op.write(std::move(shape), to, reduction, f.finish(value));
}

std::vector<Index> Builder::same_places(OpMaker& op, const Shape& shape, const Tensor& indices,
                                        std::size_t along) const {
  if (indices.shape.size() != shape.size())
    refuse(name_, "indices of {} dimensions into {}", indices.shape.size(), shape.size());
  std::vector<Index> every;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d != along && indices.shape[d] > shape[d])
      refuse(name_, "indices of the shape [{}] into [{}]", fmt::join(indices.shape, ", "),
             fmt::join(shape, ", "));
    every.push_back(Index::along(op.axis(axis_name(indices, d), indices.shape[d])));
  }
  return every;
}

}  // namespace dojo::graph
