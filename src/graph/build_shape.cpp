// Copies: the result holds elements of the operand at other places. Affine maps on both sides.
#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "graph/op_maker.h"

namespace dojo::graph {

namespace {

// Axes over the whole operand, and the index of each dimension.
std::vector<Index> every_element(OpMaker& op, const Tensor& tensor) {
  std::vector<Index> map;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    map.push_back(Index::along(op.axis(axis_name(tensor, d), tensor.shape[d])));
  }
  return map;
}

// Fills in 0 (keep) and -1 (infer).
Shape resolved(const std::string& op, const Shape& from, Shape shape) {
  std::int64_t known = 1;
  std::ptrdiff_t unknown = -1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && d < from.size()) shape[d] = from[d];
    if (shape[d] == -1 && unknown < 0) {
      unknown = static_cast<std::ptrdiff_t>(d);
      continue;
    }
    if (shape[d] < 1) refuse(op, "extent {} in the new shape", shape[d]);
    known *= shape[d];
  }
  const std::int64_t count = element_count(from);
  if (unknown >= 0) shape[static_cast<std::size_t>(unknown)] = count / known;
  if (element_count(shape) != count) {
    refuse(op, "[{}] cannot take the shape [{}]", fmt::join(from, ", "), fmt::join(shape, ", "));
  }
  return shape;
}

// The axes of a reshape are the common refinement of both shapes: from the innermost dimension outwards, each
// axis is the largest extent that both sides can give at once.
struct Factor {
  std::int64_t extent;
  std::ptrdiff_t from, to;              // dimensions
  std::int64_t from_stride, to_stride;  // coefficient in them
};

// Nothing if one dimension cuts across another ([2, 3] as [3, 2]).
std::optional<std::vector<Factor>> common_refinement(const Shape& from, const Shape& to) {
  std::vector<Factor> factors;
  auto i = static_cast<std::ptrdiff_t>(from.size()) - 1, j = static_cast<std::ptrdiff_t>(to.size()) - 1;
  const auto extent = [](const Shape& shape, std::ptrdiff_t d) {
    return d < 0 ? 1 : shape[static_cast<std::size_t>(d)];
  };
  std::int64_t left = extent(from, i), right = extent(to, j), taken_left = 1, taken_right = 1;
  while (i >= 0 || j >= 0) {
    if (left == 1 && i >= 0) {
      left = extent(from, --i);
      taken_left = 1;
    } else if (right == 1 && j >= 0) {
      right = extent(to, --j);
      taken_right = 1;
    } else {
      const std::int64_t both = std::min(left, right);
      if (std::max(left, right) % both != 0) return std::nullopt;
      factors.push_back({both, i, j, taken_left, taken_right});
      left /= both;
      right /= both;
      taken_left *= both;
      taken_right *= both;
    }
  }
  std::reverse(factors.begin(), factors.end());
  return factors;
}

}  // namespace

TensorId Builder::reshape(TensorId x, Shape wanted) {
  const Tensor& tensor = graph_.at(x);
  const Shape from = tensor.shape, to = resolved(name_, from, std::move(wanted));
  if (tensor.has_batch && (to.empty() || to[0] != from[0])) {
    throw UserError(name_,
                    fmt::format("reshaping [{}] to [{}], which mixes the batch with other dimensions",
                                fmt::join(from, ", "), fmt::join(to, ", ")),
                    Refusal::unsupported);
  }
  const std::size_t batch = tensor.has_batch ? 1 : 0;
  const Shape from_rest(from.begin() + static_cast<std::ptrdiff_t>(batch), from.end());
  const Shape to_rest(to.begin() + static_cast<std::ptrdiff_t>(batch), to.end());
  const auto factors = common_refinement(from_rest, to_rest);
  if (!factors) {  // no affine map: by way of a row
    Shape row(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(batch));
    row.push_back(element_count(from_rest));
    return reshape(reshape(x, std::move(row)), to);
  }
  OpMaker op(*this);
  std::vector<Index> in(from.size()), out(to.size());
  if (batch) in[0] = out[0] = Index::along(op.axis("n", from[0]));
  for (const Factor& factor : *factors) {
    const std::size_t axis = op.axis(fmt::format("f{}", op.axes()), factor.extent);
    in[batch + static_cast<std::size_t>(factor.from)].plus(axis, factor.from_stride);
    out[batch + static_cast<std::size_t>(factor.to)].plus(axis, factor.to_stride);
  }
  op.read(x, std::move(in));
  return op.write(to, out, Reduction::none, copy_of_input());
}

TensorId Builder::flatten(TensorId x, std::int64_t axis) {
  const Shape from = shape(x);
  const std::size_t at =
      axis == static_cast<std::int64_t>(from.size()) ? from.size() : normal_axis(name_, axis, from.size());
  const auto middle = from.begin() + static_cast<std::ptrdiff_t>(at);
  return reshape(x, {element_count(Shape(from.begin(), middle)), element_count(Shape(middle, from.end()))});
}

TensorId Builder::transpose(TensorId x, std::vector<std::int64_t> permutation) {
  const Shape from = shape(x);
  if (permutation.empty()) {
    permutation.resize(from.size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  std::vector<bool> seen(from.size(), false);
  OpMaker op(*this);
  std::vector<Index> in(from.size()), out;
  Shape to;
  for (const std::int64_t dimension : permutation) {
    const std::size_t d = normal_axis(name_, dimension, from.size());
    if (seen[d]) refuse(name_, "dimension {} occurs twice in a permutation", d);
    seen[d] = true;
    to.push_back(from[d]);
    out.push_back(in[d] = Index::along(op.axis(axis_name(graph_.at(x), d), from[d])));
  }
  if (to.size() != from.size())
    refuse(name_, "a permutation of {} out of {} dimensions", to.size(), from.size());
  op.read(x, std::move(in));
  return op.write(std::move(to), out, Reduction::none, copy_of_input());
}

TensorId Builder::squeeze(TensorId x, const std::vector<std::int64_t>& axes) {
  const Tensor& tensor = graph_.at(x);
  std::vector<bool> dropped(tensor.shape.size(), false);
  for (const std::int64_t axis : axes) {
    const std::size_t d = normal_axis(name_, axis, dropped.size());
    if (tensor.shape[d] != 1)
      refuse(name_, "dimension {} of extent {} cannot be squeezed", d, tensor.shape[d]);
    dropped[d] = true;
  }
  Shape to;
  for (std::size_t d = 0; d < dropped.size(); ++d) {
    const bool batch = tensor.has_batch && d == 0;
    if (axes.empty() ? tensor.shape[d] != 1 || batch : !dropped[d]) to.push_back(tensor.shape[d]);
  }
  return reshape(x, std::move(to));
}

TensorId Builder::unsqueeze(TensorId x, const std::vector<std::int64_t>& axes) {
  const Shape from = shape(x);
  const std::size_t rank = from.size() + axes.size();
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : axes) added[normal_axis(name_, axis, rank)] = true;
  Shape to;
  std::size_t next = 0;
  for (std::size_t d = 0; d < rank; ++d) {
    if (!added[d] && next == from.size()) refuse(name_, "a new dimension is named twice");
    to.push_back(added[d] ? 1 : from[next++]);
  }
  return reshape(x, std::move(to));
}

TensorId Builder::expand(TensorId x, Shape wanted) {
  const Shape from = shape(x);
  const std::size_t rank = std::max(from.size(), wanted.size());
  wanted.insert(wanted.begin(), rank - wanted.size(), 1);
  OpMaker op(*this);
  std::vector<Index> in, out;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t own = d < rank - from.size() ? 1 : from[d - (rank - from.size())];
    if (own != 1 && wanted[d] != 1 && own != wanted[d]) {
      refuse(name_, "[{}] cannot be expanded to [{}]", fmt::join(from, ", "), fmt::join(wanted, ", "));
    }
    wanted[d] = std::max(own, wanted[d]);
    out.push_back(Index::along(op.axis(fmt::format("d{}", d), wanted[d])));
    if (d >= rank - from.size()) in.push_back(own == wanted[d] ? out.back() : Index::fixed(0));
  }
  op.read(x, std::move(in));
  return op.write(std::move(wanted), out, Reduction::none, copy_of_input());
}

// The parts lie beside each other along one dimension; a read of the others gives -0, which leaves every
// float as it is when added. A part without a batch and of extent 1 there is repeated for every sample.
TensorId Builder::concat(std::span<const TensorId> parts, std::int64_t axis) {
  if (parts.empty()) refuse(name_, "nothing to concatenate");
  Shape to = shape(parts[0]);
  const std::size_t along = normal_axis(name_, axis, to.size());
  const auto batch = std::ranges::find_if(parts, [&](TensorId part) { return graph_.at(part).has_batch; });
  const auto repeated = [&](TensorId part) {
    const Tensor& tensor = graph_.at(part);
    return batch != parts.end() && along != 0 && !tensor.has_batch && tensor.shape[0] == 1;
  };
  if (batch != parts.end()) to[0] = shape(*batch)[0];
  to[along] = 0;
  for (const TensorId part : parts) {
    Shape own = shape(part);
    if (own.size() == to.size()) own[along] = to[along];
    if (own.size() == to.size() && repeated(part)) own[0] = to[0];
    if (own != to) refuse(name_, "'{}' does not fit beside the others", graph_.at(part).name);
    to[along] += shape(part)[along];
  }
  OpMaker op(*this);
  std::vector<Index> out;
  for (std::size_t d = 0; d < to.size(); ++d)
    out.push_back(Index::along(op.axis(axis_name(graph_.at(parts[0]), d), to[d])));
  Formula formula;
  Formula::Node total = -1;
  std::int64_t start = 0;
  for (const TensorId part : parts) {
    std::vector<Index> map = out;
    map[along].offset = -start;
    if (repeated(part)) map[0] = Index::fixed(0);
    start += shape(part)[along];
    const auto value = formula.input(op.read(part, std::move(map), -0.0f));
    total = total < 0 ? value : formula.add(total, value);
  }
  return op.write(std::move(to), out, Reduction::none, formula.finish(total));
}

TensorId Builder::slice(TensorId x, std::int64_t axis, std::int64_t start, std::int64_t end,
                        std::int64_t step) {
  Shape to = shape(x);
  const std::size_t along = normal_axis(name_, axis, to.size());
  const std::int64_t extent = to[along];
  if (step == 0) refuse(name_, "a slice with step 0");
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
  start = std::clamp(start < 0 ? std::max(start + extent, low) : start, low, high);
  end = std::clamp(end < 0 ? std::max(end + extent, low) : end, low, high);
  const std::int64_t count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
  if (count < 1) refuse(name_, "an empty slice of dimension {}", along);
  to[along] = count;
  OpMaker op(*this);
  std::vector<Index> out;
  for (std::size_t d = 0; d < to.size(); ++d)
    out.push_back(Index::along(op.axis(axis_name(graph_.at(x), d), to[d])));
  std::vector<Index> in = out;
  in[along] = Index::along(along, step, start);
  op.read(x, std::move(in));
  return op.write(std::move(to), out, Reduction::none, copy_of_input());
}

std::vector<TensorId> Builder::split(TensorId x, std::int64_t axis, std::span<const std::int64_t> sizes) {
  const std::size_t along = normal_axis(name_, axis, shape(x).size());
  if (std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != shape(x)[along]) {
    refuse(name_, "parts of [{}] do not add up to {}", fmt::join(sizes, ", "), shape(x)[along]);
  }
  std::vector<TensorId> parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(slice(x, axis, start, start + size));
    start += size;
  }
  return parts;
}

TensorId Builder::pad(TensorId x, const Shape& begin, const Shape& end, float value) {
  Shape to = shape(x);
  if (begin.size() != to.size() || end.size() != to.size()) {
    refuse(name_, "{} and {} pads for {} dimensions", begin.size(), end.size(), to.size());
  }
  OpMaker op(*this);
  std::vector<Index> in, out;
  for (std::size_t d = 0; d < to.size(); ++d) {
    to[d] += begin[d] + end[d];
    if (to[d] < 1) refuse(name_, "pads leave nothing of dimension {}", d);
    out.push_back(Index::along(op.axis(axis_name(graph_.at(x), d), to[d])));
    in.push_back(Index::along(d, 1, -begin[d]));
  }
  op.read(x, std::move(in), value);
  return op.write(std::move(to), out, Reduction::none, copy_of_input());
}

TensorId Builder::upsample_nearest(TensorId x, const Shape& factors) {
  const Tensor& tensor = graph_.at(x);
  Shape to = tensor.shape;
  if (factors.size() != to.size()) refuse(name_, "{} factors for {} dimensions", factors.size(), to.size());
  OpMaker op(*this);
  std::vector<Index> in = every_element(op, tensor), out = in;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (factors[d] < 1) refuse(name_, "a factor of {}", factors[d]);
    if (factors[d] == 1) continue;
    to[d] *= factors[d];
    out[d] = Index::along(d, factors[d]).plus(op.axis(fmt::format("r{}", d), factors[d]), 1);
  }
  op.read(x, std::move(in));
  return op.write(std::move(to), out, Reduction::none, copy_of_input());
}

}  // namespace dojo::graph
