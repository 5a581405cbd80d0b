#include "lowering/formats.h"

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "graph/expression.h"
#include "lowering/access.h"
#include "lowering/cfloat_storage.h"

namespace dojo::lowering {
namespace {

using graph::Access;
using graph::Graph;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;

std::int64_t elements_of_sample(const Tensor& tensor) {
  std::int64_t count = 1;
  for (std::size_t d = tensor.has_batch ? 1 : 0; d < tensor.shape.size(); ++d) count *= tensor.shape[d];
  return count;
}

// Tensors that indices are computed from, and all that these are made of: narrower, they would count no
// farther than 256.
std::vector<bool> indices_of(const Graph& graph) {
  std::vector<bool> marked(graph.tensors.size(), false);
  for (std::size_t k = graph.ops.size(); k-- > 0;) {
    const StructuredOp& op = graph.ops[k];
    const auto mark = [&](const Access& access) {
      for (const graph::AffineIndex& index : access.map)
        if (index.from != graph::not_computed) marked[at(op.in[at(index.from)].tensor)] = true;
    };
    for (const Access& access : op.in) mark(access);
    mark(op.out);
    if (!marked[at(op.out.tensor)]) continue;
    for (const TensorId id : graph::inputs_of(op)) marked[at(id)] = true;
  }
  return marked;
}

bool becomes_narrow(const Graph& graph, TensorId id) {
  const Tensor& tensor = graph.at(id);
  if (!tensor.has_batch || tensor.is_whole || tensor.format != numerics::Format::fp32) return false;
  if (tensor.role != graph::Role::value && tensor.role != graph::Role::input) return false;
  if (std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end()) return false;
  return elements_of_sample(tensor) > always_fp32_elements;
}

// Ops that touch a sample's data read weights in the narrow format.
bool computes_on_batch(const StructuredOp& op) {
  return std::any_of(op.box.begin(), op.box.end(), [](const graph::Axis& axis) { return axis.is_batch; });
}

StructuredOp copy_op(const Graph& graph, TensorId from, TensorId to) {
  const Tensor& tensor = graph.at(from);
  StructuredOp op;
  op.name = graph.at(to).name;
  op.origin = "formats";
  Access access;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    op.box.push_back({fmt::format("d{}", d), tensor.shape[d], false});
    graph::AffineIndex index{std::vector<std::int64_t>(tensor.shape.size(), 0), 0};
    index.coefficients[d] = 1;
    access.map.push_back(index);
  }
  op.out = access;
  op.out.tensor = to;
  access.tensor = from;
  op.in = {access};
  op.body = graph::copy_of_input();
  return op;
}

}  // namespace

FormatChoice format_choice(std::string_view wanted) {
  for (const FormatChoice choice : {FormatChoice::fp32, FormatChoice::bf16, FormatChoice::cfloat8}) {
    if (name(choice) == wanted) return choice;
  }
  refuse(Settings{{"formats"}}, "", "'{}' is no choice of formats; there are fp32, bf16, cfloat8", wanted);
}

std::string_view name(FormatChoice choice) {
  switch (choice) {
    case FormatChoice::fp32:
      return "fp32";
    case FormatChoice::bf16:
      return "bf16";
    case FormatChoice::cfloat8:
      return "cfloat8";
  }
  return "";
}

Graph assign_formats(const Graph& source, FormatChoice choice) {
  Graph graph = source;
  if (choice == FormatChoice::fp32) return graph;
  const auto tensors = static_cast<TensorId>(graph.tensors.size());
  const std::vector<bool> is_index = indices_of(source);
  for (TensorId id = 0; id < tensors; ++id) {
    if (!is_index[at(id)] && becomes_narrow(source, id))
      graph.tensors[at(id)].format = numerics::Format::bf16;
  }

  std::map<TensorId, TensorId> narrow;  // parameter -> its copy
  std::vector<StructuredOp> ops;
  for (StructuredOp& op : graph.ops) {
    if (computes_on_batch(op)) {
      for (Access& access : op.in) {
        const Tensor& tensor = graph.at(access.tensor);
        if (tensor.role != graph::Role::parameter || tensor.shape.size() < 2 || is_index[at(access.tensor)])
          continue;
        if (!narrow.contains(access.tensor)) {
          Tensor copy{tensor.name + ".bf16",  tensor.shape, graph::Role::value,
                      numerics::Format::bf16, false,        {}};
          const TensorId id = graph.add(std::move(copy));
          narrow[access.tensor] = id;
          ops.push_back(copy_op(graph, access.tensor, id));
        }
        access.tensor = narrow[access.tensor];
      }
    }
    ops.push_back(std::move(op));
  }
  graph.ops = std::move(ops);
  // A graph without updates keeps nothing from forwards to backwards.
  if (choice == FormatChoice::cfloat8 && !graph.update.empty()) store_in_cfloat8(graph);
  return graph;
}

}  // namespace dojo::lowering
