// Builds the nodes of a graph, or of one inside another node, in the file's order.
#include <algorithm>

#include "base/error.h"
#include "base/printable.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

// What a node reads: its operands, and what the graphs inside it take from around them.
void add_names_read(const Node& node, std::set<std::string_view>& names) {
  names.insert(node.inputs.begin(), node.inputs.end());
  for (const Attribute& attribute : node.attributes) {
    if (attribute.graph == nullptr) continue;
    for (const Node& inside : attribute.graph->nodes) add_names_read(inside, names);
    for (const ValueInfo& output : attribute.graph->outputs) names.insert(output.name);
  }
}

// Which nodes the outputs depend on. Others (a leftover branch, an auxiliary result) need not be importable.
std::vector<bool> needed_nodes(const GraphFile& file) {
  std::set<std::string_view> wanted;
  for (const ValueInfo& output : file.outputs) wanted.insert(output.name);
  std::vector<bool> needed(file.nodes.size());
  for (std::size_t i = file.nodes.size(); i-- > 0;) {
    const Node& node = file.nodes[i];
    needed[i] =
        std::ranges::any_of(node.outputs, [&](const std::string& name) { return wanted.contains(name); });
    if (needed[i]) add_names_read(node, wanted);
  }
  return needed;
}

// With its domain, where that is not the standard's own.
std::string full_name(const Node& node) {
  return node.domain.empty() || node.domain == "ai.onnx" ? node.op : node.domain + "." + node.op;
}

// First of all, so that a network is refused for what it is made of, not for the shapes around it.
void check_operator(const Scope& scope, const Node& node) {
  const std::string op = full_name(node);
  if (find_row(op) != nullptr || folds(op)) return;
  throw UserError(scope.where, fmt::format("op '{}' of node '{}'", op, label_of(node)), Refusal::unsupported);
}

bool is_elementwise(const OpRow& row) {
  const auto rows = elementwise_rows();
  return std::ranges::find(rows, row.op, &OpRow::op) != rows.end();
}

void import_node(Scope& scope, const Node& node) {
  NodeImport import(scope, node);
  const std::string label = !label_of(node).empty() ? label_of(node) : node.op;
  scope.build.name(label, fmt::format("{} {}", node.op, label));
  try {
    if (fold_known(import)) return;
    const OpRow* row = find_row(full_name(node));
    if (row == nullptr) import.fail("of values that depend on data", Refusal::unsupported);
    // Before operator set 7 operands were broadcast by other rules.
    if (is_elementwise(*row) && scope.opset >= 7) import.keep_view(import.operands());
    row->build(import);
    import.finish();
  } catch (const UserError& error) {
    if (error.where() == printable(scope.where)) throw;
    import.fail(clause_of(error), error.refusal());
  }
}

}  // namespace

void import_nodes(Scope& scope, const GraphFile& file) {
  const std::vector<bool> needed = needed_nodes(file);
  for (std::size_t i = 0; i < file.nodes.size(); ++i)
    if (needed[i]) check_operator(scope, file.nodes[i]);
  for (std::size_t i = 0; i < file.nodes.size(); ++i)
    if (needed[i]) import_node(scope, file.nodes[i]);
}

const OpRow* find_row(std::string_view op) {
  for (const auto rows : {elementwise_rows(),
                          linear_rows(),
                          reduction_rows(),
                          shape_rows(),
                          part_rows(),
                          indexed_rows(),
                          resize_rows(),
                          known_rows(),
                          attention_rows(),
                          quantize_rows(),
                          cast_rows(),
                          loss_rows(),
                          normalisation_rows(),
                          product_rows(),
                          bit_rows(),
                          inside_rows(),
                          sampled_rows(),
                          deformed_rows(),
                          recurrent_rows(),
                          state_attention_rows(),
                          quantized_product_rows(),
                          pooling_rows(),
                          sequence_rows(),
                          frequency_rows(),
                          update_rows()})
    if (const auto row = std::ranges::find(rows, op, &OpRow::op); row != rows.end()) return &*row;
  return nullptr;
}

}  // namespace dojo::onnx
