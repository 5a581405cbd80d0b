// Graphs inside nodes: If, Loop and Scan. A condition must be known, and so must the number of turns: the
// branch, or the body once for every turn, is built where the node stands.
#include <algorithm>
#include <utility>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

const GraphFile& graph_of(NodeImport& node, std::string_view name) {
  const Attribute* found = node.attribute(name);
  if (found == nullptr || found->graph == nullptr) node.fail(fmt::format("attribute '{}' is no graph", name));
  return *found->graph;
}

std::vector<Value> operands_from(NodeImport& node, std::size_t first, std::size_t count) {
  std::vector<Value> values;
  for (std::size_t i = first; i < first + count; ++i) values.push_back(node.value(i));
  return values;
}

void choose(NodeImport& node) {
  const GraphFile &yes = graph_of(node, "then_branch"), &no = graph_of(node, "else_branch");
  const std::vector<Value> results = node.results_of(node.operand_integer(0) != 0 ? yes : no, {});
  for (std::size_t i = 0; i < results.size(); ++i) node.result(i, results[i]);
}

// --- What turns read and leave ---

// Slice `at` along a dimension of a value that is not the batch's, without that dimension.
Value slice_of(NodeImport& node, std::size_t i, std::int64_t axis, std::int64_t at) {
  Value value = node.value(i);
  const TensorId whole = node.numbers(i);
  graph::Builder& b = node.build();
  Shape shape = b.shape(whole);
  const std::size_t d = node.dimension(axis, shape.size());
  if (d == 0 && node.has_batch(i)) node.fail("turns over the samples of the batch", Refusal::unsupported);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(d));
  value.tensor = b.reshape(b.slice(whole, static_cast<std::int64_t>(d), at, at + 1), shape);
  value.known.reset(), value.initialiser.clear();
  value.bounds = node.bounds_of(i), value.declared = node.type_of(i);
  return value;
}

// What each turn left, beside each other along a new dimension.
class Stack {
public:
  void add(NodeImport& node, const Value& value) {
    if (!value.view.is_plain()) node.fail("moving the batch away from dimension 0", Refusal::unsupported);
    if (value.tensor == graph::no_tensor && (value.known->is_integer || value.known->count() == 0)) {
      if (!value.known->is_integer) node.fail("turns that leave no elements", Refusal::unsupported);
      known_.insert(known_.end(), value.known->integers.begin(), value.known->integers.end());
      dims_ = value.known->dims, type_ = value.known->type;
    } else {
      tensors_.push_back(value.tensor != graph::no_tensor
                             ? value.tensor
                             : node.build().constant(node.build().fresh_tensor_name("turn"),
                                                     value.known->dims, value.known->floats));
      type_ = value.declared;
      if (value.bounds) bounds_ = bounds_ ? both(*bounds_, *value.bounds) : *value.bounds;
    }
    ++turns_;
  }

  void finish(NodeImport& node, std::size_t output, std::int64_t axis, bool backwards) {
    if (!node.wants(output)) return;
    if (turns_ == 0) node.fail("no turns", Refusal::unsupported);
    if (!known_.empty() && tensors_.empty() && axis == 0 && !backwards) {
      Known known = known_integers(std::move(known_));
      known.dims = dims_, known.type = type_;
      known.dims.insert(known.dims.begin(), turns_);
      return node.result(output, std::move(known));
    }
    if (tensors_.size() != static_cast<std::size_t>(turns_))
      node.fail("turns of which only some are known", Refusal::unsupported);
    if (backwards) std::ranges::reverse(tensors_);
    graph::Builder& b = node.build();
    const auto d = static_cast<std::int64_t>(node.dimension(axis, b.shape(tensors_[0]).size() + 1));
    for (TensorId& tensor : tensors_) tensor = b.unsqueeze(tensor, {d});
    const TensorId joined = b.concat(tensors_, d);
    if (bounds_) return node.whole_result(output, joined, type_, *bounds_);
    node.result(output, joined);
  }

private:
  std::vector<TensorId> tensors_;
  std::vector<std::int64_t> known_;
  Shape dims_;
  DataType type_ = DataType::float32;
  std::optional<Bounds> bounds_;
  std::int64_t turns_ = 0;
};

// --- Scan ---

std::vector<std::int64_t> for_each(NodeImport& node, std::string_view name, std::size_t count) {
  std::vector<std::int64_t> values = node.integers(name, std::vector<std::int64_t>(count, 0));
  if (values.size() != count)
    node.fail(fmt::format("attribute '{}' has {} numbers for {} tensors", name, values.size(), count));
  return values;
}

void scan(NodeImport& node) {
  if (node.opset() < 9) node.fail("of operator sets before 9", Refusal::not_yet);
  const GraphFile& body = graph_of(node, "body");
  const auto scanned = static_cast<std::size_t>(node.integer("num_scan_inputs", 0));
  if (scanned < 1 || scanned > node.operands() || body.inputs.size() != node.operands())
    node.fail(fmt::format("{} of {} operands to be scanned", scanned, node.operands()));
  const std::size_t states = node.operands() - scanned;
  if (body.outputs.size() < states) node.fail("fewer results inside than states");
  const std::size_t stacked = body.outputs.size() - states;
  const auto in_axes = for_each(node, "scan_input_axes", scanned),
             in_backwards = for_each(node, "scan_input_directions", scanned),
             out_axes = for_each(node, "scan_output_axes", stacked),
             out_backwards = for_each(node, "scan_output_directions", stacked);
  const Shape first = node.shape(states);
  const std::int64_t turns = first.at(node.dimension(in_axes[0], first.size()));
  if (turns > most_turns)
    node.fail(fmt::format("{} turns, more than {}", turns, most_turns), Refusal::not_yet);
  std::vector<Value> carried = operands_from(node, 0, states);
  std::vector<Stack> stacks(stacked);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    std::vector<Value> inputs = std::move(carried);
    for (std::size_t k = 0; k < scanned; ++k)
      inputs.push_back(
          slice_of(node, states + k, in_axes[k], in_backwards[k] != 0 ? turns - 1 - turn : turn));
    std::vector<Value> made = node.results_of(body, inputs);
    for (std::size_t k = 0; k < stacked; ++k) stacks[k].add(node, made[states + k]);
    made.resize(states);
    carried = std::move(made);
  }
  for (std::size_t i = 0; i < states; ++i) node.result(i, carried[i]);
  for (std::size_t k = 0; k < stacked; ++k)
    stacks[k].finish(node, states + k, out_axes[k], out_backwards[k] != 0);
}

// --- Loop ---

Value known_value(Known known) {
  Value value;
  value.known = std::move(known);
  return value;
}

bool goes_on(NodeImport& node, const Value& condition) {
  if (!condition.known || !condition.known->is_integer || condition.known->count() != 1)
    node.fail("a condition that is computed from data", Refusal::unsupported);
  return condition.known->integers[0] != 0;
}

void loop(NodeImport& node) {
  const GraphFile& body = graph_of(node, "body");
  const std::size_t states = node.operands() - std::min<std::size_t>(2, node.operands());
  if (body.inputs.size() != states + 2 || body.outputs.size() < states + 1)
    node.fail(fmt::format("a body of {} inputs and {} results for {} states", body.inputs.size(),
                          body.outputs.size(), states));
  const std::size_t stacked = body.outputs.size() - states - 1;
  const std::int64_t most = node.has(0) ? node.operand_integer(0) : most_turns + 1;
  Known yes = known_integers({1});
  yes.dims.clear(), yes.type = DataType::boolean;
  Value condition = node.has(1) ? node.value(1) : known_value(yes);
  std::vector<Value> carried = operands_from(node, 2, states);
  std::vector<Stack> stacks(stacked);
  for (std::int64_t turn = 0; turn < most && goes_on(node, condition); ++turn) {
    if (turn == most_turns) node.fail(fmt::format("more than {} turns", most_turns), Refusal::not_yet);
    Known number = known_integers({turn});
    number.dims.clear();
    std::vector<Value> inputs = {known_value(number), condition};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    const std::vector<Value> made = node.results_of(body, inputs);
    condition = made[0];
    carried.assign(made.begin() + 1, made.begin() + 1 + static_cast<std::ptrdiff_t>(states));
    for (std::size_t k = 0; k < stacked; ++k) stacks[k].add(node, made[1 + states + k]);
  }
  for (std::size_t i = 0; i < states; ++i) node.result(i, carried[i]);
  for (std::size_t k = 0; k < stacked; ++k) stacks[k].finish(node, states + k, 0, false);
}

constexpr OpRow inside_table[] = {
    {"If", choose},
    {"Loop", loop},
    {"Scan", scan},
};

}  // namespace

std::span<const OpRow> inside_rows() { return inside_table; }

std::vector<Value> NodeImport::results_of(const GraphFile& inside, std::span<const Value> inputs) {
  if (inside.inputs.size() != inputs.size())
    fail(fmt::format("a graph of {} inputs for {} values", inside.inputs.size(), inputs.size()));
  if (++scope_.built > most_built)
    fail(fmt::format("more than {} turns in all", most_built), Refusal::not_yet);
  std::vector<std::string> added;
  const auto bind = [&](const std::string& name, Value value) {
    if (!scope_.values.emplace(name, std::move(value)).second)
      fail(fmt::format("'{}' of the graph inside exists around it", name));
    added.push_back(name);
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) bind(inside.inputs[i].name, inputs[i]);
  for (const Tensor& tensor : inside.initialisers) bind(tensor.name, initialiser_value(tensor, scope_.where));
  import_nodes(scope_, inside);
  std::vector<Value> results;
  for (const ValueInfo& output : inside.outputs) {
    const auto found = scope_.values.find(output.name);
    if (found == scope_.values.end()) fail(fmt::format("nothing inside makes '{}'", output.name));
    results.push_back(found->second);
  }
  for (const Node& made : inside.nodes)
    for (const std::string& name : made.outputs)
      if (!name.empty()) scope_.values.erase(name);
  for (const std::string& name : added) scope_.values.erase(name);
  build().name(label_of(node_), fmt::format("{} {}", node_.op, label_of(node_)));
  return results;
}

}  // namespace dojo::onnx
