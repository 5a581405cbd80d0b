#include "graph/onnx_export.h"

#include "base/error.h"

namespace dojo::graph::onnx {

Model with_values(Model model, const std::map<std::string, std::vector<float>>& values) {
  std::size_t replaced = 0;
  for (Tensor& tensor : model.graph.initialisers) {
    const auto found = values.find(tensor.name);
    if (found == values.end()) continue;
    DOJO_ENSURE(tensor.type == DataType::float32);
    tensor = make_tensor(tensor.name, tensor.dims, std::span<const float>(found->second));
    ++replaced;
  }
  DOJO_ENSURE(replaced == values.size());
  return model;
}

std::map<std::string, std::vector<float>> initial_values(const Network& network) {
  std::map<std::string, std::vector<float>> values;
  for (const graph::Tensor& tensor : network.graph.tensors)
    if (tensor.role == Role::parameter || tensor.role == Role::state)
      values.emplace(tensor.name, tensor.data);
  return values;
}

}  // namespace dojo::graph::onnx
