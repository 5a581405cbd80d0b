// The gradients of a few ops alone: they are built in a graph of their own and differentiated there; what
// computes the gradients is brought over.
#include <map>
#include <utility>

#include "base/error.h"
#include "graph/fuse.h"
#include "graph/gradient.h"

namespace dojo::graph {
namespace {

// Appends the ops of `part` to a graph; `known` says which tensors of it the graph has already.
std::map<TensorId, TensorId> bring_over(const Graph& part, Builder& build,
                                        std::map<TensorId, TensorId> known) {
  Graph& graph = build.graph();
  FreshNames names;
  const auto tensor = [&](TensorId id) {
    const auto found = known.find(id);
    if (found != known.end()) return found->second;
    Tensor copy = part.at(id);
    copy.name = build.fresh_tensor_name(copy.name);
    return known[id] = graph.add(std::move(copy));
  };
  for (const StructuredOp& op : part.ops) {
    StructuredOp copy = op;
    copy.name = names.pick(op.name, [&](const std::string& name) { return graph.has_op(name); });
    for (Access& access : copy.in) access.tensor = tensor(access.tensor);
    copy.out.tensor = tensor(copy.out.tensor);
    graph.ops.push_back(std::move(copy));
  }
  return known;
}

}  // namespace

std::vector<TensorId> gradients_of(Builder& build, const std::string& name, const Forward& forward,
                                   std::span<const TensorId> operands, TensorId upstream,
                                   const std::vector<bool>& wanted) {
  Graph part;
  Builder inside(part);
  inside.name(name, name);
  std::vector<std::string> names;
  std::vector<TensorId> stand_ins;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    names.push_back(fmt::format("operand.{}", k));
    const Shape& shape = build.shape(operands[k]);
    std::vector<float> zeros(static_cast<std::size_t>(element_count(shape)), 0);
    stand_ins.push_back(wanted[k] ? inside.parameter(names[k], shape, std::move(zeros))
                                  : inside.state(names[k], shape, std::move(zeros)));
  }
  const TensorId result = forward(inside, stand_ins);
  const Shape shape = build.shape(upstream);
  if (inside.shape(result) != shape)
    refuse(name, "a gradient of [{}] for a result of [{}]", fmt::join(shape, ", "),
           fmt::join(inside.shape(result), ", "));
  const TensorId stand_in =
      inside.state("upstream", shape, std::vector<float>(static_cast<std::size_t>(element_count(shape)), 0));
  differentiate(part, inside.sum(inside.multiply(result, stand_in)));
  eliminate_dead_ops(part, true);

  std::map<TensorId, TensorId> known;
  const auto meet = [&](const std::string& stand_in_name, TensorId tensor) {
    if (const TensorId id = part.find(stand_in_name); id != no_tensor) known[id] = tensor;
  };
  for (std::size_t k = 0; k < operands.size(); ++k) meet(names[k], operands[k]);
  meet("upstream", upstream);
  known = bring_over(part, build, std::move(known));
  std::vector<TensorId> gradients;
  for (const std::string& operand : names) {
    const TensorId id = part.find(operand);
    const auto found = id == no_tensor ? part.gradient.end() : part.gradient.find(id);
    gradients.push_back(found == part.gradient.end() ? no_tensor : known.at(found->second));
  }
  return gradients;
}

}  // namespace dojo::graph
