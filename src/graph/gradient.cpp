// Outline: mark what depends on a parameter; walk the ops backwards; for each op whose result has a gradient,
// make one op per operand that needs one; an operand's gradient is complete when the walk reaches the op that
// computes it (or, for parameters, the end).
#include "graph/gradient.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

using Node = Formula::Node;

// A tensor's gradient, or a part of it: a tensor of the same shape, or the same constant everywhere.
struct Part {
  TensorId tensor = no_tensor;
  float constant = 0;
};

bool reads_the_same(const Access& a, const Access& b) { return a.tensor == b.tensor && a.map == b.map; }

// Leaves out the points of the box whose write is dropped, where one axis alone decides: pads,
// concatenations, slices.
void clip_box(StructuredOp& op, const std::vector<std::int64_t>& shape) {
  for (std::size_t d = 0; d < op.out.map.size(); ++d) {
    const AffineIndex index = op.out.map[d];
    const auto used = [](std::int64_t k) { return k != 0; };
    if (index.from != not_computed) continue;
    if (std::count_if(index.coefficients.begin(), index.coefficients.end(), used) != 1) continue;
    const auto at = std::find_if(index.coefficients.begin(), index.coefficients.end(), used);
    if (*at != 1) continue;
    const auto a = static_cast<std::size_t>(at - index.coefficients.begin());
    const std::int64_t low = std::max<std::int64_t>(0, -index.offset);
    const std::int64_t high = std::min(op.box[a].extent, shape[d] - index.offset);
    if (high <= low || (low == 0 && high == op.box[a].extent)) continue;
    op.box[a].extent = high - low;
    const auto shift = [&](Access& access) {
      for (AffineIndex& moved : access.map) moved.offset += moved.coefficients[a] * low;
    };
    shift(op.out);
    for (Access& access : op.in) shift(access);
  }
}

// Whether the batch ends here. A batch of one sample is summed like any other: its samples lie on nodes.
bool sums_batch(const StructuredOp& op) {
  for (std::size_t a = 0; a < op.box.size(); ++a)
    if (op.box[a].is_batch && is_chain_axis(op, a)) return true;
  return false;
}

class Differentiation {
public:
  explicit Differentiation(Graph& graph) : graph_(graph), parts_(graph.tensors.size()) { mark(); }

  void run(TensorId loss) {
    if (!graph_.at(loss).shape.empty()) refuse(graph_.at(loss).name, "a loss must be a scalar");
    parts_[index(loss)].push_back({no_tensor, 1});
    const std::vector<StructuredOp> forward = graph_.ops;
    for (std::size_t k = forward.size(); k-- > 0;) backwards(forward[k]);
    graph_.gradient.clear();
    for (TensorId id = 0; id < static_cast<TensorId>(parts_.size()); ++id) {
      if (graph_.at(id).role != Role::parameter || parts_[index(id)].empty()) continue;
      const std::optional<Part> part = total(id);
      graph_.gradient[id] = part->tensor != no_tensor ? part->tensor : spread(id, part->constant);
      rename(graph_.gradient[id], graph_.at(id).name + ".grad");
    }
  }

private:
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  void mark() {
    for (const Tensor& tensor : graph_.tensors) needed_.push_back(tensor.role == Role::parameter);
    for (const StructuredOp& op : graph_.ops) {
      if (op.stop_gradient) continue;
      const auto inputs = inputs_of(op);
      needed_[index(op.out.tensor)] =
          std::any_of(inputs.begin(), inputs.end(), [&](TensorId id) { return needed_[index(id)]; });
    }
  }

  void backwards(const StructuredOp& op) {
    if (!needed_[index(op.out.tensor)] || op.stop_gradient) return;
    const std::optional<Part> upstream = total(op.out.tensor);
    if (!upstream) return;
    DOJO_ENSURE(op.epilogue.empty());
    std::vector<std::size_t> first(op.in.size());  // the first of equal reads stands for all
    for (std::size_t k = 0; k < op.in.size(); ++k) {
      for (first[k] = 0; !reads_the_same(op.in[first[k]], op.in[k]); ++first[k]) {
      }
      if (first[k] == k && needed_[index(op.in[k].tensor)]) contribute(op, *upstream, k);
    }
  }

  // The sum of all parts; nothing if there are none. The parts are replaced by it.
  std::optional<Part> total(TensorId id) {
    std::vector<Part>& parts = parts_[index(id)];
    if (parts.empty()) return std::nullopt;
    if (parts.size() == 1) return parts[0];
    StructuredOp op = over_tensor(id, graph_.at(id).name + ".grad");
    Formula f;
    Node sum = -1;
    float constant = 0;
    for (const Part& part : parts) {
      if (part.tensor == no_tensor) {
        constant += part.constant;
        continue;
      }
      op.in.push_back({part.tensor, op.out.map, 0});
      const Node value = f.input(static_cast<std::int32_t>(op.in.size() - 1));
      sum = sum < 0 ? value : f.add(sum, value);
    }
    if (sum < 0) {
      parts = {{no_tensor, constant}};
    } else {
      op.body = f.finish(f.add(sum, f.constant(constant)));
      parts = {{append(std::move(op), id), 0}};
    }
    return parts[0];
  }

  // An op without reads whose box is the tensor.
  StructuredOp over_tensor(TensorId id, std::string name) const {
    const Tensor& tensor = graph_.at(id);
    StructuredOp op;
    op.name = std::move(name);
    op.origin = "gradient";
    for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
      const bool batch = d == 0 && tensor.has_batch;
      op.box.push_back({batch ? "n" : fmt::format("d{}", d), tensor.shape[d], batch});
      op.out.map.push_back({std::vector<std::int64_t>(tensor.shape.size(), 0), 0});
      op.out.map.back().coefficients[d] = 1;
    }
    return op;
  }

  TensorId spread(TensorId id, float value) {
    StructuredOp op = over_tensor(id, graph_.at(id).name + ".grad");
    Formula f;
    op.body = f.finish(f.constant(value));
    return append(std::move(op), id);
  }

  // d loss / d in_k = sum of upstream * dbody/din_k, for the first of possibly several equal reads.
  void contribute(const StructuredOp& op, const Part& upstream, std::size_t k) {
    Formula f;
    std::vector<Node> arguments;
    for (const Access& access : op.in) {
      std::size_t first = 0;
      while (!reads_the_same(op.in[first], access)) ++first;
      arguments.push_back(f.input(static_cast<std::int32_t>(first)));
    }
    const auto count = static_cast<std::int32_t>(op.in.size());
    const Node result = f.input(count + 1);
    Node factor = upstream.tensor == no_tensor ? f.constant(upstream.constant) : f.input(count);
    if (op.reduction == Reduction::maximum) {
      const Node chosen = f.apply(Scalar::equal, f.insert(op.body, arguments), result);
      factor = f.select(chosen, factor, f.constant(0));
    }
    const auto slopes =
        derivative(f, op.body, arguments, factor, op.reduction == Reduction::none ? result : -1);
    Node slope = -1;
    for (std::size_t j = 0; j < op.in.size(); ++j) {
      if (arguments[j] == arguments[k] && slopes[j] >= 0)
        slope = slope < 0 ? slopes[j] : f.add(slope, slopes[j]);
    }
    if (slope < 0 || f.is_constant(slope, 0)) return;
    StructuredOp gradient;
    gradient.name = fmt::format("{}.grad.{}", op.name, graph_.at(op.in[k].tensor).name);
    gradient.origin = op.origin;
    gradient.box = op.box;
    gradient.out = {no_tensor, op.in[k].map, 0};
    gradient.body = f.finish(slope);
    take_reads(gradient, op, upstream);
    finish(std::move(gradient), op.in[k].tensor);
  }

  // Adds those reads that the body uses, and those that indices are computed from: the op's own, the upstream
  // gradient, the op's result.
  void take_reads(StructuredOp& gradient, const StructuredOp& op, const Part& upstream) const {
    std::vector<std::int32_t> moved(op.in.size() + 2, -1);
    const auto number = [&](std::int32_t used) {
      const auto k = static_cast<std::size_t>(used);
      if (moved[k] >= 0) return moved[k];
      moved[k] = static_cast<std::int32_t>(gradient.in.size());
      if (k < op.in.size()) {
        gradient.in.push_back(op.in[k]);
      } else {
        gradient.in.push_back({k == op.in.size() ? upstream.tensor : op.out.tensor, op.out.map, 0});
      }
      return moved[k];
    };
    for (const std::int32_t used : inputs_used(gradient.body)) number(used);
    const auto renumbered = [&](Access access) {
      for (AffineIndex& index : access.map)
        if (index.from != not_computed) index.from = number(index.from);
      return access;
    };
    for (std::size_t k = gradient.in.size(); k-- > 0;) {
      Access access = renumbered(gradient.in[k]);  // may add reads, whose indices are not computed
      gradient.in[k] = std::move(access);
    }
    gradient.out = renumbered(gradient.out);
    for (ScalarNode& node : gradient.body.nodes) {
      if (node.op == Scalar::input) node.a = moved[static_cast<std::size_t>(node.a)];
    }
  }

  void finish(StructuredOp op, TensorId target) {
    const auto shape = graph_.at(target).shape;
    clip_box(op, shape);
    op.reduction = writes_each_once(op) && !sums_batch(op) ? Reduction::none : Reduction::sum;
    if (op.reduction == Reduction::none && is_whole(op.out, op.box, shape)) {
      const ScalarNode& root = op.body.nodes.back();
      if (root.op == Scalar::constant) return parts_[index(target)].push_back({no_tensor, root.value});
      if (root.op == Scalar::input && graph_.at(op.in[0].tensor).shape == shape &&
          reads_the_same({op.in[0].tensor, op.out.map, 0}, op.in[0])) {
        return parts_[index(target)].push_back({op.in[0].tensor, 0});
      }
    }
    parts_[index(target)].push_back({append(std::move(op), target), 0});
  }

  // Appends the op with a new tensor, shaped like `like`, for its result.
  TensorId append(StructuredOp op, TensorId like) {
    op.name = names_.pick(op.name, [&](const std::string& name) {
      return graph_.find(name) != no_tensor || graph_.has_op(name);
    });
    Tensor tensor;
    tensor.name = op.name;
    tensor.shape = graph_.at(like).shape;
    tensor.has_batch = graph_.at(like).has_batch;
    op.out.tensor = graph_.add(std::move(tensor));
    const TensorId id = op.out.tensor;
    graph_.ops.push_back(std::move(op));
    return id;
  }

  void rename(TensorId gradient, std::string name) {
    const Tensor& tensor = graph_.at(gradient);
    if (tensor.role != Role::value || tensor.name.ends_with(".grad") || graph_.find(name) != no_tensor)
      return;
    graph_.rename(gradient, std::move(name));
  }

  Graph& graph_;
  std::vector<bool> needed_;              // by tensor of the forward graph: depends on a parameter
  std::vector<std::vector<Part>> parts_;  // likewise: gradients of its uses so far
  FreshNames names_;
};

}  // namespace

void differentiate(Graph& graph, TensorId loss) {
  Differentiation(graph).run(loss);
  validate(graph);
}

}  // namespace dojo::graph
