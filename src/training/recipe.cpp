#include "training/recipe.h"

#include <algorithm>

#include "base/error.h"
#include "graph/fuse.h"
#include "graph/gradient.h"

namespace dojo::training {
namespace {

using graph::Role;

std::vector<data::Signal> inputs_of(const onnx::Network& network) {
  std::vector<data::Signal> inputs;
  for (const onnx::NetworkInput& input : network.inputs) {
    const auto& shape = network.graph.at(input.tensor).shape;
    data::Signal& signal = inputs.emplace_back();
    signal.name = input.name;
    signal.shape = {shape.begin() + 1, shape.end()};
    signal.is_bytes = input.type == onnx::DataType::uint8;
    signal.is_whole = !onnx::is_floating(input.type) && !signal.is_bytes;
  }
  return inputs;
}

std::vector<data::Signal> targets_of(const onnx::Network& network) {
  std::vector<data::Signal> targets;
  for (const onnx::NetworkOutput& output : network.outputs) {
    const auto shape = onnx::label_shape(network.graph, output);
    data::Signal& target = targets.emplace_back();
    target.name = output.name;
    target.shape = {shape.begin() + 1, shape.end()};
    target.kind = output.loss.kind;
    if (target.kind->has_classes)
      target.classes = network.graph.at(output.tensor).shape.at(output.loss.class_dimension);
    target.labels = output.loss.labels;
    target.range = output.loss.range;
  }
  return targets;
}

lowering::Tensors initial_values(const graph::Graph& graph) {
  lowering::Tensors values;
  for (const graph::Tensor& tensor : graph.tensors)
    if (tensor.role == Role::parameter || tensor.role == Role::state) values[tensor.name] = tensor.data;
  return values;
}

// What the file's initialisers are to this training.
void tell_parameters(const onnx::Network& network, TrainableNetwork& result) {
  for (const graph::Tensor& tensor : network.graph.tensors) {
    if (tensor.role != Role::parameter) continue;
    result.parameters.push_back(tensor.name);
    result.trained_numbers += tensor.data.size();
  }
  result.frozen = network.frozen;
  result.shared = onnx::shared_vectors(result.file);
  std::erase_if(result.shared, [&](const onnx::SharedVector& vector) {
    return std::ranges::find(result.parameters, vector.name) == result.parameters.end();
  });
  result.folded_norms = onnx::folded_norms(result.file);
}

}  // namespace

TrainableNetwork read_network(const Recipe& recipe, const StageSink& stages) {
  const auto show = [&](std::string_view of, std::string_view name, const graph::Graph& graph) {
    stages.show(of, name, "txt", [&] { return to_text(graph); });
  };
  TrainableNetwork result;
  result.file = onnx::read_model(recipe.model);
  if (recipe.untie) result.file = onnx::untied(std::move(result.file));
  onnx::ImportOptions options{.batch = recipe.batch,
                              .training = true,
                              .initialise = recipe.initialise,
                              .seed = recipe.seed,
                              .given = {},
                              .choices = recipe.choices};

  onnx::Network training = onnx::import_model(result.file, recipe.model.string(), options);
  show("train", "imported", training.graph);
  tell_parameters(training, result);
  const onnx::Losses losses = onnx::add_losses(training);
  result.inputs = inputs_of(training);
  result.targets = targets_of(training);

  training.graph.outputs = {losses.total};
  training.graph.outputs.insert(training.graph.outputs.end(), losses.each.begin(), losses.each.end());
  graph::differentiate(training.graph, losses.total);
  show("train", "gradients", training.graph);
  graph::add_optimizer(training.graph, recipe.optimizer);
  show("train", "optimizer", training.graph);
  graph::fuse(training.graph);
  show("train", "fused", training.graph);
  result.train_step = std::move(training.graph);
  result.initial = initial_values(result.train_step);

  options.training = false;
  onnx::Network inference = onnx::import_model(result.file, recipe.model.string(), options);
  show("predict", "imported", inference.graph);
  graph::fuse(inference.graph);
  show("predict", "fused", inference.graph);
  result.predict = std::move(inference.graph);
  return result;
}

ForwardNetwork read_forward_network(const std::filesystem::path& model, std::int64_t batch) {
  onnx::Network network = onnx::import_model(onnx::read_model(model), model.string(),
                                             {.batch = batch, .training = false, .given = {}});
  ForwardNetwork result;
  result.inputs = inputs_of(network);
  result.targets = targets_of(network);
  result.initial = initial_values(network.graph);
  graph::fuse(network.graph);
  result.predict = std::move(network.graph);
  return result;
}

std::vector<std::string> output_names(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::TensorId output : graph.outputs) names.push_back(graph.at(output).name);
  return names;
}

}  // namespace dojo::training
