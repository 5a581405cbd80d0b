// What depends on where an element stands along an axis: the vector 0, 1, 2... is read beside it.
#include <limits>
#include <numeric>

#include "base/error.h"
#include "graph/op_maker.h"

namespace dojo::graph {
namespace {

using Node = Formula::Node;

// x over its own axes, `other` a second run along one of them.
struct Pairs {
  std::vector<Index> own, other, kept;  // of x at the element, at the other one; of what both have in common
  std::size_t at, second;               // the axes along which they differ
};

Pairs pairs(OpMaker& op, const Tensor& tensor, std::size_t along) {
  Pairs p{};
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    const std::size_t axis = op.axis(axis_name(tensor, d), tensor.shape[d]);
    p.own.push_back(Index::along(axis));
    if (d == along) p.at = axis;
  }
  p.second = op.axis("other", tensor.shape[along]);
  p.other = p.own;
  p.other[along] = Index::along(p.second);
  return p;
}

// Whether a stands before b: NaN is the largest of numbers.
Node before(Formula& f, Node a, Node b, bool largest_first) {
  const Node a_is_number = f.apply(Scalar::equal, a, a), b_is_number = f.apply(Scalar::equal, b, b);
  const Node nan_decides =
      largest_first ? f.less(a_is_number, b_is_number) : f.less(b_is_number, a_is_number);
  return f.apply(Scalar::maximum, largest_first ? f.less(b, a) : f.less(a, b), nan_decides);
}

Node alike(Formula& f, Node a, Node b) {
  const Node one = f.constant(1);
  const Node no_numbers = f.multiply(f.subtract(one, f.apply(Scalar::equal, a, a)),
                                     f.subtract(one, f.apply(Scalar::equal, b, b)));
  return f.apply(Scalar::maximum, f.apply(Scalar::equal, a, b), no_numbers);
}

}  // namespace

TensorId Builder::positions(std::int64_t extent) {
  const std::string name = fmt::format("positions.{}", extent);
  if (const TensorId known = graph_.find(name); known != no_tensor) return known;
  std::vector<float> values(static_cast<std::size_t>(extent));
  std::iota(values.begin(), values.end(), 0.0f);
  return constant(name, {extent}, std::move(values));
}

TensorId Builder::positions_along(TensorId x, std::size_t dimension) {
  const Shape whole = shape(x);
  Shape alone(whole.size(), 1);
  alone[dimension] = whole[dimension];
  return reshape(positions(whole[dimension]), alone);
}

TensorId Builder::arg_extreme(TensorId x, std::int64_t axis, bool keep, const ArgExtreme& options) {
  const std::size_t along = normal_axis(name_, axis, shape(x).size());
  const std::int64_t extent = shape(x)[along];
  const TensorId value = options.smallest ? unary(Scalar::negate, x) : x;
  const TensorId extreme = maximum(value, {axis}, true);
  Formula f;
  // Compared as the smallest place, or with its sign turned as the largest one.
  const Node place = options.last ? f.input(2) : f.negate(f.input(2));
  const Node chosen =
      f.select(alike(f, f.input(0), f.input(1)), place, f.constant(static_cast<float>(-extent)));
  const TensorId candidates =
      elementwise(f.finish(chosen), std::vector{value, extreme, positions_along(x, along)});
  const TensorId place_of = maximum(candidates, {axis}, keep);
  return options.last ? place_of : unary(Scalar::negate, place_of);
}

TensorId Builder::cumulative_sum(TensorId x, std::int64_t axis, bool exclusive, bool reverse) {
  const std::size_t along = normal_axis(name_, axis, shape(x).size());
  const TensorId places = positions(shape(x)[along]);
  OpMaker op(*this);
  const Pairs p = pairs(op, graph_.at(x), along);
  Formula f;
  const Node value = f.input(op.read(x, p.other));
  const Node own = f.input(op.read(places, {Index::along(p.at)}));
  const Node other = f.input(op.read(places, {Index::along(p.second)}));
  const Node first = reverse ? own : other, second = reverse ? other : own;
  const Node zero = f.constant(0), one = f.constant(1);
  const Node counts = exclusive ? f.less(first, second) : f.subtract(one, f.less(second, first));
  return op.write(shape(x), p.own, Reduction::sum, f.finish(f.select(counts, value, zero)));
}

TensorId Builder::triangle(TensorId x, std::int64_t diagonal, bool upper) {
  const std::size_t rank = shape(x).size();
  if (rank < 2) refuse(name_, "a triangle of {} dimensions", rank);
  const TensorId row = positions_along(x, rank - 2), column = positions_along(x, rank - 1);
  Formula f;
  const Node edge = f.add(f.input(1), f.constant(static_cast<float>(diagonal)));
  const Node beyond = upper ? f.less(f.input(2), edge) : f.less(edge, f.input(2));
  return elementwise(f.finish(f.select(beyond, f.constant(0), f.input(0))), std::vector{x, row, column});
}

TensorId Builder::one_hot(TensorId indices, std::int64_t depth, std::int64_t axis, TensorId off,
                          TensorId on) {
  const std::size_t along = normal_axis(name_, axis, shape(indices).size() + 1);
  const TensorId places = positions(depth);
  const Tensor& tensor = graph_.at(indices);  // where it lies now that no other one is added
  OpMaker op(*this);
  std::vector<Index> from, to;
  Shape result;
  for (std::size_t d = 0; d <= tensor.shape.size(); ++d) {
    if (d == along) {
      to.push_back(Index::along(op.axis("choice", depth))), result.push_back(depth);
    }
    if (d == tensor.shape.size()) break;
    from.push_back(Index::along(op.axis(axis_name(tensor, d), tensor.shape[d])));
    to.push_back(from.back()), result.push_back(tensor.shape[d]);
  }
  Formula f;
  const Node index = f.input(op.read(indices, from));
  const Node place = f.input(op.read(places, {to[along]}));
  const Node no = f.input(op.read(off, {})), yes = f.input(op.read(on, {}));
  return op.write(result, to, Reduction::none,
                  f.finish(f.select(f.apply(Scalar::equal, index, place), yes, no)));
}

TensorId Builder::ranks(TensorId x, std::int64_t axis, bool largest_first) {
  const std::size_t along = normal_axis(name_, axis, shape(x).size());
  if (shape(x)[along] > longest_sort)
    throw UserError(name_, fmt::format("sorting {} elements, more than {}", shape(x)[along], longest_sort),
                    Refusal::not_yet);
  const TensorId places = positions(shape(x)[along]);
  OpMaker op(*this);
  const Pairs p = pairs(op, graph_.at(x), along);
  Formula f;
  const Node own = f.input(op.read(x, p.own)), other = f.input(op.read(x, p.other));
  const Node place = f.input(op.read(places, {Index::along(p.at)}));
  const Node other_place = f.input(op.read(places, {Index::along(p.second)}));
  const Node earlier = f.select(alike(f, own, other), f.less(other_place, place), f.constant(0));
  const Node ahead = f.apply(Scalar::maximum, before(f, other, own, largest_first), earlier);
  return op.write(shape(x), p.own, Reduction::sum, f.finish(ahead));
}

Sorted Builder::top_k(TensorId x, std::int64_t count, std::int64_t axis, bool largest) {
  const std::size_t along = normal_axis(name_, axis, shape(x).size());
  Shape result = shape(x);
  if (count < 1 || count > result[along]) refuse(name_, "the first {} of {} elements", count, result[along]);
  result[along] = count;
  const TensorId rank = ranks(x, axis, largest);
  const TensorId places = expand(positions_along(x, along), shape(x));
  return {scatter_elements(x, rank, axis, result, Reduction::maximum),
          scatter_elements(places, rank, axis, result, Reduction::maximum)};
}

}  // namespace dojo::graph
