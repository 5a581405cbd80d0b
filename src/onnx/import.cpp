// Outline: collect initialisers and inputs; build every node that an output needs, in the file's order;
// compute what depends on constants alone; check the result.
#include "onnx/import.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/printable.h"
#include "graph/expression.h"
#include "graph/interpreter.h"
#include "onnx/exporter.h"
#include "onnx/node.h"
#include "onnx/preprocessing.h"

namespace dojo::onnx {
namespace {

constexpr std::int64_t newest_opset = 28;

constexpr std::int64_t most_extent = 1 << 24;  // of a dimension of an input

void check_elements(const ValueInfo& input, std::string_view where) {
  if (!is_floating(input.type) && !is_whole(input.type) && input.type != DataType::boolean)
    throw UserError(where, fmt::format("input '{}' holds {}", input.name, data_type_name(input.type)),
                    Refusal::unsupported);
}

graph::Shape input_shape(const ValueInfo& input, std::int64_t batch, std::string_view where) {
  check_elements(input, where);
  if (!input.shape || input.shape->empty())
    refuse(where, "input '{}' states no shape; dimension 0 must be the batch", input.name);
  graph::Shape shape{batch};
  for (std::size_t d = 1; d < input.shape->size(); ++d) {
    const Dimension& dimension = (*input.shape)[d];
    if (!dimension.extent)
      throw UserError(where,
                      fmt::format("input '{}': dimension {} ('{}') is not fixed; only the batch may vary",
                                  input.name, d, dimension.symbol),
                      Refusal::unsupported);
    if (*dimension.extent < 1 || *dimension.extent > most_extent)
      throw UserError(where,
                      fmt::format("input '{}': dimension {} is {}; it must be from 1 to {}", input.name, d,
                                  *dimension.extent, most_extent),
                      Refusal::unsupported);
    shape.push_back(*dimension.extent);
  }
  return shape;
}

// All that its type holds here, unless the caller knows better.
Bounds bounds_of_input(const Scope& scope, const ValueInfo& input) {
  const auto known = scope.options.bounds.find(input.name);
  if (known == scope.options.bounds.end()) return bounds_of(input.type);
  if (!holds(input.type, known->second))
    refuse(scope.where, "input '{}': {} from {} to {}", input.name, data_type_name(input.type),
           known->second.least, known->second.most);
  return known->second;
}

void add_inputs(Scope& scope, const GraphFile& file, Network& network) {
  for (const ValueInfo& input : file.inputs) {
    if (scope.values.contains(input.name)) continue;  // an initialiser's default
    const auto given = scope.options.given.find(input.name);
    if (given != scope.options.given.end()) {
      Tensor tensor = given->second;
      tensor.name = input.name;
      Value known = initialiser_value(tensor, scope.where);
      known.declared = input.type;
      scope.values.emplace(input.name, std::move(known));
      continue;
    }
    Value value;
    const auto whole = scope.options.whole.find(input.name);
    if (whole != scope.options.whole.end()) {
      check_elements(input, scope.where);
      graph::Tensor tensor;
      tensor.name = input.name, tensor.shape = whole->second, tensor.role = graph::Role::input;
      value.tensor = network.graph.add(std::move(tensor));
    } else {
      value.tensor = scope.build.input(input.name, input_shape(input, scope.options.batch, scope.where));
      if (!scope.file_batch) scope.file_batch = input.shape->front().extent;
    }
    value.declared = input.type;
    if (!is_floating(input.type)) value.bounds = bounds_of_input(scope, input);
    // Bytes, pictures most of them, are numbers of bfloat16, too.
    network.graph.at(value.tensor).is_whole = value.bounds && input.type != DataType::uint8;
    scope.values.emplace(input.name, value);
    network.inputs.push_back({input.name, value.tensor, input.type});
  }
}

// Ops that read constants alone are done once, here.
void fold_constants(graph::Graph& graph) {
  std::vector<std::vector<float>> values(graph.tensors.size());
  for (std::size_t t = 0; t < values.size(); ++t)
    if (graph.tensors[t].role == graph::Role::constant) values[t] = graph.tensors[t].data;
  std::vector<graph::StructuredOp> kept;
  for (graph::StructuredOp& op : graph.ops) {
    const bool constant = std::ranges::all_of(
        inputs_of(op), [&](graph::TensorId input) { return graph.at(input).role == graph::Role::constant; });
    if (!constant) {
      kept.push_back(std::move(op));
      continue;
    }
    graph::Tensor& made = graph.at(op.out.tensor);
    made.data = interpret(graph, op, values);
    made.role = graph::Role::constant;
    values[static_cast<std::size_t>(op.out.tensor)] = made.data;
  }
  graph.ops = std::move(kept);
}

OutputLoss loss_of(const Metadata& metadata, const Choices& choices, const std::string& output,
                   const graph::Shape& shape) {
  OutputLoss loss{&graph::usual_label_kind(shape)};
  if (const auto said = metadata.outputs.find(output); said != metadata.outputs.end()) {
    if (said->second.kind != nullptr) loss.kind = said->second.kind;
    loss.weight = said->second.weight;
    loss.labels = said->second.labels;
    loss.range = said->second.range;
  }
  auto chosen = choices.find(output);
  if (chosen == choices.end()) chosen = choices.find("");
  if (chosen != choices.end() && chosen->second.kind != nullptr) {
    loss.kind = chosen->second.kind;
    loss.class_dimension = chosen->second.class_dimension;
  }
  return loss;
}

// Cross entropy wants scores before their softmax: what the softmax over the classes at the output's end
// reads. (A LogSoftmax may stay: the one of the loss leaves its result as it is.)
graph::TensorId logits_of(const Scope& scope, const GraphFile& file, std::string name, graph::TensorId tensor,
                          std::size_t class_dimension) {
  for (auto node = file.nodes.rbegin(); node != file.nodes.rend(); ++node) {
    if (std::ranges::count(node->outputs, name) == 0 || node->inputs.empty()) continue;
    if (node->op != "Identity" && node->op != "Softmax") return tensor;
    name = node->inputs[0];
    if (node->op == "Identity") continue;
    const Attribute* axis = node->find("axis");
    const std::int64_t along = axis != nullptr ? axis->integer : scope.opset < 13 ? 1 : -1;
    const auto rank = static_cast<std::int64_t>(scope.graph.at(tensor).shape.size());
    const bool over_classes =
        (along < 0 ? along + rank : along) == static_cast<std::int64_t>(class_dimension);
    return over_classes ? scope.values.at(name).tensor : tensor;
  }
  return tensor;
}

// A known value as a tensor. (Nothing of it is trained.)
void make_constant(Scope& scope, const std::string& name, Value& value) {
  if (value.tensor != graph::no_tensor || value.known->count() == 0) return;
  const Known& known = *value.known;
  const std::vector<float> values =
      known.is_integer ? std::vector<float>(known.integers.begin(), known.integers.end()) : known.floats;
  if (known.is_integer) {
    for (const std::int64_t number : known.integers)
      if (number < -largest_whole || number > largest_whole) return;
    value.declared = known.type;
  }
  value.tensor = scope.build.constant(scope.build.fresh_tensor_name(name), known.dims, values);
}

// Of a network that is not trained: what is read as a result is made by the network, be it a copy of an input
// or of what is known.
graph::TensorId made_by_an_op(Scope& scope, const std::string& output, graph::TensorId tensor) {
  if (scope.options.training || scope.graph.at(tensor).role == graph::Role::value) return tensor;
  const bool is_whole = scope.graph.at(tensor).is_whole;
  scope.build.name(output, "output " + output);
  const graph::TensorId copy = scope.build.elementwise(graph::copy_of_input(), std::span(&tensor, 1));
  scope.graph.at(copy).is_whole = is_whole;
  return copy;
}

void add_outputs(Scope& scope, const Model& model, const Metadata& metadata, Network& network) {
  for (const ValueInfo& output : model.graph.outputs) {
    const auto found = scope.values.find(output.name);
    if (found == scope.values.end()) refuse(scope.where, "nothing makes the output '{}'", output.name);
    if (!scope.options.training) make_constant(scope, output.name, found->second);
    if (found->second.tensor == graph::no_tensor)
      throw UserError(scope.where, fmt::format("output '{}' does not depend on the inputs", output.name),
                      Refusal::unsupported);
    if (!found->second.view.is_plain())
      throw UserError(scope.where,
                      fmt::format("output '{}': moving the batch away from dimension 0", output.name),
                      Refusal::unsupported);
    const graph::TensorId tensor = made_by_an_op(scope, output.name, found->second.tensor);
    OutputLoss loss = loss_of(metadata, scope.options.choices, output.name, scope.graph.at(tensor).shape);
    const graph::TensorId logits = logits_of(scope, model.graph, output.name, tensor, loss.class_dimension);
    network.outputs.push_back({output.name, tensor, found->second.declared, logits, std::move(loss)});
    network.graph.outputs.push_back(tensor);
  }
  if (network.outputs.empty()) refuse(scope.where, "the network has no output");
  for (const auto& [name, choice] : scope.options.choices)
    if (!name.empty() &&
        std::ranges::find(network.outputs, name, &NetworkOutput::name) == network.outputs.end())
      refuse(scope.where, "the network has no output '{}' to learn by {}", name,
             choice.kind != nullptr ? choice.kind->key : "itself");
}

}  // namespace

Network import_model(const Model& model, std::string_view where, const ImportOptions& options) {
  DOJO_ENSURE(options.batch >= 1);
  Network network;
  network.graph.name = model.graph.name;
  Scope scope(network.graph);
  scope.options = options;
  scope.where = where;
  const auto opset = model.opsets.find("");
  const bool is_standard = std::ranges::any_of(
      model.graph.nodes, [](const Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; });
  if (opset == model.opsets.end() && is_standard) refuse(where, "names no operator set");
  scope.opset = opset == model.opsets.end() ? newest_opset : opset->second;
  if (scope.opset < 1 || scope.opset > newest_opset)
    throw UserError(where, fmt::format("operator set {}; 1 to {} are known", scope.opset, newest_opset),
                    Refusal::unsupported);
  const Metadata metadata = read_metadata(model, where);
  for (const std::string& name : preprocessing_initialisers(model.graph))
    network.frozen.emplace(name, Frozen::prepares_input);
  for (const std::string& name : fillers_of_norms(model)) network.frozen.emplace(name, Frozen::fills_norm);
  for (const std::string& name : metadata.trained) network.frozen.erase(name);
  for (const std::string& name : metadata.frozen) network.frozen[name] = Frozen::by_metadata;
  for (const auto& [name, reason] : network.frozen) scope.frozen.insert(name);
  scope.trained = metadata.trained;

  for (const Tensor& tensor : model.graph.initialisers)
    if (!scope.values.emplace(tensor.name, initialiser_value(tensor, where)).second)
      refuse(where, "two initialisers are named '{}'", tensor.name);
  add_inputs(scope, model.graph, network);
  import_nodes(scope, model.graph);
  for (const std::string& name : scope.numbers)
    if (!is_made_up(model, name) && network.graph.find(name) == graph::no_tensor)
      network.frozen.emplace(name, Frozen::no_dimensions);
  for (const std::string& name : metadata.trained)
    if (network.graph.find(name) == graph::no_tensor)
      refuse(where, "metadata 'opendojo.trained' names '{}', which nothing reads as numbers to compute with",
             name);
  fold_constants(network.graph);
  add_outputs(scope, model, metadata, network);
  validate(network.graph);
  return network;
}

graph::Shape label_shape(const graph::Graph& graph, const NetworkOutput& output) {
  const graph::Tensor& tensor = graph.at(output.tensor);
  if (!tensor.has_batch)
    throw UserError(fmt::format("output '{}'", output.name),
                    "does not depend on the inputs, sample by sample", Refusal::unsupported);
  graph::Shape shape = tensor.shape;
  if (output.loss.kind->has_classes) {
    const std::size_t classes = output.loss.class_dimension;
    if (shape.size() <= classes)
      refuse(output.name, "cross entropy needs the classes in dimension {}", classes);
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(classes));
  }
  return shape;
}

namespace {

// The logits with their classes in dimension 1.
graph::TensorId scores_of(graph::Builder& build, const NetworkOutput& output) {
  const std::size_t classes = output.loss.class_dimension;
  if (classes == 1) return output.logits;
  std::vector<std::int64_t> order(build.shape(output.logits).size());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + 1, order.begin() + static_cast<std::ptrdiff_t>(classes),
              order.begin() + static_cast<std::ptrdiff_t>(classes) + 1);
  return build.transpose(output.logits, order);
}

}  // namespace

Losses add_losses(Network& network) {
  graph::Builder build(network.graph);
  Losses losses;
  for (const NetworkOutput& output : network.outputs) {
    const graph::Shape shape = label_shape(network.graph, output);
    const graph::LabelKind& kind = *output.loss.kind;
    build.name("loss." + output.name, "loss");
    losses.labels.push_back(build.label(output.name + ".label", shape));
    network.graph.at(losses.labels.back()).is_whole = kind.has_classes;
    losses.each.push_back(
        kind.loss(build, kind.has_classes ? scores_of(build, output) : output.tensor, losses.labels.back()));
    const graph::TensorId weighted =
        output.loss.weight == 1 ? losses.each.back() : build.scale(losses.each.back(), output.loss.weight);
    build.name("loss", "loss");
    losses.total = losses.total == graph::no_tensor ? weighted : build.add(losses.total, weighted);
  }
  return losses;
}

}  // namespace dojo::onnx
