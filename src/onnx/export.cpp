#include "onnx/export.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::onnx {

Model with_values(Model model, const std::map<std::string, std::vector<float>>& values) {
  std::vector<Tensor>& initialisers = model.graph.initialisers;
  std::erase_if(model.graph.nodes, [&](const Node& node) {
    if (node.op != "Identity" || node.outputs.size() != 1 || !values.contains(node.outputs[0])) return false;
    const auto source = std::ranges::find(initialisers, node.inputs.at(0), &Tensor::name);
    if (source == initialisers.end()) return false;
    Tensor own = *source;
    own.name = node.outputs[0];
    initialisers.push_back(std::move(own));
    return true;
  });
  for (Tensor& tensor : initialisers) {
    const auto found = values.find(tensor.name);
    if (found == values.end()) continue;
    DOJO_ENSURE(tensor.type == DataType::float32);
    tensor = make_tensor(tensor.name, tensor.dims, std::span<const float>(found->second));
  }
  return model;
}

std::map<std::string, std::vector<float>> initial_values(const Network& network) {
  std::map<std::string, std::vector<float>> values;
  for (const graph::Tensor& tensor : network.graph.tensors)
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      values.emplace(tensor.name, tensor.data);
  return values;
}

}  // namespace dojo::onnx
