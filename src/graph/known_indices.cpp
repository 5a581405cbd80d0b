#include "graph/known_indices.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "graph/expression.h"
#include "graph/interpreter.h"
#include "graph/read_source.h"

namespace dojo::graph {
namespace {

constexpr std::int64_t most_elements = 65536, most_points = 1 << 22;

// values[i] = offset + sum of slopes[d] * i[d]
struct Counting {
  std::vector<std::int64_t> slopes;
  std::int64_t offset = 0;
};

std::optional<Counting> counting(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
  for (const float value : values)
    if (value != std::trunc(value) || !computed_index(value)) return std::nullopt;
  Counting found{std::vector<std::int64_t>(shape.size(), 0), *computed_index(values[0])};
  std::size_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0; stride *= static_cast<std::size_t>(shape[d]))
    if (shape[d] > 1) found.slopes[d] = *computed_index(values[stride]) - found.offset;
  for (std::size_t k = 0; k < values.size(); ++k) {
    std::int64_t expected = found.offset;
    std::size_t rest = k;
    for (std::size_t d = shape.size(); d-- > 0;) {
      const auto extent = static_cast<std::size_t>(shape[d]);
      expected += found.slopes[d] * static_cast<std::int64_t>(rest % extent);
      rest /= extent;
    }
    if (*computed_index(values[k]) != expected) return std::nullopt;
  }
  return found;
}

class KnownIndices {
public:
  explicit KnownIndices(Graph& graph) : graph_(graph) {}

  void run() {
    if (std::ranges::none_of(graph_.ops, [](const StructuredOp& op) { return has_computed_index(op); }))
      return;
    for (const StructuredOp& op : graph_.ops) makers_[op.out.tensor] = &op;
    std::vector<StructuredOp> ops = graph_.ops;
    for (StructuredOp& op : ops) rewrite(op);
    const std::set<TensorId> before = read_by(graph_.ops);
    graph_.ops = std::move(ops);
    remove_abandoned(before);
  }

private:
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  std::set<TensorId> read_by(const std::vector<StructuredOp>& ops) const {
    std::set<TensorId> read(graph_.outputs.begin(), graph_.outputs.end());
    for (const auto* pairs : {&graph_.update, &graph_.gradient})
      for (const auto& [from, to] : *pairs) read.insert(to);
    for (const StructuredOp& op : ops)
      for (const TensorId id : inputs_of(op)) read.insert(id);
    return read;
  }

  // Ops whose results were read before and are no more.
  void remove_abandoned(const std::set<TensorId>& before) {
    for (std::size_t left = graph_.ops.size() + 1; left > graph_.ops.size();) {
      left = graph_.ops.size();
      const std::set<TensorId> now = read_by(graph_.ops);
      std::erase_if(graph_.ops, [&](const StructuredOp& op) {
        return before.contains(op.out.tensor) && !now.contains(op.out.tensor);
      });
    }
  }

  void rewrite(StructuredOp& op) {
    bool any = false;
    for (const Access& read : std::vector<Access>(op.in)) any = forward_all(op, read, false) || any;
    any = forward_all(op, op.out, true) || any;
    for (Access& read : op.in)
      for (AffineIndex& dimension : read.map) any = make_affine(op, dimension, false) || any;
    for (AffineIndex& dimension : op.out.map) any = make_affine(op, dimension, true) || any;
    if (any) remove_unused(op);
  }

  bool forward_all(StructuredOp& op, const Access& access, bool is_written) const {
    bool any = false;
    for (const AffineIndex& dimension : access.map)
      if (dimension.from != not_computed)
        any = forward(op, static_cast<std::size_t>(dimension.from), is_written) || any;
    return any;
  }

  // An axis that would no longer occur where is written would be reduced before the others.
  bool make_affine(const StructuredOp& op, AffineIndex& dimension, bool is_written) {
    if (dimension.from == not_computed) return false;
    const auto numbers = counting_of(op, op.in[static_cast<std::size_t>(dimension.from)]);
    if (!numbers) return false;
    AffineIndex sum{dimension.coefficients, dimension.offset + numbers->offset};
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      sum.coefficients[a] += numbers->slopes[a];
      const bool occurs =
          dimension.coefficients[a] != 0 || is_along(op.in[static_cast<std::size_t>(dimension.from)], a);
      if (is_written && occurs && sum.coefficients[a] == 0) return false;
    }
    dimension = std::move(sum);
    return true;
  }

  // Reads what an index is computed from where it was copied or concatenated from, as far as that goes.
  bool forward(StructuredOp& op, std::size_t k, bool is_written) const {
    bool any = false;
    while (std::optional<Access> source = source_of(op.in[k], op.box)) {
      for (std::size_t a = 0; is_written && a < op.box.size(); ++a)
        if (is_along(*source, a) != is_along(op.in[k], a)) return any;
      op.in[k] = std::move(*source);
      any = true;
    }
    return any;
  }

  std::optional<Access> source_of(const Access& read, const std::vector<Axis>& box) const {
    const auto made = makers_.find(read.tensor);
    if (made == makers_.end()) return std::nullopt;
    return graph::source_of(graph_, *made->second, read, box);
  }

  // What is read there as a function of the box's axes.
  std::optional<Counting> counting_of(const StructuredOp& op, const Access& read) {
    const std::vector<std::int64_t>& shape = graph_.at(read.tensor).shape;
    const std::vector<float>& values = known_values(read.tensor);
    if (values.empty() || !stays_inside(read, op.box, shape)) return std::nullopt;
    const auto numbers = counting(values, shape);
    if (!numbers) return std::nullopt;
    Counting found{std::vector<std::int64_t>(op.box.size(), 0), numbers->offset};
    for (std::size_t d = 0; d < shape.size(); ++d) {
      found.offset += numbers->slopes[d] * read.map[d].offset;
      for (std::size_t a = 0; a < op.box.size(); ++a)
        found.slopes[a] += numbers->slopes[d] * read.map[d].coefficients[a];
    }
    return found;
  }

  // Of a tensor that constants alone make; empty if it is another.
  const std::vector<float>& known_values(TensorId id) {
    const auto [known, is_new] = known_.try_emplace(id);
    if (is_new) known->second = find_values(id);
    return known->second;
  }

  std::vector<float> find_values(TensorId id) {
    const Tensor& tensor = graph_.at(id);
    if (element_count(tensor.shape) > most_elements) return {};
    if (tensor.role == Role::constant) return tensor.data;
    const auto made = makers_.find(id);
    if (made == makers_.end() || points(*made->second) > most_points) return {};
    const std::vector<TensorId> inputs = inputs_of(*made->second);
    if (std::ranges::any_of(inputs, [&](TensorId input) { return known_values(input).empty(); })) return {};
    std::vector<std::vector<float>> values(graph_.tensors.size());
    for (const TensorId input : inputs) values[index(input)] = known_values(input);
    return interpret(graph_, *made->second, values);
  }

  // Inputs of which neither the body nor an index has need.
  static void remove_unused(StructuredOp& op) {
    std::vector<bool> used(op.in.size(), false);
    for (const std::int32_t k : inputs_used(op.body)) used[static_cast<std::size_t>(k)] = true;
    const auto mark = [&](const Access& access) {
      for (const AffineIndex& dimension : access.map)
        if (dimension.from != not_computed) used[static_cast<std::size_t>(dimension.from)] = true;
    };
    mark(op.out);
    for (std::size_t k = 0; k < op.in.size(); ++k)
      if (used[k]) mark(op.in[k]);
    std::vector<std::int32_t> moved;
    std::vector<Access> kept;
    for (std::size_t k = 0; k < op.in.size(); ++k) {
      moved.push_back(static_cast<std::int32_t>(kept.size()));
      if (used[k]) kept.push_back(std::move(op.in[k]));
    }
    op.in = std::move(kept);
    const auto renumber = [&](Access& access) {
      for (AffineIndex& dimension : access.map)
        if (dimension.from != not_computed) dimension.from = moved[static_cast<std::size_t>(dimension.from)];
    };
    for (Access& access : op.in) renumber(access);
    renumber(op.out);
    for (ScalarNode& node : op.body.nodes)
      if (node.op == Scalar::input) node.a = moved[static_cast<std::size_t>(node.a)];
  }

  Graph& graph_;
  std::map<TensorId, std::vector<float>> known_;
  std::map<TensorId, const StructuredOp*> makers_;
};

}  // namespace

void make_known_indices_affine(Graph& graph) { KnownIndices(graph).run(); }

}  // namespace dojo::graph
