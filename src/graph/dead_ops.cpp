#include <iterator>
#include <set>

#include "graph/fuse.h"

namespace dojo::graph {
namespace {

bool is_given(Role role) { return role != Role::value && role != Role::constant; }

// Numbers the tensors anew and applies that to everything that names one.
class Renumbering {
public:
  Renumbering(Graph& graph, const std::set<TensorId>& kept)
      : graph_(graph), moved_(graph.tensors.size(), no_tensor) {
    std::vector<Tensor> tensors;
    for (const TensorId id : kept) {
      moved_[static_cast<std::size_t>(id)] = static_cast<TensorId>(tensors.size());
      tensors.push_back(std::move(graph.at(id)));
    }
    graph.tensors = std::move(tensors);
  }

  void apply() {
    for (StructuredOp& op : graph_.ops) {
      apply(op.out.tensor);
      for (Access& access : op.in) apply(access.tensor);
      for (Access& access : op.extra) apply(access.tensor);
    }
    for (TensorId& id : graph_.outputs) apply(id);
    graph_.gradient = applied(graph_.gradient);
    graph_.update = applied(graph_.update);
  }

private:
  void apply(TensorId& id) const { id = moved_[static_cast<std::size_t>(id)]; }

  // Pairs of which one side is gone are left out.
  std::map<TensorId, TensorId> applied(const std::map<TensorId, TensorId>& pairs) const {
    std::map<TensorId, TensorId> result;
    for (const auto& [from, to] : pairs) {
      const TensorId new_from = moved_[static_cast<std::size_t>(from)],
                     new_to = moved_[static_cast<std::size_t>(to)];
      if (new_from != no_tensor && new_to != no_tensor) result[new_from] = new_to;
    }
    return result;
  }

  Graph& graph_;
  std::vector<TensorId> moved_;  // by old number
};

}  // namespace

void eliminate_dead_ops(Graph& graph, bool keep_gradients) {
  std::set<TensorId> kept(graph.outputs.begin(), graph.outputs.end());
  for (const auto& [from, to] : graph.update) kept.insert({from, to});
  if (keep_gradients) {
    for (const auto& [from, to] : graph.gradient) kept.insert({from, to});
  }
  std::vector<StructuredOp> ops;
  for (std::size_t k = graph.ops.size(); k-- > 0;) {
    if (!kept.contains(graph.ops[k].out.tensor)) continue;
    for (const TensorId id : inputs_of(graph.ops[k])) kept.insert(id);
    ops.push_back(std::move(graph.ops[k]));
  }
  graph.ops.assign(std::make_move_iterator(ops.rbegin()), std::make_move_iterator(ops.rend()));
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    if (is_given(graph.tensors[id].role)) kept.insert(static_cast<TensorId>(id));
  }
  Renumbering(graph, kept).apply();
}

}  // namespace dojo::graph
