// Reductions and pooling.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "graph/op_maker.h"
#include "graph/window.h"

namespace dojo::graph {

namespace {

// Which dimensions are reduced: all if `axes` is empty.
std::vector<bool> reduced_dimensions(const std::string& op, const std::vector<std::int64_t>& axes,
                                     std::size_t rank) {
  std::vector<bool> reduced(rank, axes.empty());
  for (const std::int64_t axis : axes) reduced[normal_axis(op, axis, rank)] = true;
  return reduced;
}

std::int64_t reduced_count(const Shape& shape, const std::vector<bool>& reduced) {
  std::int64_t count = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) count *= reduced[d] ? shape[d] : 1;
  return count;
}

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

}  // namespace

TensorId Builder::reduce(TensorId a, const std::vector<std::int64_t>& axes, bool keep, Reduction reduction) {
  const Shape in = shape(a);
  const std::vector<bool> reduced = reduced_dimensions(name_, axes, in.size());
  OpMaker op(*this);
  std::vector<Index> map, out;
  Shape result;
  for (std::size_t d = 0; d < in.size(); ++d) {
    map.push_back(Index::along(op.axis(axis_name(graph_.at(a), d), in[d])));
    if (reduced[d] && !keep) continue;
    result.push_back(reduced[d] ? 1 : in[d]);
    out.push_back(reduced[d] ? Index::fixed(0) : Index::along(d));
  }
  op.read(a, std::move(map));
  return op.write(std::move(result), out, reduction, copy_of_input());
}

TensorId Builder::sum(TensorId a, const std::vector<std::int64_t>& axes, bool keep) {
  return reduce(a, axes, keep, Reduction::sum);
}

TensorId Builder::mean(TensorId a, const std::vector<std::int64_t>& axes, bool keep) {
  const std::int64_t count = reduced_count(shape(a), reduced_dimensions(name_, axes, shape(a).size()));
  const TensorId total = sum(a, axes, keep);
  return divide(total, constant(static_cast<float>(count)));
}

TensorId Builder::maximum(TensorId a, const std::vector<std::int64_t>& axes, bool keep) {
  return reduce(a, axes, keep, Reduction::maximum);
}

TensorId Builder::minimum(TensorId a, const std::vector<std::int64_t>& axes, bool keep) {
  return unary(Scalar::negate, maximum(unary(Scalar::negate, a), axes, keep));
}

namespace {

// The op that reduces every window of x.
TensorId reduce_windows(Builder& builder, const std::string& name, TensorId x, const Window& window,
                        Reduction reduction, float outside) {
  const Tensor& tensor = builder.graph().at(x);
  const Shape in = tensor.shape;
  OpMaker op(builder);
  Shape result = {in[0], in[1]};
  std::vector<Index> from = {Index::along(op.axis(axis_name(tensor, 0), in[0])),
                             Index::along(op.axis("c", in[1]))};
  std::vector<Index> out = from;
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    result.push_back(output_extent(name, window, d, in[d + 2]));
    out.push_back(Index::along(op.axis(spatial_name("o", d, window), result.back())));
    from.push_back(Index::along(op.axes() - 1, window.strides[d], -window.pads_begin[d]));
  }
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    from[d + 2].plus(op.axis(spatial_name("k", d, window), window.kernel[d]), window.dilations[d]);
  }
  op.read(x, std::move(from), outside);
  return op.write(std::move(result), out, reduction, copy_of_input());
}

// How many elements that count lie in the window at output position `at` of spatial dimension d.
std::int64_t counted(const Window& window, std::size_t d, std::int64_t in, std::int64_t at) {
  const std::int64_t low = window.count_include_pad ? -window.pads_begin[d] : 0;
  const std::int64_t high = window.count_include_pad ? in + window.pads_end[d] : in;
  std::int64_t count = 0;
  for (std::int64_t k = 0; k < window.kernel[d]; ++k) {
    const std::int64_t place = at * window.strides[d] - window.pads_begin[d] + k * window.dilations[d];
    count += place >= low && place < high;
  }
  return count;
}

// The divisor of every output position of an average pool, row-major over the spatial dimensions.
std::vector<float> divisors(const Window& window, const Shape& in, const Shape& out) {
  std::vector<float> result = {1};
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    std::vector<float> longer;
    for (const float prefix : result) {
      for (std::int64_t at = 0; at < out[d + 2]; ++at) {
        longer.push_back(prefix * static_cast<float>(counted(window, d, in[d + 2], at)));
      }
    }
    result = std::move(longer);
  }
  return result;
}

std::vector<std::int64_t> spatial_axes(const Shape& shape) {
  std::vector<std::int64_t> axes;
  for (std::size_t d = 2; d < shape.size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}

}  // namespace

TensorId Builder::max_pool(TensorId x, const Window& window) {
  return reduce_windows(*this, name_, x, complete(name_, window, shape(x), {}), Reduction::maximum,
                        minus_infinity);
}

TensorId Builder::average_pool(TensorId x, const Window& window) {
  const Window full = complete(name_, window, shape(x), {});
  const TensorId total = reduce_windows(*this, name_, x, full, Reduction::sum, 0);
  std::vector<float> by = divisors(full, shape(x), shape(total));
  if (std::count(by.begin(), by.end(), by[0]) == static_cast<std::ptrdiff_t>(by.size())) {
    return divide(total, constant(by[0]));
  }
  const Shape spatial(shape(total).begin() + 2, shape(total).end());
  return divide(total, constant(fresh_tensor_name(name_ + ".counts"), spatial, std::move(by)));
}

TensorId Builder::global_average_pool(TensorId x) {
  if (shape(x).size() < 3) refuse(name_, "a global pool of [{}]", fmt::join(shape(x), ", "));
  return mean(x, spatial_axes(shape(x)), true);
}

TensorId Builder::global_max_pool(TensorId x) {
  if (shape(x).size() < 3) refuse(name_, "a global pool of [{}]", fmt::join(shape(x), ", "));
  return maximum(x, spatial_axes(shape(x)), true);
}

}  // namespace dojo::graph
