// The law of the IR (ir.h), checked op by op.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "graph/expression.h"
#include "graph/ir.h"

namespace dojo::graph {
namespace {

class Validator {
public:
  explicit Validator(const Graph& graph) : graph_(graph) {}

  void run() {
    check_tensors();
    std::set<std::string> names;
    for (const StructuredOp& op : graph_.ops) {
      if (!names.insert(op.name).second) refuse(graph_.name, "two ops are called '{}'", op.name);
      check(op);
    }
    for (const TensorId id : graph_.outputs) check_id("outputs", id);
    for (const auto& [from, to] : graph_.gradient) check_pair("gradient", from, to);
    for (const auto& [from, to] : graph_.update) check_pair("update", from, to);
  }

private:
  void check_tensors() {
    std::set<std::string> names;
    for (const Tensor& tensor : graph_.tensors) {
      if (!names.insert(tensor.name).second) refuse(graph_.name, "two tensors are called '{}'", tensor.name);
      for (const std::int64_t extent : tensor.shape) {
        if (extent < 1) refuse(tensor.name, "a tensor's extents must be at least 1, not {}", extent);
      }
      if (tensor.has_batch && tensor.shape.empty())
        refuse(tensor.name, "a scalar cannot have a batch dimension");
      const auto count = static_cast<std::size_t>(element_count(tensor.shape));
      if (!tensor.data.empty() && tensor.data.size() != count) {
        refuse(tensor.name, "holds {} values where its shape needs {}", tensor.data.size(), count);
      }
      if (tensor.role == Role::constant && tensor.data.empty())
        refuse(tensor.name, "a constant without data");
      ready_.push_back(tensor.role != Role::value);
    }
  }

  void check_id(std::string_view where, TensorId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= graph_.tensors.size())
      refuse(where, "no tensor has the number {}", id);
  }

  void check_pair(std::string_view where, TensorId from, TensorId to) const {
    check_id(where, from);
    check_id(where, to);
    if (graph_.at(from).shape != graph_.at(to).shape) {
      refuse(where, "'{}' and '{}' differ in shape", graph_.at(from).name, graph_.at(to).name);
    }
  }

  void check(const StructuredOp& op) {
    if (std::count_if(op.box.begin(), op.box.end(), [](const Axis& axis) { return axis.is_batch; }) > 1) {
      refuse(op.name, "has more than one batch axis");
    }
    for (const Axis& axis : op.box) {
      if (axis.extent < 1) refuse(op.name, "axis '{}' has extent {}", axis.name, axis.extent);
    }
    if (op.epilogue.empty() && !op.extra.empty()) refuse(op.name, "has extras but no epilogue");
    for (const Access& access : op.in) check_read(op, access);
    for (const Access& access : op.extra) {
      check_read(op, access);
      check_extra(op, access);
    }
    check_access(op, op.out);
    const Tensor& out = graph_.at(op.out.tensor);
    if (out.role != Role::value) refuse(op.name, "writes '{}', which is not a computed value", out.name);
    if (ready_[static_cast<std::size_t>(op.out.tensor)]) refuse(op.name, "'{}' is written twice", out.name);
    ready_[static_cast<std::size_t>(op.out.tensor)] = true;
    if (op.body.empty()) refuse(op.name, "has no body");
    check(op, op.body, op.in.size());
    if (!op.epilogue.empty()) check(op, op.epilogue, op.extra.size() + 1);
    if (op.reduction == Reduction::none && !writes_each_once(op)) {
      refuse(op.name, "stores elements of '{}' more than once", out.name);
    }
  }

  void check_read(const StructuredOp& op, const Access& access) const {
    check_access(op, access);
    if (!ready_[static_cast<std::size_t>(access.tensor)]) {
      refuse(op.name, "reads '{}' before it is computed", graph_.at(access.tensor).name);
    }
  }

  void check_access(const StructuredOp& op, const Access& access) const {
    check_id(op.name, access.tensor);
    const Tensor& tensor = graph_.at(access.tensor);
    if (access.map.size() != tensor.shape.size()) {
      refuse(op.name, "indexes '{}', which has {} dimensions, with {}", tensor.name, tensor.shape.size(),
             access.map.size());
    }
    for (std::size_t d = 0; d < access.map.size(); ++d) {
      const AffineIndex& index = access.map[d];
      if (index.coefficients.size() != op.box.size()) {
        refuse(op.name, "an index of '{}' has {} coefficients for {} axes", tensor.name,
               index.coefficients.size(), op.box.size());
      }
      check_batch(op, tensor, d, index);
      if (index.from != not_computed) check_computed(op, tensor, index);
    }
  }

  void check_computed(const StructuredOp& op, const Tensor& tensor, const AffineIndex& index) const {
    if (index.from < 0 || static_cast<std::size_t>(index.from) >= op.in.size())
      refuse(op.name, "an index of '{}' is computed from input {} of {}", tensor.name, index.from,
             op.in.size());
    if (has_computed_index(op.in[static_cast<std::size_t>(index.from)]))
      refuse(op.name, "an index of '{}' is computed from a computed one", tensor.name);
  }

  void check_batch(const StructuredOp& op, const Tensor& tensor, std::size_t dimension,
                   const AffineIndex& index) const {
    const bool batch_dimension = tensor.has_batch && dimension == 0;
    bool plain = index.offset == 0 && (!batch_dimension || index.from == not_computed);
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      const std::int64_t wanted = batch_dimension && op.box[a].is_batch ? 1 : 0;
      if ((batch_dimension || op.box[a].is_batch) && index.coefficients[a] != wanted) plain = false;
      if (batch_dimension && op.box[a].is_batch && op.box[a].extent != tensor.shape[0]) plain = false;
    }
    const bool has_axis =
        std::any_of(op.box.begin(), op.box.end(), [](const Axis& axis) { return axis.is_batch; });
    if (batch_dimension ? !(plain && has_axis) : !plain && reads_batch(op, index)) {
      refuse(op.name, "dimension {} of '{}' does not follow the batch axis", dimension, tensor.name);
    }
  }

  static bool reads_batch(const StructuredOp& op, const AffineIndex& index) {
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (op.box[a].is_batch && index.coefficients[a] != 0) return true;
    }
    return false;
  }

  // Each dimension constant or equal to a dimension of out: a function of the element.
  void check_extra(const StructuredOp& op, const Access& extra) const {
    for (const AffineIndex& index : extra.map) {
      bool fits = std::all_of(index.coefficients.begin(), index.coefficients.end(),
                              [](std::int64_t k) { return k == 0; });
      fits = index.from == not_computed && (fits || std::ranges::find(op.out.map, index) != op.out.map.end());
      if (!fits)
        refuse(op.name, "the epilogue's '{}' is not indexed by the output's element",
               graph_.at(extra.tensor).name);
    }
  }

  static void check(const StructuredOp& op, const Expression& expression, std::size_t arguments) {
    for (std::size_t k = 0; k < expression.nodes.size(); ++k) {
      const ScalarNode& node = expression.nodes[k];
      if (node.op == Scalar::input) {
        if (node.a < 0 || static_cast<std::size_t>(node.a) >= arguments)
          refuse(op.name, "its expression reads input {} of {}", node.a, arguments);
        continue;
      }
      const std::int32_t operands[] = {node.a, node.b, node.c};
      for (unsigned j = 0; j < 3; ++j) {
        const bool wanted = j < row_of(node.op).operands;
        if (wanted ? operands[j] < 0 || operands[j] >= static_cast<std::int32_t>(k) : operands[j] != -1) {
          refuse(op.name, "operand {} of '{}' in its expression is {}", j, row_of(node.op).name, operands[j]);
        }
      }
    }
  }

  const Graph& graph_;
  std::vector<bool> ready_;  // by tensor: has a value at this point of the order
};

}  // namespace

// Per dimension, taking the axes by the stride that they have in it, each stride must exceed the reach of all
// smaller ones.
bool writes_each_once(const StructuredOp& op) {
  struct StridedAxis {
    std::int64_t stride, reach;
  };
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (op.box[a].extent > 1 && is_chain_axis(op, a)) return false;
  }
  if (has_computed_index(op.out)) return false;
  for (const AffineIndex& index : op.out.map) {
    std::vector<StridedAxis> steps;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      const std::int64_t stride = std::abs(index.coefficients[a]);
      if (stride != 0 && op.box[a].extent > 1) steps.push_back({stride, stride * (op.box[a].extent - 1)});
    }
    std::sort(steps.begin(), steps.end(),
              [](const StridedAxis& x, const StridedAxis& y) { return x.stride < y.stride; });
    std::int64_t reach = 0;
    for (const StridedAxis& step : steps) {
      if (step.stride <= reach) return false;
      reach += step.reach;
    }
  }
  return true;
}

bool stays_inside(const Access& access, const std::vector<Axis>& box,
                  const std::vector<std::int64_t>& shape) {
  for (std::size_t d = 0; d < shape.size(); ++d) {
    std::int64_t low = access.map[d].offset, high = low;
    for (std::size_t a = 0; a < box.size(); ++a) {
      const std::int64_t reach = access.map[d].coefficients[a] * (box[a].extent - 1);
      (reach < 0 ? low : high) += reach;
    }
    if (low < 0 || high >= shape[d]) return false;
  }
  return true;
}

std::int64_t points(const StructuredOp& op) {
  std::int64_t count = 1;
  for (const Axis& axis : op.box) count *= axis.extent;
  return count;
}

bool is_whole(const Access& access, const std::vector<Axis>& box, const std::vector<std::int64_t>& shape) {
  std::vector<bool> used(box.size(), false);
  for (std::size_t d = 0; d < access.map.size(); ++d) {
    std::size_t axes = 0;
    for (std::size_t a = 0; a < box.size(); ++a) {
      const std::int64_t k = access.map[d].coefficients[a];
      if (k == 0) continue;
      if (k != 1 || used[a] || box[a].extent != shape[d]) return false;
      used[a] = true;
      ++axes;
    }
    if (access.map[d].offset != 0 || access.map[d].from != not_computed ||
        (axes == 0 ? shape[d] != 1 : axes != 1))
      return false;
  }
  return true;
}

void validate(const Graph& graph) { Validator(graph).run(); }

}  // namespace dojo::graph
