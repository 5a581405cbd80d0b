#include "graph/valid_samples.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/expression.h"
#include "graph/name_index.h"

namespace dojo::graph {
namespace {

class LeavingOut {
public:
  LeavingOut(Graph& graph, TensorId valid) : graph_(graph), valid_(valid) {}

  void run() {
    for (StructuredOp& op : std::exchange(graph_.ops, {})) {
      if (reduces_over_batch(op)) restrict(op);
      ops_.push_back(std::move(op));
    }
    graph_.ops = std::move(ops_);
    validate(graph_);
  }

private:
  bool reduces_over_batch(const StructuredOp& op) const {
    return std::ranges::any_of(op.box, &Axis::is_batch) && !graph_.at(op.out.tensor).has_batch;
  }

  void restrict(StructuredOp& op) {
    const ScalarNode& root = op.body.nodes.back();
    const auto is_read = [&](std::int32_t node) {
      return op.body.nodes[static_cast<std::size_t>(node)].op == Scalar::input;
    };
    if (op.reduction == Reduction::sum && root.op == Scalar::multiply && is_read(root.a) && is_read(root.b)) {
      for (Access& read : op.in) read.tensor = zeroed(read.tensor);
      return;
    }
    Formula formula;
    std::vector<Formula::Node> arguments;
    for (std::size_t k = 0; k < op.in.size(); ++k)
      arguments.push_back(formula.input(static_cast<std::int32_t>(k)));
    const Formula::Node body = formula.insert(op.body, arguments),
                        counts = formula.input(static_cast<std::int32_t>(op.in.size())),
                        nothing = formula.constant(
                            op.reduction == Reduction::maximum ? -std::numeric_limits<float>::infinity() : 0);
    op.body = formula.finish(formula.select(counts, body, nothing));
    AffineIndex sample{std::vector<std::int64_t>(op.box.size(), 0)};
    for (std::size_t a = 0; a < op.box.size(); ++a) sample.coefficients[a] = op.box[a].is_batch;
    op.in.push_back({valid_, {sample}, 0});
  }

  // The tensor with zeros for the samples that are left out.
  TensorId zeroed(TensorId id) {
    if (!graph_.at(id).has_batch || graph_.at(id).role != Role::value) return id;
    const auto [known, is_new] = zeroed_.try_emplace(id, no_tensor);
    if (!is_new) return known->second;
    Tensor tensor = graph_.at(id);
    tensor.name = fresh_.pick(tensor.name + ".counted", [&](const std::string& name) {
      return graph_.find(name) != no_tensor || graph_.has_op(name);
    });
    const std::vector<std::int64_t> shape = tensor.shape;
    known->second = graph_.add(std::move(tensor));

    StructuredOp op;
    op.name = graph_.at(known->second).name;
    op.origin = "leave_samples_out";
    op.in = {{valid_, {}, 0}, {id, {}, 0}};
    for (std::size_t d = 0; d < shape.size(); ++d) {
      op.box.push_back({d == 0 ? "n" : fmt::format("d{}", d), shape[d], d == 0});
      AffineIndex index{std::vector<std::int64_t>(shape.size(), 0)};
      index.coefficients[d] = 1;
      if (d == 0) op.in[0].map.push_back(index);
      op.in[1].map.push_back(std::move(index));
    }
    op.out = op.in[1];
    op.out.tensor = known->second;
    Formula formula;
    op.body = formula.finish(formula.select(formula.input(0), formula.input(1), formula.constant(0)));
    ops_.push_back(std::move(op));
    return known->second;
  }

  Graph& graph_;
  const TensorId valid_;
  std::vector<StructuredOp> ops_;
  std::map<TensorId, TensorId> zeroed_;
  FreshNames fresh_;
};

}  // namespace

void leave_samples_out(Graph& graph, TensorId valid) {
  const Tensor& tensor = graph.at(valid);
  DOJO_ENSURE(tensor.has_batch && tensor.shape.size() == 1);
  LeavingOut(graph, valid).run();
}

}  // namespace dojo::graph
