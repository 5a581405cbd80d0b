#include "runtime/network_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "graph/fuse.h"
#include "onnx/import.h"
#include "onnx/numbers.h"
#include "runtime/forward_run.h"

namespace dojo::runtime {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<std::string> names_of(const data::Arrays& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) names.push_back(name);
  return names;
}

// Samples in the arrays, which all must have as many.
std::int64_t batch_of(const data::Arrays& inputs, std::string_view where) {
  std::int64_t batch = 0;
  for (const auto& [name, array] : inputs) {
    if (array.shape.empty()) refuse(where, "'{}' has no dimension along which its samples lie", name);
    if (batch == 0) batch = array.shape[0];
    if (array.shape[0] != batch || batch < 1)
      refuse(where, "'{}' holds {} samples, where {} are wanted", name, array.shape[0],
             std::max<std::int64_t>(batch, 1));
  }
  return batch;
}

const data::Array& array_for(const onnx::NetworkInput& input, const onnx::Network& network,
                             const data::Arrays& inputs, std::string_view where) {
  const auto found = inputs.find(input.name);
  if (found != inputs.end()) return found->second;
  if (network.inputs.size() == 1 && inputs.size() == 1) return inputs.begin()->second;
  refuse(where, "no array '{}' for the network's input of that name; there are {}", input.name,
         fmt::join(names_of(inputs), ", "));
}

std::vector<float> values_for(const onnx::NetworkInput& input, const data::Array& array,
                              const graph::Shape& shape, std::string_view where) {
  if (array.shape != shape)
    refuse(where, "'{}' has the shape {}, where {} is wanted", input.name, shape_text(array.shape),
           shape_text(shape));
  std::vector<float> values = data::floats(array);
  if (onnx::is_floating(input.type)) return values;
  const onnx::Bounds bounds = onnx::bounds_of(input.type);
  for (const float value : values)
    if (!(value >= static_cast<float>(bounds.least) && value <= static_cast<float>(bounds.most)) ||
        value != std::trunc(value))
      refuse(where, "'{}' holds {}, which is no whole number from {} to {}", input.name, value, bounds.least,
             bounds.most);
  return values;
}

// What whole numbers and truth values of ONNX are in an array; nothing for others.
std::optional<data::Element> whole_element(onnx::DataType type) {
  using onnx::DataType, data::Element;
  static const std::map<DataType, Element> elements = {
      {DataType::boolean, Element::boolean}, {DataType::int8, Element::int8},
      {DataType::uint8, Element::uint8},     {DataType::int16, Element::int16},
      {DataType::uint16, Element::uint16},   {DataType::int32, Element::int32},
      {DataType::uint32, Element::uint32},   {DataType::int64, Element::int64},
      {DataType::uint64, Element::uint64}};
  const auto found = elements.find(type);
  return found == elements.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

NetworkRun run_network(const onnx::Model& model, std::string_view model_name, const data::Arrays& inputs,
                       std::string_view inputs_name, const NetworkRunOptions& options) {
  NetworkRun run;
  run.batch = batch_of(inputs, inputs_name);
  const onnx::Network network =
      onnx::import_model(model, model_name, {.batch = run.batch, .training = false});
  lowering::Tensors samples;
  for (const onnx::NetworkInput& input : network.inputs)
    samples[input.name] = values_for(input, array_for(input, network, inputs, inputs_name),
                                     network.graph.at(input.tensor).shape, inputs_name);
  graph::Graph fused = network.graph;
  graph::fuse(fused);
  const ForwardRun pass = run_forward(fused, samples, options.machine, options.formats, options.nodes);
  run.stranded = pass.stranded;
  run.nodes = pass.nodes;
  run.cycles = pass.cycles;
  run.ledger = pass.ledger;
  if (!run.stranded.empty()) return run;
  for (std::size_t k = 0; k < network.outputs.size(); ++k) {
    const graph::Tensor& tensor = fused.at(fused.outputs[k]);
    const std::vector<float>& values =
        tensor.role == graph::Role::constant ? tensor.data : pass.results.at(tensor.name);
    const auto element = whole_element(network.outputs[k].type);
    run.outputs[network.outputs[k].name] =
        element ? data::whole_array(*element, tensor.shape, values) : data::float_array(tensor.shape, values);
  }
  return run;
}

}  // namespace dojo::runtime
