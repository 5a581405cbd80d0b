#include "runtime/network_run.h"

#include <map>
#include <optional>

#include "graph/fuse.h"
#include "onnx/import.h"
#include "runtime/forward_run.h"
#include "runtime/input_arrays.h"

namespace dojo::runtime {
namespace {

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
  run.batch = samples_in(inputs, inputs_name);
  const onnx::Network network =
      onnx::import_model(model, model_name, {.batch = run.batch, .training = false});
  lowering::Tensors samples;
  for (const onnx::NetworkInput& input : network.inputs)
    samples[input.name] = input_values(input, network, inputs, inputs_name);
  graph::Graph fused = network.graph;
  graph::fuse(fused);
  const ForwardRun pass = run_forward(fused, samples, options.machine, options.compiling);
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
