#include "graph/ir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

std::string_view name(Role role) {
  switch (role) {
    case Role::input:
      return "input";
    case Role::label:
      return "label";
    case Role::parameter:
      return "parameter";
    case Role::state:
      return "state";
    case Role::scalar:
      return "scalar";
    case Role::constant:
      return "constant";
    case Role::value:
      return "value";
  }
  return "?";
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// Begins with what is computed.
std::string index_text(const AffineIndex& index, const std::vector<Axis>& box, std::string text) {
  for (std::size_t a = 0; a < box.size(); ++a) {
    const std::int64_t k = index.coefficients[a];
    if (k == 0) continue;
    const std::string term =
        k == 1 || k == -1 ? box[a].name : fmt::format("{}*{}", k < 0 ? -k : k, box[a].name);
    text += text.empty() ? (k < 0 ? "-" : "") : (k < 0 ? " - " : " + ");
    text += term;
  }
  if (text.empty()) return fmt::format("{}", index.offset);
  if (index.offset != 0) text += fmt::format(" {} {}", index.offset < 0 ? '-' : '+', std::abs(index.offset));
  return text;
}

}  // namespace

TensorId Graph::add(Tensor tensor) {
  if (find(tensor.name) != no_tensor) refuse(name, "two tensors are called '{}'", tensor.name);
  tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(tensors.size() - 1);
}

const Tensor& Graph::at(TensorId id) const {
  DOJO_ENSURE(id >= 0 && static_cast<std::size_t>(id) < tensors.size());
  return tensors[static_cast<std::size_t>(id)];
}

Tensor& Graph::at(TensorId id) { return const_cast<Tensor&>(std::as_const(*this).at(id)); }

TensorId Graph::find(std::string_view wanted) const {
  const auto found = tensor_names_.find(
      wanted, tensors.size(), [&](std::size_t id) -> const std::string& { return tensors[id].name; });
  return found ? static_cast<TensorId>(*found) : no_tensor;
}

bool Graph::has_op(std::string_view wanted) const {
  return op_names_.find(wanted, ops.size(), [&](std::size_t k) -> const std::string& { return ops[k].name; })
      .has_value();
}

void Graph::rename(TensorId id, std::string wanted) {
  tensor_names_.renamed(static_cast<std::size_t>(id), wanted);
  at(id).name = std::move(wanted);
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::vector<TensorId> inputs_of(const StructuredOp& op) {
  std::vector<TensorId> ids;
  for (const Access& access : op.in) ids.push_back(access.tensor);
  for (const Access& access : op.extra) ids.push_back(access.tensor);
  return ids;
}

bool is_chain_axis(const StructuredOp& op, std::size_t axis) {
  const auto uses = [axis](const AffineIndex& index) { return index.coefficients[axis] != 0; };
  return std::ranges::none_of(op.out.map, [&](const AffineIndex& index) {
    return uses(index) || (index.from != not_computed &&
                           std::ranges::any_of(op.in[static_cast<std::size_t>(index.from)].map, uses));
  });
}

bool has_computed_index(const Access& access) {
  return std::ranges::any_of(access.map, [](const AffineIndex& index) { return index.from != not_computed; });
}

bool has_computed_index(const StructuredOp& op) {
  return has_computed_index(op.out) ||
         std::ranges::any_of(op.in, [](const Access& access) { return has_computed_index(access); });
}

std::optional<std::int64_t> computed_index(float value) {
  if (!(std::fabs(value) <= 0x1p30f)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

bool is_product(const Expression& body) { return !body.empty() && body.nodes.back().op == Scalar::multiply; }

std::string to_text(const StructuredOp& op, const std::function<std::string(TensorId)>& name_of) {
  const std::function<std::string(const Access&)> access_text = [&](const Access& access) {
    std::vector<std::string> indices;
    for (const AffineIndex& index : access.map) {
      const bool computed = index.from != not_computed;
      indices.push_back(index_text(index, op.box,
                                   computed ? access_text(op.in[static_cast<std::size_t>(index.from)]) : ""));
    }
    return fmt::format("{}[{}]", name_of(access.tensor), fmt::join(indices, ", "));
  };
  std::vector<std::string> axes, reads, extras = {"out"};
  for (const Axis& axis : op.box)
    axes.push_back(fmt::format("{}{}:{}", axis.name, axis.is_batch ? "*" : "", axis.extent));
  for (const Access& access : op.in) reads.push_back(access_text(access));
  for (const Access& access : op.extra) extras.push_back(access_text(access));
  std::string_view sign = "=";
  if (op.reduction == Reduction::sum) sign = "+=";
  if (op.reduction == Reduction::maximum) sign = "max=";
  std::string text = fmt::format("{}: ({}) {} {} {}", op.name, fmt::join(axes, " "), access_text(op.out),
                                 sign, to_text(op.body, reads));
  if (!op.epilogue.empty()) text += fmt::format("; out = {}", to_text(op.epilogue, extras));
  return text;
}

std::string to_text(const Graph& graph) {
  const auto name_of = [&](TensorId id) { return graph.at(id).name; };
  std::string text = fmt::format("graph {}\n", graph.name);
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.role == Role::value) continue;
    text += fmt::format("  {} {} {}{} {}\n", name(tensor.role), tensor.name, tensor.has_batch ? "*" : "",
                        shape_text(tensor.shape), numerics::name(tensor.format));
  }
  for (const StructuredOp& op : graph.ops) {
    const numerics::Format format = graph.at(op.out.tensor).format;
    text +=
        fmt::format("  {}{}\n", to_text(op, name_of),
                    format == numerics::Format::fp32 ? "" : fmt::format(" in {}", numerics::name(format)));
  }
  for (const TensorId id : graph.outputs) text += fmt::format("  output {}\n", graph.at(id).name);
  for (const auto& [from, to] : graph.gradient)
    text += fmt::format("  gradient of {} is {}\n", graph.at(from).name, graph.at(to).name);
  for (const auto& [from, to] : graph.update)
    text += fmt::format("  {} becomes {}\n", graph.at(from).name, graph.at(to).name);
  return text;
}

}  // namespace dojo::graph
