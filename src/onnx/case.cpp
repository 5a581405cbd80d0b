#include "onnx/case.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"

namespace dojo::onnx {
namespace {

namespace fs = std::filesystem;

// The i-th declared as bfloat16 was written as its bits, in uint16, by onnx 1.12.
std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& kind,
                                 const std::vector<ValueInfo>& declared) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0;; ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", kind, i);
    if (!fs::exists(path)) return tensors;
    if (i < declared.size() && declared[i].type == DataType::undefined)
      throw UserError(folder.parent_path().filename().string(),
                      fmt::format("{} '{}' is no tensor but a sequence, a map or an optional value", kind,
                                  declared[i].name),
                      Refusal::unsupported);
    tensors.push_back(parse_tensor(read_text(path), path.string()));
    Tensor& tensor = tensors.back();
    if (i < declared.size() && declared[i].type == DataType::bfloat16 && tensor.type == DataType::uint16)
      tensor.type = DataType::bfloat16;
    // Every network computes in float32 here; the cases' numbers all have it as their neighbour.
    if (is_floating(tensor.type) && tensor.type != DataType::float32)
      tensor =
          make_tensor(tensor.name, tensor.dims, std::span<const float>(to_floats(tensor, path.string())));
  }
}

// Old exporters list the initialisers among the inputs.
std::vector<ValueInfo> fed_inputs(const Model& model) {
  std::vector<ValueInfo> inputs;
  for (const ValueInfo& input : model.graph.inputs)
    if (std::ranges::find(model.graph.initialisers, input.name, &Tensor::name) ==
        model.graph.initialisers.end())
      inputs.push_back(input);
  return inputs;
}

}  // namespace

std::string Case::op() const { return model.graph.nodes.size() == 1 ? model.graph.nodes[0].op : "several"; }

Tolerance Case::tolerance(std::size_t output) const {
  Tolerance tolerance;
  const DataType type = model.graph.outputs.at(output).type;
  if (type == DataType::bfloat16) tolerance.relative += 4 * 0x1p-8f;
  if (type == DataType::float16) tolerance.relative += 4 * 0x1p-11f;
  if (op() == "DFT") {
    float largest = 0;
    for (const float value : to_floats(outputs.at(output), name))
      largest = std::max(largest, std::fabs(value));
    tolerance.absolute = std::max(tolerance.absolute, largest * 0x1p-24f);
  }
  return tolerance;
}

Case read_case(const fs::path& folder, const std::string& set) {
  Case read;
  read.name = folder.filename().string();
  read.model = read_model(folder / "model.onnx");
  read.inputs = read_tensors(folder / set, "input", fed_inputs(read.model));
  read.outputs = read_tensors(folder / set, "output", read.model.graph.outputs);
  if (read.inputs.size() != fed_inputs(read.model).size() || read.outputs.empty() ||
      read.outputs.size() > read.model.graph.outputs.size())
    throw UserError((folder / set).string(), "test data that do not fit the model's inputs and outputs",
                    Refusal::unsupported);
  return read;
}

namespace {

// What an input may bring, of whole numbers and truth values.
void check_values(const Tensor& input, const ValueInfo& declared, std::string_view where) {
  if (is_floating(declared.type)) return;
  const Bounds held = bounds_of(declared.type);
  for (const std::int64_t value : to_integers(input, declared.name))
    if (value < held.least || value > held.most)
      throw UserError(where,
                      fmt::format("input '{}' brings {}; numbers from {} to {} are told apart", declared.name,
                                  value, held.least, held.most),
                      Refusal::unsupported);
}

}  // namespace

Network import_case(const Case& tested, Feed feed) {
  const std::vector<ValueInfo> fed = fed_inputs(tested.model);
  ImportOptions options;
  options.training = false;
  for (std::size_t i = 0; i < fed.size(); ++i) {
    const Tensor& input = tested.inputs[i];
    const bool is_bounded = feed == Feed::bounded_tensors || (feed == Feed::first_bounded_tensor && i == 0);
    const bool is_tensor =
        is_bounded || feed == Feed::tensors || (feed == Feed::floating_tensors && is_floating(fed[i].type));
    if (!is_tensor || input.elements() == 0) {
      options.given.emplace(fed[i].name, input);
      continue;
    }
    check_values(input, fed[i], tested.name);
    options.whole[fed[i].name] = input.dims;
    if (!is_bounded || is_floating(fed[i].type)) continue;
    const auto [least, most] = std::ranges::minmax(to_integers(input, fed[i].name));
    options.bounds[fed[i].name] = {least, most};
  }
  if (feed == Feed::batch) {
    if (fed.empty() || tested.inputs[0].dims.empty() || tested.inputs[0].dims[0] == 0)
      throw UserError(tested.name, "an input without a batch", Refusal::unsupported);
    check_values(tested.inputs[0], fed[0], tested.name);
    options.batch = tested.inputs[0].dims[0];
    options.given.erase(fed[0].name);
  }
  return import_model(tested.model, tested.name, options);
}

const Tensor& input_of(const Case& tested, const std::string& name) {
  const std::vector<ValueInfo> fed = fed_inputs(tested.model);
  const auto found = std::ranges::find(fed, name, &ValueInfo::name);
  DOJO_ENSURE(found != fed.end());
  return tested.inputs[static_cast<std::size_t>(found - fed.begin())];
}

std::optional<std::string> difference(const std::vector<float>& got, const std::vector<std::int64_t>& shape,
                                      const Tensor& expected, std::string_view name,
                                      const Tolerance& tolerance) {
  if (shape != expected.dims)
    return fmt::format("{}: the shape [{}], not [{}]", name, fmt::join(shape, ", "),
                       fmt::join(expected.dims, ", "));
  const std::vector<float> want = to_floats(expected, name);
  if (got.size() != want.size()) return fmt::format("{}: {} elements, not {}", name, got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if ((std::isnan(want[i]) && std::isnan(got[i])) || want[i] == got[i]) continue;
    if (!(std::fabs(got[i] - want[i]) <= tolerance.absolute + tolerance.relative * std::fabs(want[i])))
      return fmt::format("{}[{}] = {}, not {}", name, i, got[i], want[i]);
  }
  return std::nullopt;
}

}  // namespace dojo::onnx
