// Contractions: products of two operands, summed.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "graph/op_maker.h"
#include "graph/window.h"

namespace dojo::graph {

namespace {

// Indices of a matrix operand's leading (stack) dimensions under broadcasting against the result's stack axes
// 0..stack-1.
std::vector<Index> stack_indices(const Tensor& tensor, std::size_t own, const Shape& stack) {
  std::vector<Index> map;
  const std::size_t lead = stack.size() - own;
  for (std::size_t d = 0; d < own; ++d) {
    // An extent of 1 is not a batch of 1.
    const bool stretched = tensor.shape[d] != stack[lead + d] || (tensor.shape[d] == 1 && !tensor.has_batch);
    map.push_back(stretched ? Index::fixed(0) : Index::along(lead + d));
  }
  return map;
}

Shape stack_shape(const std::string& op, const Shape& a, std::size_t a_stack, const Shape& b,
                  std::size_t b_stack) {
  Shape stack(std::max(a_stack, b_stack), 1);
  const auto fit = [&](const Shape& shape, std::size_t own) {
    for (std::size_t d = 0; d < own; ++d) {
      std::int64_t& extent = stack[stack.size() - own + d];
      if (shape[d] != 1 && extent != 1 && shape[d] != extent) {
        refuse(op, "stacks of {} and {} matrices do not fit", extent, shape[d]);
      }
      extent = std::max(extent, shape[d]);
    }
  };
  fit(a, a_stack);
  fit(b, b_stack);
  return stack;
}

}  // namespace

TensorId Builder::matmul(TensorId a, TensorId b, bool transpose_a, bool transpose_b) {
  const Tensor &left = graph_.at(a), &right = graph_.at(b);
  const std::size_t rank_a = left.shape.size(), rank_b = right.shape.size();
  if (rank_a == 0 || rank_b == 0) refuse(name_, "a matrix product of a scalar");
  // A vector is a row on the left and a column on the right, and the extent 1 is dropped from the result.
  const bool vector_a = rank_a == 1, vector_b = rank_b == 1;
  const std::size_t stack_a = vector_a ? 0 : rank_a - 2, stack_b = vector_b ? 0 : rank_b - 2;
  const std::size_t k_at_a = vector_a ? 0 : rank_a - (transpose_a ? 2 : 1);
  const std::size_t k_at_b = vector_b ? 0 : rank_b - (transpose_b ? 1 : 2);
  if (left.shape[k_at_a] != right.shape[k_at_b]) {
    refuse(name_, "matrices of shapes [{}] and [{}] do not fit: {} against {}", fmt::join(left.shape, ", "),
           fmt::join(right.shape, ", "), left.shape[k_at_a], right.shape[k_at_b]);
  }
  OpMaker op(*this);
  Shape shape = stack_shape(name_, left.shape, stack_a, right.shape, stack_b);
  const Shape stack = shape;
  std::vector<Index> out, in_a = stack_indices(left, stack_a, stack),
                          in_b = stack_indices(right, stack_b, stack);
  for (std::size_t d = 0; d < stack.size(); ++d)
    out.push_back(Index::along(op.axis(fmt::format("s{}", d), stack[d])));
  in_a.resize(rank_a);
  in_b.resize(rank_b);
  if (!vector_a) {
    const std::size_t at = rank_a - (transpose_a ? 1 : 2);
    shape.push_back(left.shape[at]);
    out.push_back(in_a[at] = Index::along(op.axis("m", left.shape[at])));
  }
  if (!vector_b) {
    const std::size_t at = rank_b - (transpose_b ? 2 : 1);
    shape.push_back(right.shape[at]);
    out.push_back(in_b[at] = Index::along(op.axis("j", right.shape[at])));
  }
  in_a[k_at_a] = in_b[k_at_b] = Index::along(op.axis("k", left.shape[k_at_a]));
  op.read(a, std::move(in_a));
  op.read(b, std::move(in_b));
  return op.write(std::move(shape), out, Reduction::sum, product_of_inputs());
}

TensorId Builder::einsum(std::span<const TensorId> operands, std::span<const std::vector<std::int32_t>> in,
                         const std::vector<std::int32_t>& out) {
  std::map<std::int32_t, std::int64_t> extents;
  for (std::size_t k = 0; k < operands.size(); ++k)
    for (std::size_t d = 0; d < in[k].size(); ++d) {
      if (in[k][d] == no_axis) continue;
      const std::int64_t extent = shape(operands[k]).at(d);
      if (extents.try_emplace(in[k][d], extent).first->second != extent)
        refuse(name_, "one axis of {} and {} elements", extents[in[k][d]], extent);
    }
  OpMaker op(*this);
  std::map<std::int32_t, std::size_t> axes;
  Shape to;
  std::vector<Index> at;
  const auto add_axis = [&](std::int32_t axis) {
    const auto extent = extents.find(axis);
    if (extent == extents.end()) refuse(name_, "an axis of the result that no operand has");
    if (!axes.contains(axis)) axes[axis] = op.axis(fmt::format("e{}", axis), extent->second);
  };
  for (const std::int32_t axis : out) {
    if (axes.contains(axis)) refuse(name_, "one axis twice in the result");
    add_axis(axis);
    to.push_back(extents.at(axis)), at.push_back(Index::along(axes.at(axis)));
  }
  for (const auto& [axis, extent] : extents) add_axis(axis);
  Formula f;
  auto product = f.constant(1);
  for (std::size_t k = 0; k < operands.size(); ++k) {
    std::vector<Index> from;
    for (const std::int32_t axis : in[k])
      from.push_back(axis == no_axis ? Index::fixed(0) : Index::along(axes.at(axis)));
    product = f.multiply(product, f.input(op.read(operands[k], std::move(from))));
  }
  return op.write(std::move(to), at, axes.size() > out.size() ? Reduction::sum : Reduction::none,
                  f.finish(product));
}

TensorId Builder::mix(TensorId x, std::int64_t axis, std::vector<float> matrix) {
  Shape to = shape(x);
  const std::size_t along = normal_axis(name_, axis, to.size());
  const std::int64_t from = to[along], rows = static_cast<std::int64_t>(matrix.size()) / from;
  to[along] = rows;
  const TensorId weights = constant(fresh_tensor_name(name_ + ".matrix"), {rows, from}, std::move(matrix));
  OpMaker op(*this);
  std::vector<Index> out;
  for (std::size_t d = 0; d < to.size(); ++d)
    out.push_back(Index::along(op.axis(axis_name(graph_.at(x), d), to[d])));
  std::vector<Index> in = out;
  in[along] = Index::along(op.axis("k", from));
  const Index column = in[along];
  op.read(x, std::move(in));
  op.read(weights, {out[along], column});
  return op.write(std::move(to), out, Reduction::sum, product_of_inputs());
}

TensorId Builder::gemm(TensorId a, TensorId b, std::optional<TensorId> c, float alpha, float beta,
                       bool transpose_a, bool transpose_b) {
  if (shape(a).size() < 2 || shape(b).size() != 2) refuse(name_, "Gemm needs two matrices");
  TensorId result = matmul(a, b, transpose_a, transpose_b);
  if (alpha != 1) result = scale(result, alpha);
  if (!c || beta == 0) return result;
  return add(result, beta == 1 ? *c : scale(*c, beta));
}

TensorId Builder::convolution(TensorId x, TensorId w, std::optional<TensorId> bias, const Window& window,
                              std::int64_t groups) {
  const Shape in = shape(x), weight = shape(w);
  if (in.size() < 3 || weight.size() != in.size()) {
    refuse(name_, "a convolution of [{}] with a weight of [{}]", fmt::join(in, ", "),
           fmt::join(weight, ", "));
  }
  if (groups < 1 || in[1] != weight[1] * groups || weight[0] % groups != 0) {
    refuse(name_, "{} channels in {} groups do not fit a weight of [{}]", in[1], groups,
           fmt::join(weight, ", "));
  }
  const Window full = complete(name_, window, in, Shape(weight.begin() + 2, weight.end()));
  const std::int64_t channels_out = weight[0] / groups, channels_in = weight[1];
  OpMaker op(*this);
  const std::size_t n = op.axis("n", in[0]);
  Index out_channel, in_channel;
  if (groups > 1) {
    const std::size_t g = op.axis("g", groups);
    out_channel.plus(g, channels_out);
    in_channel.plus(g, channels_in);
  }
  out_channel.plus(op.axis("co", channels_out), 1);
  Shape result = {in[0], weight[0]};
  std::vector<Index> out = {Index::along(n), out_channel}, from, kernel;
  for (std::size_t d = 0; d < full.kernel.size(); ++d) {
    result.push_back(output_extent(name_, full, d, in[d + 2]));
    out.push_back(Index::along(op.axis(spatial_name("o", d, full), result.back())));
    from.push_back(Index::along(op.axes() - 1, full.strides[d], -full.pads_begin[d]));
  }
  const std::size_t ci = op.axis("ci", channels_in);
  in_channel.plus(ci, 1);
  for (std::size_t d = 0; d < full.kernel.size(); ++d) {
    kernel.push_back(Index::along(op.axis(spatial_name("k", d, full), full.kernel[d])));
    from[d].plus(op.axes() - 1, full.dilations[d]);
  }
  from.insert(from.begin(), {Index::along(n), in_channel});
  kernel.insert(kernel.begin(), {out_channel, Index::along(ci)});
  op.read(x, std::move(from));
  op.read(w, std::move(kernel));
  const TensorId product = op.write(std::move(result), out, Reduction::sum, product_of_inputs());
  return bias ? bias_add(product, *bias) : product;
}

TensorId Builder::transposed_convolution(TensorId x, TensorId w, std::optional<TensorId> bias,
                                         const Window& window, std::int64_t groups,
                                         const Shape& output_pads) {
  const Shape in = shape(x), weight = shape(w);
  if (in.size() < 3 || weight.size() != in.size() || groups < 1 || in[1] != weight[0] ||
      weight[0] % groups != 0) {
    refuse(name_, "a transposed convolution of [{}] with a weight of [{}] in {} groups", fmt::join(in, ", "),
           fmt::join(weight, ", "), groups);
  }
  const Window full = complete(name_, window, in, Shape(weight.begin() + 2, weight.end()));
  const std::int64_t channels_in = weight[0] / groups, channels_out = weight[1];
  OpMaker op(*this);
  const std::size_t n = op.axis("n", in[0]);
  Index out_channel, in_channel;
  if (groups > 1) {
    const std::size_t g = op.axis("g", groups);
    out_channel.plus(g, channels_out);
    in_channel.plus(g, channels_in);
  }
  const std::size_t co = op.axis("co", channels_out);
  out_channel.plus(co, 1);
  Shape result = {in[0], channels_out * groups};
  std::vector<Index> to, from = {Index::along(n)}, kernel;
  for (std::size_t d = 0; d < full.kernel.size(); ++d) {
    from.push_back(Index::along(op.axis(spatial_name("i", d, full), in[d + 2])));
    to.push_back(Index::along(op.axes() - 1, full.strides[d], -full.pads_begin[d]));
  }
  in_channel.plus(op.axis("ci", channels_in), 1);
  for (std::size_t d = 0; d < full.kernel.size(); ++d) {
    kernel.push_back(Index::along(op.axis(spatial_name("k", d, full), full.kernel[d])));
    to[d].plus(op.axes() - 1, full.dilations[d]);
    result.push_back((in[d + 2] - 1) * full.strides[d] + (full.kernel[d] - 1) * full.dilations[d] + 1 -
                     full.pads_begin[d] - full.pads_end[d] + (output_pads.empty() ? 0 : output_pads.at(d)));
  }
  from.insert(from.begin() + 1, in_channel);
  kernel.insert(kernel.begin(), {in_channel, Index::along(co)});
  to.insert(to.begin(), {Index::along(n), out_channel});
  op.read(x, std::move(from));
  op.read(w, std::move(kernel));
  const TensorId product = op.write(std::move(result), to, Reduction::sum, product_of_inputs());
  return bias ? bias_add(product, *bias) : product;
}

TensorId Builder::bias_add(TensorId x, TensorId bias) {
  const Shape of_x = shape(x), of_bias = shape(bias);
  if (of_x.size() < 2 || of_bias.size() != 1 || of_bias[0] != of_x[1]) {
    refuse(name_, "a bias of [{}] for [{}]", fmt::join(of_bias, ", "), fmt::join(of_x, ", "));
  }
  OpMaker op(*this);
  std::vector<Index> map;
  for (std::size_t d = 0; d < of_x.size(); ++d)
    map.push_back(Index::along(op.axis(axis_name(graph_.at(x), d), of_x[d])));
  op.read(x, map);
  op.read(bias, {Index::along(1)});
  Formula f;
  return op.write(of_x, map, Reduction::none, f.finish(f.add(f.input(0), f.input(1))));
}

}  // namespace dojo::graph
