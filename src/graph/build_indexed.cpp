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

TensorId Builder::from_start(TensorId indices, const Shape& extents) {
  Formula f;
  const auto index = f.input(0);
  const auto body = f.finish(f.select(f.less(index, f.constant(0)), f.add(index, f.input(1)), index));
  const TensorId limits = constant(fresh_tensor_name("extents"), {static_cast<std::int64_t>(extents.size())},
                                   {extents.begin(), extents.end()});
  return elementwise(body, std::vector{indices, limits});
}

TensorId Builder::pick_rows(TensorId x, TensorId rows) {
  const Tensor &data = graph_.at(x), &places = graph_.at(rows);
  if (data.shape.empty() || places.shape.size() + 1 < data.shape.size())
    refuse(name_, "rows [{}] of [{}]", fmt::join(places.shape, ", "), fmt::join(data.shape, ", "));
  OpMaker op(*this);
  const std::vector<Index> every = same_places(op, places.shape, places);
  op.read(rows, every, absent);
  std::vector<Index> from(every.end() - static_cast<std::ptrdiff_t>(data.shape.size() - 1), every.end());
  from.insert(from.begin(), Index::computed(0));
  Formula f;
  const auto value = f.input(op.read(x, from, absent));
  return op.write(places.shape, every, Reduction::none, f.finish(value));
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
  const std::vector<Index> every = same_places(op, data.shape, places);
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
  const std::vector<Index> every = same_places(op, shape, places);
  op.read(indices, every, absent);
  Formula f;
  const auto value = f.input(op.read(updates, every));
  std::vector<Index> to = every;
  to[along] = Index::computed(0);
  return op.write(std::move(shape), to, reduction, f.finish(value));
}

TensorId Builder::gather_nd(TensorId x, TensorId indices, std::size_t leading) {
  const Tensor &data = graph_.at(x), &places = graph_.at(indices);
  const std::size_t rank = places.shape.size(),
                    components = rank == 0 ? 0 : static_cast<std::size_t>(places.shape.back());
  if (components < 1 || leading >= rank || leading + components > data.shape.size())
    refuse(name_, "places [{}] in [{}]", fmt::join(places.shape, ", "), fmt::join(data.shape, ", "));
  OpMaker op(*this);
  std::vector<Index> at, from, to;
  Shape shape;
  for (std::size_t d = 0; d + 1 < rank; ++d) {
    at.push_back(Index::along(op.axis(axis_name(places, d), places.shape[d])));
    to.push_back(at.back()), shape.push_back(places.shape[d]);
    if (d < leading) from.push_back(at.back());
  }
  for (std::size_t c = 0; c < components; ++c)
    from.push_back(Index::computed(read_component(op, indices, at, c)));
  for (std::size_t d = leading + components; d < data.shape.size(); ++d) {
    from.push_back(Index::along(op.axis(fmt::format("d{}", d), data.shape[d])));
    to.push_back(from.back()), shape.push_back(data.shape[d]);
  }
  Formula f;
  const auto value = f.input(op.read(x, from, absent));
  return op.write(shape, to, Reduction::none, f.finish(value));
}

TensorId Builder::scatter_nd(TensorId updates, TensorId indices, Shape shape, Reduction reduction) {
  const Tensor &values = graph_.at(updates), &places = graph_.at(indices);
  const std::size_t rank = places.shape.size(),
                    components = rank == 0 ? 0 : static_cast<std::size_t>(places.shape.back());
  if (components < 1 || components > shape.size() ||
      values.shape.size() != rank - 1 + shape.size() - components)
    refuse(name_, "places [{}] of [{}] in [{}]", fmt::join(places.shape, ", "), fmt::join(values.shape, ", "),
           fmt::join(shape, ", "));
  OpMaker op(*this);
  std::vector<Index> at, from, to;
  for (std::size_t d = 0; d + 1 < rank; ++d) {
    at.push_back(Index::along(op.axis(axis_name(places, d), places.shape[d])));
    from.push_back(at.back());
  }
  for (std::size_t c = 0; c < components; ++c)
    to.push_back(Index::computed(read_component(op, indices, at, c)));
  for (std::size_t d = components; d < shape.size(); ++d) {
    to.push_back(Index::along(op.axis(fmt::format("d{}", d), shape[d])));
    from.push_back(to.back());
  }
  Formula f;
  const auto value = f.input(op.read(updates, from));
  return op.write(std::move(shape), to, reduction, f.finish(value));
}

std::int32_t Builder::read_component(OpMaker& op, TensorId indices, std::vector<Index> at,
                                     std::size_t component) {
  at.push_back(Index::fixed(static_cast<std::int64_t>(component)));
  return op.read(indices, std::move(at), absent);
}

std::vector<Index> Builder::same_places(OpMaker& op, const Shape& shape, const Tensor& indices) const {
  if (indices.shape.size() != shape.size())
    refuse(name_, "indices of {} dimensions into {}", indices.shape.size(), shape.size());
  std::vector<Index> every;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    every.push_back(Index::along(op.axis(axis_name(indices, d), indices.shape[d])));
  }
  return every;
}

}  // namespace dojo::graph
