// Outline: forward over the nodes, which values are the input prepared and which come from initialisers
// alone; backward, which lead to a weight; then each initialiser by what reads it.
#include "onnx/preprocessing.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

namespace dojo::onnx {
namespace {

constexpr std::string_view arithmetic[] = {"Add", "Sub", "Mul", "Div"};
constexpr std::string_view moves[] = {"Identity",  "Cast",  "Transpose", "Reshape", "Flatten", "Squeeze",
                                      "Unsqueeze", "Slice", "Split",     "Concat",  "Pad"};
constexpr std::string_view weighted[] = {"Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"};

template <typename Names>
bool among(const Names& names, std::string_view op) {
  return std::ranges::find(names, op) != std::end(names);
}

class Preparation {
public:
  explicit Preparation(const GraphFile& graph) : graph_(graph) {
    for (const Tensor& tensor : graph.initialisers) fixed_.insert(tensor.name);
    for (const ValueInfo& input : graph.inputs)
      if (!fixed_.contains(input.name)) prepared_.insert(input.name);
    for (const Node& node : graph.nodes) follow(node);
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node)
      if (has_weight(*node) || std::ranges::any_of(node->outputs, [&](const std::string& name) {
            return leads_to_weight_.contains(name);
          }))
        leads_to_weight_.insert(node->inputs.begin(), node->inputs.end());
  }

  // Everything that reads `name` prepares the input with it.
  bool only_prepares(const std::string& name) const {
    const auto found = readers_.find(name);
    if (found == readers_.end() || is_output(name)) return false;
    return std::ranges::all_of(found->second, [&](const Node* reader) {
      if (reader->outputs.empty()) return true;
      const std::string& result = reader->outputs[0];
      return fixed_.contains(result) ? only_prepares(result)
                                     : among(arithmetic, reader->op) && prepared_.contains(result) &&
                                           leads_to_weight_.contains(result);
    });
  }

private:
  void follow(const Node& node) {
    bool all_fixed = true, any_prepared = false, all_known = true;
    for (const std::string& input : node.inputs) {
      if (input.empty()) continue;
      readers_[input].push_back(&node);
      const bool fixed = fixed_.contains(input), prepared = prepared_.contains(input);
      all_fixed &= fixed;
      any_prepared |= prepared;
      all_known &= fixed || prepared;
    }
    if (all_fixed || node.op == "Shape") {
      fixed_.insert(node.outputs.begin(), node.outputs.end());
    } else if (all_known && any_prepared && (among(arithmetic, node.op) || among(moves, node.op))) {
      prepared_.insert(node.outputs.begin(), node.outputs.end());
    }
  }

  bool has_weight(const Node& node) const {
    if (!among(weighted, node.op)) return false;
    return std::any_of(node.inputs.begin(),
                       node.inputs.begin() + std::min<std::ptrdiff_t>(2, std::ssize(node.inputs)),
                       [&](const std::string& name) { return fixed_.contains(name); });
  }

  bool is_output(std::string_view name) const {
    return std::ranges::find(graph_.outputs, name, &ValueInfo::name) != graph_.outputs.end();
  }

  const GraphFile& graph_;
  std::set<std::string> fixed_;     // from initialisers, constants and shapes alone
  std::set<std::string> prepared_;  // from the input, moved, scaled or shifted
  std::set<std::string> leads_to_weight_;
  std::map<std::string, std::vector<const Node*>> readers_;
};

}  // namespace

std::set<std::string> preprocessing_initialisers(const GraphFile& graph) {
  const Preparation preparation(graph);
  std::set<std::string> names;
  for (const Tensor& tensor : graph.initialisers)
    if (is_floating(tensor.type) && !tensor.dims.empty() && preparation.only_prepares(tensor.name))
      names.insert(tensor.name);
  return names;
}

}  // namespace dojo::onnx
