#include "lowering/access.h"

#include <algorithm>
#include <cstdlib>

#include "graph/scalar_operations.h"

namespace dojo::lowering {

using graph::Access;
using graph::AffineIndex;
using graph::StructuredOp;

int batch_axis(const StructuredOp& op) {
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (op.box[a].is_batch) return static_cast<int>(a);
  }
  return -1;
}

bool reaches(const AffineIndex& index, std::size_t axis) { return index.coefficients[axis] != 0; }

bool reaches(const Access& access, std::size_t axis) {
  return std::any_of(access.map.begin(), access.map.end(),
                     [&](const AffineIndex& index) { return reaches(index, axis); });
}

int plain_dimension(const Access& access, std::size_t axis) {
  int found = -1;
  for (std::size_t d = 0; d < access.map.size(); ++d) {
    const AffineIndex& index = access.map[d];
    if (!reaches(index, axis)) continue;
    if (found >= 0 || index.coefficients[axis] != 1 || index.offset != 0 || index.from != graph::not_computed)
      return -1;
    for (std::size_t other = 0; other < index.coefficients.size(); ++other) {
      if (other != axis && index.coefficients[other] != 0) return -1;
    }
    found = static_cast<int>(d);
  }
  return found;
}

bool may_leave(const AffineIndex& index, const std::vector<graph::Axis>& box, std::int64_t extent) {
  if (index.from != graph::not_computed) return true;
  std::int64_t low = index.offset, high = index.offset;
  for (std::size_t a = 0; a < box.size(); ++a) {
    const std::int64_t reach = index.coefficients[a] * (box[a].extent - 1);
    (reach < 0 ? low : high) += reach;
  }
  return low < 0 || high >= extent;
}

bool may_leave(const Access& access, const std::vector<graph::Axis>& box, const Shape& shape) {
  for (std::size_t d = 0; d < access.map.size(); ++d) {
    if (may_leave(access.map[d], box, shape[d])) return true;
  }
  return false;
}

AffineIndex linear(const Access& access, std::size_t axes, const Shape& shape) {
  AffineIndex sum{std::vector<std::int64_t>(axes, 0), 0};
  std::int64_t stride = 1;
  for (std::size_t d = access.map.size(); d-- > 0;) {
    for (std::size_t a = 0; a < axes; ++a) sum.coefficients[a] += stride * access.map[d].coefficients[a];
    sum.offset += stride * access.map[d].offset;
    stride *= shape[d];
  }
  return sum;
}

std::vector<int> chain_axes(const StructuredOp& op) {
  std::vector<int> axes;
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (graph::is_chain_axis(op, a)) axes.push_back(static_cast<int>(a));
  }
  return axes;
}

std::vector<int> parallel_axes(const StructuredOp& op) {
  std::vector<int> axes;
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (!graph::is_chain_axis(op, a)) axes.push_back(static_cast<int>(a));
  }
  return axes;
}

bool injective(const StructuredOp& op, const Shape& out_shape) {
  if (graph::has_computed_index(op.out)) return false;
  if (may_leave(op.out, op.box, out_shape)) {
    // Positions fold over each other outside the bounds: then every dimension must be one axis of its own.
    for (const int a : parallel_axes(op)) {
      std::size_t dimensions = 0;
      for (const AffineIndex& index : op.out.map) {
        const auto used = std::count_if(index.coefficients.begin(), index.coefficients.end(),
                                        [](std::int64_t c) { return c != 0; });
        if (reaches(index, static_cast<std::size_t>(a))) dimensions += used == 1 ? 1 : 2;
      }
      if (dimensions != 1) return false;
    }
    return true;
  }
  const AffineIndex position = linear(op.out, op.box.size(), out_shape);
  std::vector<std::pair<std::int64_t, std::int64_t>> strides;  // stride, extent
  for (const int a : parallel_axes(op)) {
    const auto axis = static_cast<std::size_t>(a);
    if (op.box[axis].extent > 1)
      strides.emplace_back(std::abs(position.coefficients[axis]), op.box[axis].extent);
  }
  std::sort(strides.begin(), strides.end());
  std::int64_t span = 0;
  for (const auto& [stride, extent] : strides) {
    if (stride <= span) return false;
    span += stride * (extent - 1);
  }
  return true;
}

bool covers(const StructuredOp& op, const Shape& out_shape) {
  if (may_leave(op.out, op.box, out_shape) || !injective(op, out_shape)) return false;
  std::int64_t points = 1, elements = 1;
  for (const int a : parallel_axes(op)) points *= op.box[static_cast<std::size_t>(a)].extent;
  for (const std::int64_t extent : out_shape) elements *= extent;
  return points == elements;
}

bool same_map(const Access& a, const Access& b) { return a.map == b.map && !graph::has_computed_index(a); }

bool single_value(const Access& access) {
  return std::all_of(access.map.begin(), access.map.end(), [](const AffineIndex& index) {
    return index.from == graph::not_computed &&
           std::all_of(index.coefficients.begin(), index.coefficients.end(),
                       [](std::int64_t c) { return c == 0; });
  });
}

bool follows_output(const Access& access, const StructuredOp& op, const std::vector<graph::Tensor>& tensors) {
  return tensors[static_cast<std::size_t>(access.tensor)].shape ==
             tensors[static_cast<std::size_t>(op.out.tensor)].shape &&
         same_map(access, op.out);
}

bool elementwise(const StructuredOp& op, const std::vector<graph::Tensor>& tensors) {
  const Shape& shape = tensors[static_cast<std::size_t>(op.out.tensor)].shape;
  if (!chain_axes(op).empty() || !covers(op, shape)) return false;
  const auto fits = [&](const Access& access) {
    const Shape& own = tensors[static_cast<std::size_t>(access.tensor)].shape;
    return follows_output(access, op, tensors) || (single_value(access) && !may_leave(access, op.box, own));
  };
  return std::all_of(op.in.begin(), op.in.end(), fits) && std::all_of(op.extra.begin(), op.extra.end(), fits);
}

bool sums_everything(const StructuredOp& op, const std::vector<graph::Tensor>& tensors) {
  const auto shape_of = [&](const graph::Access& access) -> const Shape& {
    return tensors[static_cast<std::size_t>(access.tensor)].shape;
  };
  const auto inside = [&](const graph::Access& access) {
    return !may_leave(access, op.box, shape_of(access));
  };
  if (batch_axis(op) >= 0 || op.reduction != graph::Reduction::sum || !single_value(op.out) ||
      graph::element_count(shape_of(op.out)) != 1 || !inside(op.out))
    return false;
  const graph::Access* whole = nullptr;
  for (const graph::Access& access : op.in) {
    if (single_value(access) && inside(access)) continue;
    if (whole == nullptr) whole = &access;
    if (!same_map(access, *whole) || shape_of(access) != shape_of(*whole) ||
        !graph::is_whole(access, op.box, shape_of(access)))
      return false;
  }
  std::int64_t points = 1;
  for (const graph::Axis& axis : op.box) points *= axis.extent;
  return whole != nullptr && points == graph::element_count(shape_of(*whole));
}

bool is_copy(const StructuredOp& op) {
  return op.in.size() == 1 && op.epilogue.empty() && op.extra.empty() &&
         op.reduction == graph::Reduction::none && op.body.nodes.size() == 1 &&
         op.body.nodes[0].op == graph::Scalar::input;
}

bool is_contraction(const StructuredOp& op) {
  if (op.reduction != graph::Reduction::sum || op.in.size() != 2 || op.body.nodes.size() != 3 ||
      graph::has_computed_index(op))
    return false;
  const graph::ScalarNode& root = op.body.nodes[2];
  const graph::ScalarNode& left = op.body.nodes[0];
  const graph::ScalarNode& right = op.body.nodes[1];
  return root.op == graph::Scalar::multiply && left.op == graph::Scalar::input &&
         right.op == graph::Scalar::input && left.a != right.a && root.a + root.b == 1 && root.a != root.b;
}

}  // namespace dojo::lowering
