#include "onnx/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace dojo::onnx {
namespace {

bool is_vector(const Tensor& tensor) {
  return is_floating(tensor.type) && !tensor.dims.empty() &&
         std::ranges::count_if(tensor.dims, [](std::int64_t extent) { return extent > 1; }) <= 1;
}

// What reads a part of a vector, or nothing but its shape, shares it on purpose; an Identity makes a value of
// its own.
constexpr std::string_view reads_otherwise[] = {"Identity", "Gather", "GatherElements", "GatherND",
                                                "Slice",    "Split",  "Shape",          "Size"};

// Operands by the name that they read whole, in the file's order.
using Readers = std::map<std::string, std::vector<std::pair<std::size_t, std::size_t>>>;

Readers readers_of(const GraphFile& graph) {
  Readers readers;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (std::ranges::find(reads_otherwise, graph.nodes[n].op) != std::end(reads_otherwise)) continue;
    for (std::size_t i = 0; i < graph.nodes[n].inputs.size(); ++i)
      readers[graph.nodes[n].inputs[i]].emplace_back(n, i);
  }
  return readers;
}

std::string name_of(const Node& node) {
  return !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0];
}

std::set<std::string> names_in(const GraphFile& graph) {
  std::set<std::string> names;
  for (const Tensor& tensor : graph.initialisers) names.insert(tensor.name);
  for (const ValueInfo& input : graph.inputs) names.insert(input.name);
  for (const Node& node : graph.nodes) names.insert(node.outputs.begin(), node.outputs.end());
  return names;
}

}  // namespace

std::vector<SharedVector> shared_vectors(const Model& model) {
  const Readers readers = readers_of(model.graph);
  std::vector<SharedVector> shared;
  for (const Tensor& tensor : model.graph.initialisers) {
    const auto found = readers.find(tensor.name);
    if (!is_vector(tensor) || found == readers.end() || found->second.size() < 2) continue;
    SharedVector& vector = shared.emplace_back(SharedVector{tensor.name, {}});
    for (const auto& [node, operand] : found->second)
      vector.readers.push_back(name_of(model.graph.nodes[node]));
  }
  return shared;
}

Model untied(Model model) {
  const Readers readers = readers_of(model.graph);
  std::set<std::string> names = names_in(model.graph);
  std::vector<Tensor> copies;
  for (const Tensor& tensor : model.graph.initialisers) {
    const auto found = readers.find(tensor.name);
    if (!is_vector(tensor) || found == readers.end()) continue;
    for (std::size_t reader = 1; reader < found->second.size(); ++reader) {
      const auto [node, operand] = found->second[reader];
      std::string name = fmt::format("{}.{}", name_of(model.graph.nodes[node]), operand);
      while (!names.insert(name).second) name += '_';
      model.graph.nodes[node].inputs[operand] = name;
      copies.push_back(tensor);
      copies.back().name = std::move(name);
    }
  }
  model.graph.initialisers.insert(model.graph.initialisers.end(), copies.begin(), copies.end());
  return model;
}

// It calls what it makes up val_ and a number, and parameters as the module does.
bool is_made_up(const Model& model, std::string_view name) {
  return model.producer == "pytorch" && name.starts_with("val_");
}

std::set<std::string> fillers_of_norms(const Model& model) {
  std::set<std::string> fillers;
  if (model.producer != "pytorch") return fillers;
  const Readers readers = readers_of(model.graph);
  for (const Tensor& tensor : model.graph.initialisers) {
    const auto found = readers.find(tensor.name);
    if (!is_made_up(model, tensor.name) || found == readers.end()) continue;
    if (std::ranges::all_of(found->second, [&](const auto& at) {
          return model.graph.nodes[at.first].op == "InstanceNormalization" && at.second > 0;
        }))
      fillers.insert(tensor.name);
  }
  return fillers;
}

// A batch norm returns several results, of which PyTorch takes the first: what is left of it is the name
// "getitem" of the result, made by an operator that the exporter named anew.
std::vector<std::string> folded_norms(const Model& model) {
  std::vector<std::string> nodes;
  if (model.producer != "pytorch") return nodes;
  for (const Node& node : model.graph.nodes) {
    const bool linear = node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm";
    if (linear && node.name.starts_with("node_" + node.op + "_") && !node.outputs.empty() &&
        node.outputs[0].starts_with("getitem"))
      nodes.push_back(node.name);
  }
  return nodes;
}

}  // namespace dojo::onnx
