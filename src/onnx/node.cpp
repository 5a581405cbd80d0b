#include "onnx/node.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "graph/expression.h"

namespace dojo::onnx {

Known known_integers(std::vector<std::int64_t> values) {
  Known known;
  known.dims = {static_cast<std::int64_t>(values.size())};
  known.is_integer = true;
  known.integers = std::move(values);
  return known;
}

Known known_of(const onnx::Tensor& tensor, std::string_view where) {
  Known known;
  known.dims = tensor.dims;
  known.is_integer = !is_floating(tensor.type);
  known.type = tensor.type;
  if (known.is_integer) {
    known.integers = to_integers(tensor, where);
  } else {
    known.floats = to_floats(tensor, where);
  }
  return known;
}

Value initialiser_value(const onnx::Tensor& tensor, std::string_view where) {
  Value value;
  value.initialiser = tensor.name;
  value.declared = tensor.type;
  value.known = known_of(tensor, where);
  return value;
}

std::int64_t held(DataType type, std::int64_t value) {
  switch (type) {
      // clang-format off
    case DataType::boolean: return value != 0;
    case DataType::int2:    return ((value & 3) ^ 2) - 2;
    case DataType::uint2:   return value & 3;
    case DataType::int4:    return ((value & 15) ^ 8) - 8;
    case DataType::uint4:   return value & 15;
    case DataType::int8:    return static_cast<std::int8_t>(value);
    case DataType::uint8:   return static_cast<std::uint8_t>(value);
    case DataType::int16:   return static_cast<std::int16_t>(value);
    case DataType::uint16:  return static_cast<std::uint16_t>(value);
    case DataType::int32:   return static_cast<std::int32_t>(value);
    case DataType::uint32:  return static_cast<std::uint32_t>(value);
    default:                return value;
      // clang-format on
  }
}

std::string clause_of(const UserError& error) {
  const std::string text = error.what_alone(), bare = UserError("", "", error.refusal()).what();
  return text.substr(0, text.size() - bare.size());
}

const std::string& label_of(const Node& node) {
  if (!node.name.empty() || node.outputs.empty()) return node.name;
  return node.outputs[0];
}

namespace {

std::string said(const Node& node, const std::string& key) {
  const auto found = node.metadata.find(key);
  return found == node.metadata.end() ? std::string() : found->second;
}

// "node 'x' (Op)", then what the user's own source calls it.
std::string place_of(const Node& node) {
  std::string place = fmt::format("node '{}' ({})", label_of(node), node.op);
  if (const std::string module = said(node, "module"); !module.empty()) place += " of module " + module;
  if (const std::string line = said(node, "line"); !line.empty()) place += ", " + line;
  return place;
}

}  // namespace

NodeError::NodeError(std::string_view where, std::string_view what, Refusal refusal, const Node& node)
    : UserError(where, fmt::format("{}: {}", place_of(node), what), refusal),
      op_(node.op),
      module_(said(node, "module")),
      line_(said(node, "line")) {}

void NodeImport::fail(std::string_view what, Refusal refusal) const {
  throw NodeError(scope_.where, what, refusal, node_);
}

// --- Operands ---

Value& NodeImport::slot(std::size_t i) {
  if (!has(i)) fail(fmt::format("operand {} is missing", i));
  const auto found = scope_.values.find(node_.inputs[i]);
  if (found == scope_.values.end())
    fail(fmt::format("reads '{}', which nothing before it makes", node_.inputs[i]));
  return found->second;
}

const Value& NodeImport::value(std::size_t i) const { return const_cast<NodeImport*>(this)->slot(i); }

std::vector<float> NodeImport::drawn_values(const Value& value, const Draw& draw) {
  std::vector<float> values = value.known->floats;
  if (!scope_.options.initialise || draw.kind == Draw::Kind::keep) return values;
  Random random(scope_.options.seed, ++scope_.drawn);
  const double bound = std::sqrt(6.0 / static_cast<double>(draw.fan_in));
  for (float& v : values)
    v = draw.kind == Draw::Kind::fill ? draw.value : static_cast<float>(random.uniform(-bound, bound));
  return values;
}

graph::TensorId NodeImport::numbers(std::size_t i) {
  if (!value(i).view.is_plain()) fail("moving the batch away from dimension 0", Refusal::unsupported);
  return made_tensor(i, Draw::keep());
}

graph::TensorId NodeImport::tensor(std::size_t i, Draw draw) {
  if (bounds_of(i) && rule_.rule == Rule::none)
    fail(fmt::format("'{}' holds {}, with which it does not compute yet", node_.inputs[i],
                     data_type_name(type_of(i))),
         Refusal::not_yet);
  const graph::TensorId tensor = made_tensor(i, draw);
  if (i < alike_ && !view_.is_plain()) return laid_alike(i, tensor);
  if (!value(i).view.is_plain() || (has_batch(i) && !view_.is_plain()))
    fail("moving the batch away from dimension 0", Refusal::unsupported);
  return tensor;
}

graph::TensorId NodeImport::made_tensor(std::size_t i, const Draw& draw) {
  Value& value = slot(i);
  if (value.tensor != graph::no_tensor) return value.tensor;
  if (value.known->count() == 0)
    fail(fmt::format("'{}' has no elements", node_.inputs[i]), Refusal::unsupported);
  const graph::Shape& dims = value.known->dims;
  if (value.known->is_integer) {
    const Bounds bounds = *bounds_of(i);
    if (!bounds.are_exact())
      fail(fmt::format("'{}' holds {}, which FP32 does not tell from its neighbours", node_.inputs[i],
                       bounds.least < -largest_whole ? bounds.least : bounds.most),
           Refusal::unsupported);
    value.bounds = bounds, value.declared = value.known->type;
    value.tensor = build().constant(build().fresh_tensor_name(node_.inputs[i]), dims,
                                    {value.known->integers.begin(), value.known->integers.end()});
    scope_.graph.at(value.tensor).is_whole = true;
    return value.tensor;
  }
  if (dims.empty() && !value.initialiser.empty()) scope_.numbers.insert(value.initialiser);
  const bool asked = scope_.trained.contains(value.initialiser);
  const bool trained =
      !value.initialiser.empty() && (!dims.empty() || asked) && !scope_.frozen.contains(value.initialiser);
  if (trained) {
    value.tensor = scope_.graph.find(value.initialiser);  // read before, under another name
    if (value.tensor == graph::no_tensor)                 // a parameter has a dimension to be spread over
      value.tensor = build().parameter(value.initialiser, dims.empty() ? graph::Shape{1} : dims,
                                       drawn_values(value, draw));
    if (dims.empty()) value.tensor = build().reshape(value.tensor, {});
  } else if (value.known->dims.empty()) {
    value.tensor = build().constant(value.known->floats[0]);
  } else {
    value.tensor =
        build().constant(build().fresh_tensor_name(node_.inputs[i]), value.known->dims, value.known->floats);
  }
  return value.tensor;
}

graph::TensorId NodeImport::as_it_lies(std::size_t i) {
  if (bounds_of(i) && rule_.rule == Rule::none) static_cast<void>(tensor(i));  // refused
  return made_tensor(i, Draw::keep());
}

DataType NodeImport::type_of(std::size_t i) const {
  const Value& source = value(i);
  return source.known && source.known->is_integer ? source.known->type : source.declared;
}

std::optional<Bounds> NodeImport::bounds_of(std::size_t i) const {
  const Value& source = value(i);
  if (source.bounds || !source.known || !source.known->is_integer || source.known->integers.empty())
    return source.bounds;
  const auto [least, most] = std::ranges::minmax(source.known->integers);
  return Bounds{least, most};
}

void NodeImport::keep_view(std::size_t first) {
  alike_ = std::min(first, operands());
  const auto lies_at = [](const View& view, std::size_t rank) { return rank - view.dimension; };
  bool any = false;
  for (std::size_t i = 0; i < alike_; ++i) {
    if (!has(i) || !has_batch(i)) continue;
    const View& own = view_of(i);
    const std::size_t rank = shape(i).size();
    const bool same =
        own.outer == view_.outer && own.inner == view_.inner && lies_at(own, rank) == lies_at(view_, rank_);
    if (any && !same && !(own.is_plain() && view_.is_plain()))
      fail("operands with the batch in different dimensions", Refusal::unsupported);
    if (!any || rank > rank_) view_ = own, rank_ = rank;
    any = true;
  }
}

// Aligned from the right, as broadcasting does, with 1 in every dimension that the operand lacks.
graph::TensorId NodeImport::laid_alike(std::size_t i, graph::TensorId tensor) {
  graph::Shape own = shape(i);
  const bool batch = has_batch(i);
  if (!batch && own.size() < rank_ - view_.dimension) return tensor;  // it ends right of the batch
  if (own.size() > rank_) fail("an operand of more dimensions than the batch's", Refusal::unsupported);
  own.insert(own.begin(), rank_ - own.size(), 1);
  if (!batch && own[view_.dimension] != 1)
    fail(fmt::format("'{}' has values of its own for each sample of the batch", node_.inputs[i]),
         Refusal::unsupported);
  graph::Shape laid = tensor_shape(view_, own, batch ? this->batch() : 1);
  if (!batch && view_.is_group()) {  // broadcast over the factors, too
    const auto at = laid.begin() + 1 + static_cast<std::ptrdiff_t>(view_.dimension);
    std::fill(at, laid.end() - static_cast<std::ptrdiff_t>(rank_ - view_.dimension - 1), 1);
  }
  return laid == build().shape(tensor) ? tensor : build().reshape(tensor, laid);
}

std::size_t NodeImport::dimension(std::int64_t axis, std::size_t rank) const {
  const auto count = static_cast<std::int64_t>(rank);
  const std::int64_t positive = axis < 0 ? axis + count : axis;
  if (positive < 0 || positive >= count) fail(fmt::format("axis {} of {} dimensions", axis, rank));
  return static_cast<std::size_t>(positive);
}

std::int64_t NodeImport::axis_in_tensor(std::int64_t axis) {
  const View& own = view_of(0);
  const std::size_t d = dimension(axis, shape(0).size());
  if (own.is_plain()) return static_cast<std::int64_t>(d);
  if (d == own.dimension) fail("moving the batch away from dimension 0", Refusal::unsupported);
  return static_cast<std::int64_t>(tensor_dimension(own, d));
}

std::optional<graph::TensorId> NodeImport::maybe(std::size_t i, Draw draw) {
  if (!has(i)) return std::nullopt;
  return tensor(i, draw);
}

graph::TensorId NodeImport::state(std::size_t i, Draw draw) {
  Value& value = slot(i);
  if (value.initialiser.empty())
    fail(fmt::format("'{}', its statistics, must be an initialiser", node_.inputs[i]), Refusal::unsupported);
  if (value.tensor != graph::no_tensor)
    fail(fmt::format("'{}' is its statistics and read elsewhere, too, as exporters leave it that write equal "
                     "initialisers once; untie them",
                     node_.inputs[i]),
         Refusal::unsupported);
  value.tensor = build().state(value.initialiser, value.known->dims, drawn_values(value, draw));
  return value.tensor;
}

graph::Shape NodeImport::shape(std::size_t i) {
  const Value& value = slot(i);
  if (value.tensor == graph::no_tensor) return value.known->dims;
  return value_shape(value.view, scope_.graph.at(value.tensor).shape);
}

bool NodeImport::has_batch(std::size_t i) {
  const Value& value = slot(i);
  return value.tensor != graph::no_tensor && scope_.graph.at(value.tensor).has_batch;
}

const Known* NodeImport::known(std::size_t i) const {
  const Value& source = value(i);
  return source.known ? &*source.known : nullptr;
}

std::vector<std::int64_t> NodeImport::operand_integers(std::size_t i) const {
  const Known* source = known(i);
  if (source == nullptr || !source->is_integer)
    fail(fmt::format("'{}' is computed from data; it must be known from the file", node_.inputs[i]),
         Refusal::unsupported);
  return source->integers;
}

std::int64_t NodeImport::operand_integer(std::size_t i) const {
  const std::vector<std::int64_t> values = operand_integers(i);
  if (values.size() != 1) fail(fmt::format("'{}' must have one element", node_.inputs[i]));
  return values[0];
}

std::vector<float> NodeImport::operand_floats(std::size_t i) const {
  const Known* source = known(i);
  if (source == nullptr)
    fail(fmt::format("'{}' is computed from data; it must be known from the file", node_.inputs[i]),
         Refusal::unsupported);
  if (!source->is_integer) return source->floats;
  return {source->integers.begin(), source->integers.end()};
}

float NodeImport::operand_number(std::size_t i, float otherwise) const {
  if (!has(i)) return otherwise;
  const std::vector<float> values = operand_floats(i);
  if (values.size() != 1) fail(fmt::format("'{}' must have one element", node_.inputs[i]));
  return values[0];
}

bool NodeImport::all_known_integers() const {
  bool any = false;
  for (std::size_t i = 0; i < operands(); ++i) {
    if (!has(i)) continue;
    const Known* source = known(i);
    if (source == nullptr || !source->is_integer) return false;
    any = true;
  }
  return any;
}

// --- Attributes ---

const Attribute* NodeImport::attribute(std::string_view name) {
  understood_.emplace(name);
  return node_.find(name);
}

bool NodeImport::has_attribute(std::string_view name) { return attribute(name) != nullptr; }

std::int64_t NodeImport::integer(std::string_view name, std::int64_t otherwise) {
  const Attribute* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (found->type != AttributeType::integer) fail(fmt::format("attribute '{}' is no integer", name));
  return found->integer;
}

float NodeImport::single(std::string_view name, float otherwise) {
  const Attribute* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (found->type != AttributeType::single) fail(fmt::format("attribute '{}' is no number", name));
  return found->single;
}

float NodeImport::number(std::string_view name, float otherwise) {
  const Attribute* found = attribute(name);
  return found != nullptr && found->type == AttributeType::integer ? static_cast<float>(found->integer)
                                                                   : single(name, otherwise);
}

std::string NodeImport::text(std::string_view name, std::string_view otherwise) {
  const Attribute* found = attribute(name);
  if (found == nullptr) return std::string(otherwise);
  if (found->type != AttributeType::string) fail(fmt::format("attribute '{}' is no string", name));
  return found->string;
}

std::vector<std::int64_t> NodeImport::integers(std::string_view name, std::vector<std::int64_t> otherwise) {
  const Attribute* found = attribute(name);
  if (found == nullptr) return otherwise;
  if (found->type != AttributeType::integers)
    fail(fmt::format("attribute '{}' is no list of integers", name));
  return found->integers;
}

void NodeImport::ignore(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) understood_.emplace(name);
}

std::vector<std::int64_t> NodeImport::axes(std::size_t operand, std::int64_t since) {
  if (opset() < since) return integers("axes");
  return has(operand) ? operand_integers(operand) : std::vector<std::int64_t>{};
}

void NodeImport::finish() const {
  for (const Attribute& attribute : node_.attributes)
    if (!understood_.contains(attribute.name))
      fail(fmt::format("attribute '{}'", attribute.name), Refusal::unsupported);
}

}  // namespace dojo::onnx
