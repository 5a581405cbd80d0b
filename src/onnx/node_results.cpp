// What a node makes: tensors, whole numbers within bounds, known values.
#include <algorithm>

#include "graph/expression.h"
#include "onnx/node.h"

namespace dojo::onnx {

const graph::Shape& NodeImport::wanted_shape(std::size_t i) const {
  const auto found = wants(i) ? scope_.shapes.find(node_.outputs[i]) : scope_.shapes.end();
  if (found == scope_.shapes.end()) fail(fmt::format("nothing says what shape result {} has", i));
  return found->second;
}

void NodeImport::result(std::size_t i, graph::TensorId tensor, const View& view) {
  if (!wants(i)) return;
  const std::optional<Bounds> bounds = bounds_of_result();
  const DataType type = rule_.rule == Rule::compares ? DataType::boolean
                        : bounds                     ? type_of(rule_.first)
                                                     : DataType::float32;
  if (bounds && !holds(type, *bounds)) return whole_result(i, tensor, type, *bounds);
  const std::string& name = node_.outputs[i];
  const graph::Tensor& made = scope_.graph.at(tensor);
  bool is_new =
      made.role == graph::Role::value && made.name != name && scope_.graph.find(name) == graph::no_tensor;
  for (std::size_t k = 0; k < operands(); ++k) is_new = is_new && !(has(k) && value(k).tensor == tensor);
  if (is_new) build().rename(tensor, name);
  Value value;
  value.tensor = tensor;
  value.declared = type, value.bounds = bounds;
  if (bounds && made.role == graph::Role::value) scope_.graph.at(tensor).is_whole = true;
  if (made.has_batch) value.view = view;
  result(i, value);
}

void NodeImport::result(std::size_t i, graph::TensorId tensor, DataType type) {
  result(i, tensor);
  if (wants(i)) scope_.values.at(node_.outputs[i]).declared = type;
}

std::optional<Bounds> NodeImport::bounds_of_result() const {
  if (rule_.rule == Rule::none || rule_.rule == Rule::own) return std::nullopt;
  if (rule_.rule == Rule::compares) return Bounds{0, 1};
  std::optional<Bounds> all;
  for (std::size_t k = rule_.first; k < std::min(rule_.first + rule_.count, operands()); ++k) {
    if (!has(k)) continue;
    const auto one = bounds_of(k);
    if (!one) return std::nullopt;
    all = !all ? operands() == 1 || rule_.count == 1 ? bounds_after(rule_.rule, *one, *one) : *one
               : bounds_after(rule_.rule, *all, *one);
  }
  return all;
}

graph::TensorId NodeImport::wrapped_around(graph::TensorId tensor, DataType type) {
  const Bounds held = onnx::bounds_of(type);
  const auto turn = static_cast<float>(held.most - held.least + 1), least = static_cast<float>(held.least);
  graph::Formula f;
  const auto x = f.input(0);
  const auto turns =
      f.apply(graph::Scalar::floor, f.multiply(f.subtract(x, f.constant(least)), f.constant(1 / turn)));
  return build().elementwise(f.finish(f.subtract(x, f.multiply(f.constant(turn), turns))),
                             std::span(&tensor, 1));
}

void NodeImport::whole_result(std::size_t i, graph::TensorId tensor, DataType type, const Bounds& bounds) {
  if (!wants(i)) return;
  const bool held = holds(type, bounds);
  if (!held && !(wraps(type) && bounds.are_exact()))
    fail(fmt::format("{} from {} to {}, which FP32 does not hold exactly", data_type_name(type), bounds.least,
                     bounds.most),
         Refusal::not_yet);
  Value value;
  value.tensor = held ? tensor : wrapped_around(tensor, type);
  value.declared = type;
  value.bounds = held ? bounds : onnx::bounds_of(type);
  if (scope_.graph.at(value.tensor).has_batch) value.view = view_;
  if (scope_.graph.at(value.tensor).role == graph::Role::value) scope_.graph.at(value.tensor).is_whole = true;
  result(i, value);
}

void NodeImport::result(std::size_t i, Known known) {
  for (std::size_t k = 0; k < operands(); ++k)
    known.from_batch |= has(k) && value(k).known && value(k).known->from_batch;
  Value made;
  if (!known.is_integer && is_floating(known.type)) made.declared = known.type;
  made.known = std::move(known);
  result(i, made);
}

void NodeImport::result(std::size_t i, const Value& value) {
  if (!wants(i)) return;
  if (!scope_.values.emplace(node_.outputs[i], value).second)
    fail(fmt::format("makes '{}', which exists already", node_.outputs[i]));
}

}  // namespace dojo::onnx
