#include "graph/one_sample.h"

#include <iterator>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

// Adds the input under its own name, with the batch in front; what the graph knew by that name becomes the
// sum over that batch of one.
StructuredOp received(Graph& graph, TensorId whole) {
  Builder build(graph);
  const std::string name = graph.at(whole).name;
  build.rename(whole, build.fresh_tensor_name(name + ".whole"));
  Shape shape = graph.at(whole).shape;
  shape.insert(shape.begin(), 1);
  const TensorId given = build.input(name, shape);
  graph.at(given).role = std::exchange(graph.at(whole).role, Role::value);

  StructuredOp sum;
  sum.name = graph.at(whole).name;
  sum.origin = "input";
  sum.in = {{given, {}, 0}};
  sum.out = {whole, {}, 0};
  for (std::size_t d = 0; d < shape.size(); ++d) {
    AffineIndex index{std::vector<std::int64_t>(shape.size(), 0)};
    index.coefficients[d] = 1;
    sum.box.push_back({d == 0 ? "n" : fmt::format("d{}", d - 1), shape[d], d == 0});
    if (d > 0) sum.out.map.push_back(index);
    sum.in[0].map.push_back(std::move(index));
  }
  sum.body = copy_of_input();
  sum.reduction = Reduction::sum;
  return sum;
}

}  // namespace

void as_one_sample(Graph& graph) {
  std::vector<TensorId> inputs;
  for (TensorId id = 0; id < static_cast<TensorId>(graph.tensors.size()); ++id) {
    const Tensor& tensor = graph.at(id);
    DOJO_ENSURE(!tensor.has_batch);
    if (tensor.role == Role::input || tensor.role == Role::label) inputs.push_back(id);
  }
  std::vector<StructuredOp> sums;
  for (const TensorId id : inputs) sums.push_back(received(graph, id));
  graph.ops.insert(graph.ops.begin(), std::make_move_iterator(sums.begin()),
                   std::make_move_iterator(sums.end()));
  if (inputs.empty()) Builder(graph).input("nothing", {1});
  validate(graph);
}

}  // namespace dojo::graph
