// Draws. PyTorch's own operators take the next number of a generator; here a draw is a function of the step,
// of the operator and of the element (numerics/scalar_random.h), which the package writes in their place.
#include "graph/expression.h"
#include "graph/op_maker.h"
#include "onnx/aten_rows.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

constexpr std::int64_t most_points = 1 << 24;  // FP32 counts so far

// (seed, launch; number, size): of each element in row-major order its own draw from [0, 1).
void uniform(NodeImport& node) {
  node.ignore({"size"});
  const Shape& shape = node.wanted_shape(0);
  if (graph::element_count(shape) > most_points)
    node.fail(fmt::format("{} draws; up to 2^24 are made", graph::element_count(shape)), Refusal::not_yet);
  graph::Builder& b = node.build();
  const auto number = static_cast<float>(node.integer("number", 0));
  graph::Formula whole;
  const auto key =
      whole.apply(graph::Scalar::uniform, whole.input(0), whole.constant(number), whole.constant(0));
  const TensorId key_of_op = b.elementwise(whole.finish(whole.multiply(key, whole.constant(most_points))),
                                           std::vector{node.tensor(0)});
  graph::OpMaker op(b);
  op.read(key_of_op, {});
  op.read(node.tensor(1), {});
  graph::Formula f;
  std::vector<graph::Index> to;
  auto point = f.constant(0);
  std::int32_t reads = 2;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::size_t axis = op.axis(fmt::format("d{}", d), shape[d]);
    to.push_back(graph::Index::along(axis));
    if (shape[d] == 1) continue;
    op.read(b.positions(shape[d]), {graph::Index::along(axis)});
    point = f.add(f.multiply(point, f.constant(static_cast<float>(shape[d]))), f.input(reads++));
  }
  const auto drawn = f.apply(graph::Scalar::uniform, f.input(0), f.input(1), point);
  node.result(0, op.write(shape, to, graph::Reduction::none, f.finish(drawn)));
}

constexpr OpRow rows[] = {{"opendojo_uniform.default", uniform}};

}  // namespace

std::span<const OpRow> aten_random_rows() { return rows; }

}  // namespace dojo::onnx
