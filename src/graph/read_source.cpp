#include "graph/read_source.h"

#include <algorithm>
#include <utility>

#include "graph/expression.h"

namespace dojo::graph {
namespace {

// By axis of an elementwise op's box, the index at which `read` reads its result along it; nothing if the op
// is another.
std::optional<std::vector<AffineIndex>> axes_at(const StructuredOp& op, const Access& read, std::size_t axes,
                                                const std::vector<std::int64_t>& shape) {
  if (op.reduction != Reduction::none || !op.epilogue.empty() || has_computed_index(op) ||
      !is_whole(op.out, op.box, shape))
    return std::nullopt;
  std::vector<AffineIndex> indices(op.box.size(), {std::vector<std::int64_t>(axes, 0), 0});
  for (std::size_t d = 0; d < shape.size(); ++d)
    for (std::size_t a = 0; a < op.box.size(); ++a)
      if (op.out.map[d].coefficients[a] != 0) indices[a] = read.map[d];
  return indices;
}

Access composed(const Access& inner, const std::vector<AffineIndex>& indices, std::size_t axes) {
  Access result{inner.tensor, {}, inner.outside};
  for (const AffineIndex& dimension : inner.map) {
    AffineIndex index{std::vector<std::int64_t>(axes, 0), dimension.offset};
    for (std::size_t a = 0; a < indices.size(); ++a) {
      index.offset += dimension.coefficients[a] * indices[a].offset;
      for (std::size_t b = 0; b < axes; ++b)
        index.coefficients[b] += dimension.coefficients[a] * indices[a].coefficients[b];
    }
    result.map.push_back(std::move(index));
  }
  return result;
}

// Whether every point of the box leaves the tensor, because of one dimension.
bool lies_outside(const Access& access, const std::vector<Axis>& box,
                  const std::vector<std::int64_t>& shape) {
  for (std::size_t d = 0; d < shape.size(); ++d) {
    std::int64_t low = access.map[d].offset, high = low;
    for (std::size_t a = 0; a < box.size(); ++a) {
      const std::int64_t span = access.map[d].coefficients[a] * (box[a].extent - 1);
      (span < 0 ? low : high) += span;
    }
    if (high < 0 || low >= shape[d]) return true;
  }
  return false;
}

}  // namespace

bool is_along(const Access& access, std::size_t axis) {
  return std::ranges::any_of(access.map,
                             [axis](const AffineIndex& index) { return index.coefficients[axis] != 0; });
}

std::optional<Access> source_of(const Graph& graph, const StructuredOp& maker, const Access& read,
                                const std::vector<Axis>& box) {
  const std::vector<std::int64_t>& shape = graph.at(read.tensor).shape;
  const auto indices = axes_at(maker, read, box.size(), shape);
  if (!indices || has_computed_index(read) || !stays_inside(read, box, shape)) return std::nullopt;
  Formula f;
  std::vector<Access> reads;
  std::vector<Formula::Node> inputs, body;
  for (const Access& in : maker.in) {
    reads.push_back(composed(in, *indices, box.size()));
    const auto& own = graph.at(in.tensor).shape;
    const bool outside = lies_outside(reads.back(), box, own);
    if (!outside && !stays_inside(reads.back(), box, own)) return std::nullopt;
    inputs.push_back(outside ? f.constant(in.outside) : f.input(static_cast<std::int32_t>(inputs.size())));
  }
  const auto operand = [&](std::int32_t node) {
    return node < 0 ? -1 : body[static_cast<std::size_t>(node)];
  };
  for (const ScalarNode& node : maker.body.nodes) {
    if (node.op == Scalar::input) {
      body.push_back(inputs[static_cast<std::size_t>(node.a)]);
    } else if (node.op == Scalar::constant) {
      body.push_back(f.constant(node.value));
    } else {
      body.push_back(f.apply(node.op, operand(node.a), operand(node.b), operand(node.c)));
    }
  }
  const ScalarNode& root = f.at(body.back());
  if (root.op != Scalar::input) return std::nullopt;
  return reads[static_cast<std::size_t>(root.a)];
}

}  // namespace dojo::graph
