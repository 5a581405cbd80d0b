#include "runtime/network_run.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "graph/fuse.h"
#include "onnx/import.h"
#include "runtime/forward_run.h"

namespace dojo::runtime {
namespace {

constexpr float largest_whole = 0x1p24f;

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
  if (!input.is_whole) return values;
  for (const float value : values)
    if (!(std::fabs(value) <= largest_whole) || value != std::trunc(value))
      refuse(where, "'{}' holds {}, which is no whole number up to 2^24", input.name, value);
  return values;
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
    run.outputs[network.outputs[k].name] = data::float_array(tensor.shape, pass.results.at(tensor.name));
  }
  return run;
}

}  // namespace dojo::runtime
