// Outline: read what the model says of its inputs; make them tensors; build every node that an output or an
// update needs; check each result against what the file says of it; join updates and outputs.
#include "onnx/aten.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/error.h"
#include "base/printable.h"
#include "onnx/aten_rows.h"
#include "onnx/aten_whole.h"
#include "onnx/narrow.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Role;
using graph::TensorId;

constexpr std::string_view domain = "aten";
constexpr std::int64_t most_carried = std::int64_t{1} << 28;  // of a tensor: a gigabyte

// What the metadata says of an input.
struct Resident {
  Role role = Role::state;
  std::string update;  // the output that replaces it
};

struct Residence {
  std::map<std::string, Resident> residents;
  std::map<std::string, graph::SamplePlace> samples;
  std::string valid;
};

std::vector<std::string> separated(std::string_view list, char by) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(by), list.size());
    parts.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

std::map<std::string, graph::SamplePlace> samples_of(std::string_view list, std::string_view where) {
  std::map<std::string, graph::SamplePlace> samples;
  for (const std::string& entry : separated(list, ',')) {
    const std::vector<std::string> parts = separated(entry, ':');
    std::array<std::int64_t, 3> numbers = {0, 1, 1};
    bool good = parts.size() == 1 || parts.size() == 4;
    for (std::size_t k = 1; good && k < parts.size(); ++k) {
      const char* end = parts[k].data() + parts[k].size();
      const auto [at, error] = std::from_chars(parts[k].data(), end, numbers[k - 1]);
      good = error == std::errc() && at == end && numbers[k - 1] >= (k == 1 ? 0 : 1) &&
             numbers[k - 1] <= most_carried;
    }
    if (!good) refuse(where, "'{}' in metadata 'opendojo.samples' is no place of samples", entry);
    samples[parts[0]] = {static_cast<std::size_t>(numbers[0]), numbers[1], numbers[2]};
  }
  return samples;
}

Residence residence_of(const Model& model, std::string_view where) {
  constexpr std::string_view parameter = "opendojo.parameter.", state = "opendojo.state.";
  Residence residence;
  for (const auto& [key, value] : model.metadata) {
    if (key.starts_with(parameter)) {
      residence.residents[key.substr(parameter.size())] = {Role::parameter, value};
    } else if (key.starts_with(state)) {
      residence.residents[key.substr(state.size())] = {Role::state, value};
    } else if (key == "opendojo.samples") {
      residence.samples = samples_of(value, where);
    } else if (key == "opendojo.valid") {
      residence.valid = value;
    } else {
      refuse(where, "unknown metadata '{}' in a graph of ATen's operators", key);
    }
  }
  const auto has = [&](const std::string& name) {
    return std::ranges::find(model.graph.inputs, name, &ValueInfo::name) != model.graph.inputs.end();
  };
  for (const auto& [name, resident] : residence.residents)
    if (!has(name)) refuse(where, "metadata speaks of '{}', which is no input", name);
  for (const auto& [name, place] : residence.samples)
    if (!has(name)) refuse(where, "metadata 'opendojo.samples' names '{}', which is no input", name);
  if (!residence.valid.empty() && !residence.samples.contains(residence.valid))
    refuse(where, "metadata 'opendojo.valid' names '{}', which holds no samples", residence.valid);
  return residence;
}

bool is_carried(DataType type) {
  return type == DataType::float32 || type == DataType::bfloat16 || type == DataType::boolean ||
         type == DataType::uint8 || type == DataType::int8 || type == DataType::int16 ||
         type == DataType::int32 || type == DataType::int64;
}

AtenValue value_of(const ValueInfo& info, std::string_view where) {
  if (!is_carried(info.type))
    throw UserError(where,
                    fmt::format("'{}' holds {}; float32, bfloat16, whole numbers of up to 64 bits and truth "
                                "values are carried",
                                info.name, data_type_name(info.type)),
                    Refusal::not_yet);
  if (!info.shape) refuse(where, "'{}' states no shape", info.name);
  AtenValue value{info.name, info.type, {}};
  std::int64_t elements = 1;
  for (const Dimension& dimension : *info.shape) {
    if (!dimension.extent)
      throw UserError(where, fmt::format("'{}': dimension '{}' is not fixed", info.name, dimension.symbol),
                      Refusal::unsupported);
    if (*dimension.extent < 1 || *dimension.extent > most_carried)
      throw UserError(where, fmt::format("'{}' has a dimension of {}", info.name, *dimension.extent),
                      Refusal::unsupported);
    value.shape.push_back(*dimension.extent);
    elements *= *dimension.extent;
    if (elements > most_carried)
      throw UserError(where, fmt::format("'{}' has more than {} elements", info.name, most_carried),
                      Refusal::unsupported);
  }
  return value;
}

class Import {
public:
  Import(const Model& model, std::string_view where)
      : model_(model), where_(where), scope_(program_.graph), residence_(residence_of(model, where)) {
    scope_.where = where;
    scope_.opset = 1;
    program_.graph.name = model.graph.name;
    program_.samples = residence_.samples;
    program_.valid = residence_.valid;
    for (const auto* infos : {&model.graph.inputs, &model.graph.outputs, &model.graph.values})
      for (const ValueInfo& info : *infos) infos_.emplace(info.name, &info);
  }

  AtenProgram run() {
    add_initialisers();
    for (const ValueInfo& input : model_.graph.inputs) add_input(input);
    const std::vector<bool> needed = needed_nodes();
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (needed[i]) check(model_.graph.nodes[i]);
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (needed[i]) build(model_.graph.nodes[i]);
    for (const AtenState& state : program_.states)
      if (state.replaced) add_update(state.value);
    for (const ValueInfo& output : model_.graph.outputs)
      if (!replaces_.contains(output.name)) add_output(output);
    validate(program_.graph);
    return std::move(program_);
  }

private:
  void define(const std::string& name, TensorId tensor, DataType type) {
    Value value;
    value.tensor = tensor;
    value.declared = type;
    mark(tensor, type);
    if (!scope_.values.emplace(name, value).second) refuse(where_, "two values are named '{}'", name);
  }

  // Whole numbers and truth values stay FP32 in every choice of formats.
  void mark(TensorId tensor, DataType type) {
    if (!is_floating(type)) program_.graph.at(tensor).is_whole = true;
    if (type == DataType::bfloat16) rounded_.insert(tensor);
  }

  void add_initialisers() {
    for (const Tensor& tensor : model_.graph.initialisers) {
      if (!is_carried(tensor.type) && !is_floating(tensor.type))
        throw UserError(where_, fmt::format("'{}' holds {}", tensor.name, data_type_name(tensor.type)),
                        Refusal::not_yet);
      std::vector<float> values = to_floats(tensor, where_);
      if (values.empty()) refuse(where_, "'{}' has no elements", tensor.name);
      if (!is_floating(tensor.type)) {
        const auto [least, most] = std::ranges::minmax(to_integers(tensor, where_));
        if (!Bounds{least, most}.are_exact())
          throw UserError(where_,
                          fmt::format("'{}' holds {}; whole numbers are exact up to 2^24", tensor.name,
                                      most > largest_whole ? most : least),
                          Refusal::unsupported);
        bounds_[tensor.name] = {least, most};
      }
      define(tensor.name,
             tensor.dims.empty() ? scope_.build.constant(values[0])
                                 : scope_.build.constant(scope_.build.fresh_tensor_name(tensor.name),
                                                         tensor.dims, std::move(values)),
             tensor.type);
    }
  }

  void add_input(const ValueInfo& info) {
    const AtenValue value = value_of(info, where_);
    if (!is_floating(info.type)) bounds_[info.name] = given_bounds(info.type);
    const auto resident = residence_.residents.find(info.name);
    if (resident != residence_.residents.end()) {
      program_.states.push_back({value, !resident->second.update.empty()});
      if (!resident->second.update.empty()) replaces_.emplace(resident->second.update);
      define(info.name, add_state(value, resident->second.role), info.type);
      return;
    }
    program_.inputs.push_back(value);
    graph::Tensor tensor;
    tensor.name = info.name;
    tensor.shape = value.shape;
    tensor.role = value.shape.empty() ? Role::scalar : Role::input;
    define(info.name, program_.graph.add(std::move(tensor)), info.type);
  }

  // A state has a dimension to be spread over.
  TensorId add_state(const AtenValue& value, Role role) {
    const graph::Shape shape = value.shape.empty() ? graph::Shape{1} : value.shape;
    graph::Tensor tensor;
    tensor.name = value.name;
    tensor.shape = shape;
    tensor.role = role;
    tensor.data.assign(static_cast<std::size_t>(graph::element_count(shape)), 0);
    const TensorId state = program_.graph.add(std::move(tensor));
    return value.shape.empty() ? scope_.build.name(value.name, "state").reshape(state, {}) : state;
  }

  std::vector<bool> needed_nodes() const {
    std::set<std::string_view> wanted;
    for (const ValueInfo& output : model_.graph.outputs) wanted.insert(output.name);
    const std::vector<Node>& nodes = model_.graph.nodes;
    std::vector<bool> needed(nodes.size());
    for (std::size_t i = nodes.size(); i-- > 0;) {
      needed[i] = std::ranges::any_of(nodes[i].outputs,
                                      [&](const std::string& name) { return wanted.contains(name); });
      if (needed[i]) wanted.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
    }
    return needed;
  }

  void check(const Node& node) {
    if (node.domain == domain && find_aten_row(node.op) != nullptr) return;
    NodeImport(scope_, node).fail("no row of ATen's operators has it", Refusal::unsupported);
  }

  void build(const Node& node) {
    NodeImport import(scope_, node);
    for (const std::string& name : node.outputs) {
      if (name.empty()) continue;
      const auto info = infos_.find(name);
      if (info == infos_.end()) import.fail(fmt::format("nothing says what '{}' holds", name));
      scope_.shapes[name] = value_of(*info->second, where_).shape;
    }
    scope_.build.name(label_of(node), fmt::format("{} {}", node.op, label_of(node)));
    try {
      find_aten_row(node.op)->build(import);
      import.finish();
    } catch (const UserError& error) {
      if (error.where() == printable(scope_.where)) throw;
      import.fail(clause_of(error), error.refusal());
    }
    for (const std::string& name : node.outputs)
      if (!name.empty()) check_result(import, name);
  }

  void check_result(const NodeImport& import, const std::string& name) {
    Value& value = scope_.values.at(name);
    value.declared = infos_.at(name)->type;
    if (value.declared == DataType::bfloat16) value.tensor = rounded(value.tensor);
    mark(value.tensor, value.declared);
    bound(import, name);
    const graph::Shape &made = program_.graph.at(value.tensor).shape, &said = scope_.shapes.at(name);
    if (made != said)
      import.fail(
          fmt::format("gives [{}] where the file says [{}]", fmt::join(made, ", "), fmt::join(said, ", ")));
  }

  // As PyTorch does on a CPU, every operator computes in FP32 and rounds its result once.
  TensorId rounded(TensorId tensor) {
    if (rounded_.contains(tensor)) return tensor;
    const graph::Expression rounding = rounding_to(*narrow_type(DataType::bfloat16), false);
    return scope_.build.elementwise(rounding, std::span(&tensor, 1));
  }

  // Refuses whole numbers that may leave what their type holds and FP32 tells apart.
  void bound(const NodeImport& import, const std::string& name) {
    const DataType type = infos_.at(name)->type;
    if (is_floating(type)) return;
    if (type == DataType::boolean) {
      bounds_[name] = {0, 1};
      return;
    }
    const Node& node = import.node();
    std::vector<std::optional<WholeOperand>> operands(node.inputs.size());
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (node.inputs[k].empty()) continue;
      operands[k].emplace();
      operands[k]->shape = program_.graph.at(tensor_of(node.inputs[k])).shape;
      if (const auto found = bounds_.find(node.inputs[k]); found != bounds_.end())
        operands[k]->bounds = found->second;
    }
    const auto result =
        static_cast<std::size_t>(std::ranges::find(node.outputs, name) - node.outputs.begin());
    const auto after =
        bounds_after(node, result, graph::element_count(program_.graph.at(tensor_of(name)).shape), operands);
    if (!after)
      import.fail(fmt::format("of {}, whose size no rule tells", data_type_name(type)), Refusal::not_yet);
    if (!holds(type, *after))
      import.fail(fmt::format("{} from {} to {}, which FP32 does not hold exactly", data_type_name(type),
                              after->least, after->most),
                  Refusal::not_yet);
    bounds_[name] = *after;
  }

  TensorId tensor_of(const std::string& name) {
    const auto found = scope_.values.find(name);
    if (found == scope_.values.end()) refuse(where_, "nothing makes the output '{}'", name);
    return found->second.tensor;
  }

  void add_update(const AtenValue& state) {
    const std::string& output = residence_.residents.at(state.name).update;
    TensorId value = tensor_of(output);
    if (program_.graph.at(value).shape != state.shape)
      refuse(where_, "'{}' of another shape is to replace '{}'", output, state.name);
    const TensorId target = program_.graph.find(state.name);
    scope_.build.name(state.name + ".next", "state");
    if (state.shape.empty()) value = scope_.build.reshape(value, {1});
    // One that the graph does not compute would be read while it is written.
    if (program_.graph.at(value).role != Role::value)
      value = scope_.build.reshape(value, program_.graph.at(target).shape);
    program_.graph.update[target] = value;
  }

  void add_output(const ValueInfo& info) {
    const TensorId tensor = tensor_of(info.name);
    auto& outputs = program_.graph.outputs;
    const auto found = std::ranges::find(outputs, tensor);
    const auto result = static_cast<std::size_t>(found - outputs.begin());
    if (found == outputs.end()) outputs.push_back(tensor);
    program_.outputs.push_back({value_of(info, where_), result});
  }

  const Model& model_;
  std::string_view where_;
  AtenProgram program_;
  Scope scope_;
  Residence residence_;
  std::map<std::string, const ValueInfo*> infos_;
  std::map<std::string, Bounds> bounds_;  // of whole numbers and truth values
  std::set<TensorId> rounded_;            // tensors of bfloat16 numbers
  std::set<std::string> replaces_;        // outputs that replace a state and do not leave the machine
};

std::array<std::span<const OpRow>, 6> families() {
  return {aten_elementwise_rows(), aten_indexed_rows(),   aten_linear_rows(),
          aten_random_rows(),      aten_reduction_rows(), aten_shape_rows()};
}

}  // namespace

std::vector<std::string_view> aten_operators() {
  std::vector<std::string_view> names;
  for (const auto rows : families())
    for (const OpRow& row : rows) names.push_back(row.op);
  std::ranges::sort(names);
  return names;
}

const OpRow* find_aten_row(std::string_view overload) {
  for (const auto rows : families())
    if (const auto row = std::ranges::find(rows, overload, &OpRow::op); row != rows.end()) return &*row;
  return nullptr;
}

graph::TensorId argument(NodeImport& node, std::size_t slot, std::string_view name, float otherwise) {
  if (node.has(slot)) return node.tensor(slot);
  return node.build().constant(node.number(name, otherwise));
}

void same(NodeImport& node) {
  node.ignore({"memory_format"});
  node.result(0, node.value(0));
}

graph::TensorId filled(NodeImport& node, float value, const graph::Shape& shape) {
  const graph::TensorId number = node.build().constant(value);
  return shape.empty() ? number : node.build().expand(number, shape);
}

bool is_aten(const Model& model) { return model.opsets.contains(std::string(domain)); }

AtenProgram import_aten(const Model& model, std::string_view where) { return Import(model, where).run(); }

}  // namespace dojo::onnx
