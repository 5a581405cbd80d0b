#include "training/array_data.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/sha256.h"
#include "onnx/metadata.h"
#include "onnx/numbers.h"
#include "runtime/input_arrays.h"

namespace dojo::training {
namespace {

using graph::Shape;
using runtime::shape_text;

// What of the arrays a network sees: a row a sample.
struct Column {
  std::size_t width = 0;      // numbers a sample
  std::vector<float> values;  // samples x width
};

std::string fingerprint_of(const data::Arrays& arrays) {
  Sha256 all;
  for (const auto& [name, array] : arrays) {
    const std::string head =
        fmt::format("{} {} {}\n", name, data::name(array.element), shape_text(array.shape));
    all.add(std::as_bytes(std::span(head)));
    all.add(array.bytes);
  }
  return all.hex();
}

bool is_whole(const data::Array& array) { return array.element < data::Element::float16; }

std::string place_of(const onnx::NetworkOutput& output) { return fmt::format("output '{}'", output.name); }

// The name of the array that an output learns. `taken`: those that inputs take.
std::string label_name(const onnx::NetworkOutput& output, const onnx::Network& network,
                       const data::Arrays& arrays, const std::vector<std::string>& taken) {
  if (!output.loss.labels.empty()) {
    if (output.loss.labels.size() > 1)
      refuse(place_of(output), "learns one array, its metadata names {}", output.loss.labels.size());
    if (!arrays.contains(output.loss.labels[0]))
      refuse(place_of(output), "learns '{}', as its metadata says; there are the arrays {}",
             output.loss.labels[0], fmt::join(runtime::names_of(arrays), ", "));
    return output.loss.labels[0];
  }
  for (const std::string& name : {output.name, output.name + ".label"})
    if (arrays.contains(name)) return name;
  std::vector<std::string> left = runtime::names_of(arrays);
  std::erase_if(left, [&](const std::string& name) { return std::ranges::find(taken, name) != taken.end(); });
  if (network.outputs.size() == 1 && left.size() == 1) return left[0];
  refuse(place_of(output), "learns an array '{0}' or '{0}.label', which is not among {1}", output.name,
         fmt::join(runtime::names_of(arrays), ", "));
}

// The dimension of the output without which it has the label's shape: dimension 1 or the last.
std::optional<std::size_t> class_dimension(const Shape& output, const Shape& label) {
  if (output.size() != label.size() + 1 || output.size() < 2) return std::nullopt;
  for (const std::size_t dimension : {std::size_t{1}, output.size() - 1}) {
    Shape without = output;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(dimension));
    if (without == label) return dimension;
  }
  return std::nullopt;
}

// Labels as [n, 1] and [n] are the same numbers.
Shape without_ones(const Shape& shape) {
  Shape kept{shape.at(0)};
  std::copy_if(shape.begin() + 1, shape.end(), std::back_inserter(kept),
               [](std::int64_t extent) { return extent != 1; });
  return kept;
}

void check_classes(const Column& column, std::int64_t classes, std::string_view where,
                   const std::string& name) {
  for (std::size_t i = 0; i < column.values.size(); ++i) {
    const float value = column.values[i];
    if (!(value >= 0 && value < static_cast<float>(classes)) || value != std::trunc(value))
      refuse(where, "'{}' holds {} in sample {}; its classes are 0 to {}", name, value, i / column.width,
             classes - 1);
  }
}

void check_numbers(const Column& column, std::string_view where, const std::string& name) {
  for (std::size_t i = 0; i < column.values.size(); ++i)
    if (!std::isfinite(column.values[i]))
      refuse(where, "'{}' holds {} in sample {}", name, column.values[i], i / column.width);
}

void check_probabilities(const Column& column, std::string_view where, const std::string& name) {
  for (std::size_t i = 0; i < column.values.size(); ++i)
    if (column.values[i] < 0 || column.values[i] > 1)
      refuse(where, "'{}' holds {} in sample {}; a probability lies from 0 to 1", name, column.values[i],
             i / column.width);
}

}  // namespace

// The samples as frames, of which there is no picture, and as what the network sees of them.
class ArrayData::Samples final : public data::Dataset, public data::Examples {
public:
  Samples(std::string name, std::string fingerprint, std::size_t count)
      : name_(std::move(name)), fingerprint_(std::move(fingerprint)), count_(count) {}

  std::string name() const override { return name_; }
  std::string fingerprint() const override { return fingerprint_; }
  std::size_t size() const override { return count_; }
  const std::vector<std::string>& label_names() const override { return none_; }
  const std::vector<std::string>& warnings() const override { return none_; }
  data::Image image(std::size_t) const override { refuse(name_, "holds arrays, and no pictures"); }
  std::vector<float> labels(std::size_t) const override { return {}; }
  std::string place(std::size_t frame) const override { return fmt::format("{}:{}", name_, frame); }

  std::size_t input_elements() const override { return width_of(inputs); }
  std::size_t target_elements() const override { return width_of(targets); }
  void read(std::size_t frame, std::span<float> into, std::span<float> wanted) const override {
    copy(inputs, frame, into);
    copy(targets, frame, wanted);
  }
  void measured(std::size_t frame, std::span<float> values) const override { copy(targets, frame, values); }

  std::vector<Column> inputs, targets;

private:
  static std::size_t width_of(const std::vector<Column>& columns) {
    std::size_t width = 0;
    for (const Column& column : columns) width += column.width;
    return width;
  }
  static void copy(const std::vector<Column>& columns, std::size_t frame, std::span<float> into) {
    DOJO_ENSURE(into.size() == width_of(columns));
    for (const Column& column : columns) {
      std::ranges::copy(std::span(column.values).subspan(frame * column.width, column.width), into.begin());
      into = into.subspan(column.width);
    }
  }

  std::string name_, fingerprint_;
  std::size_t count_;
  std::vector<std::string> none_;
};

ArrayData::~ArrayData() = default;

ArrayData::ArrayData(const data::Arrays& arrays, std::string where, const onnx::Model& model,
                     std::string_view model_name, const onnx::Choices& asked)
    : where_(std::move(where)), choices_(asked) {
  const std::int64_t count = runtime::samples_in(arrays, where_);
  if (count < 2) refuse(where_, "holds fewer than two samples");
  const auto samples = static_cast<std::size_t>(count);
  samples_ = std::make_unique<Samples>(where_, fingerprint_of(arrays), samples);
  split_ = data::split_recordings({samples});
  const onnx::Network network = onnx::import_model(
      model, model_name, {.batch = count, .training = false, .given = {}, .choices = asked});
  for (const onnx::NetworkInput& input : network.inputs) {
    Column& column = samples_->inputs.emplace_back();
    column.values = runtime::input_values(input, network, arrays, where_);
    column.width = column.values.size() / samples;
    check_numbers(column, where_, input.name);
  }
  const auto said = onnx::read_metadata(model, model_name).outputs;
  for (const onnx::NetworkOutput& output : network.outputs) {
    const auto of_metadata = said.find(output.name);
    const bool is_chosen = asked.contains(output.name) || asked.contains("") ||
                           (of_metadata != said.end() && of_metadata->second.kind != nullptr);
    add_target(output, network, arrays, is_chosen);
  }
  note_unused(network, arrays);
}

void ArrayData::note_unused(const onnx::Network& network, const data::Arrays& arrays) {
  std::set<std::string> used;
  for (const onnx::NetworkInput& input : network.inputs) used.insert(input.name);
  for (const data::LabelSpecification& specification : specifications_) used.insert(specification.labels[0]);
  const bool lone = network.inputs.size() == 1 && arrays.size() == 1;  // it serves whatever it is called
  for (const auto& [name, array] : arrays)
    if (!lone && !used.contains(name)) notes_.push_back(fmt::format("array '{}' is used by nothing", name));
}

std::string ArrayData::name() const { return where_; }
const data::Dataset& ArrayData::frames() const { return *samples_; }

void ArrayData::add_target(const onnx::NetworkOutput& output, const onnx::Network& network,
                           const data::Arrays& arrays, bool is_chosen) {
  std::vector<std::string> taken;
  for (const onnx::NetworkInput& input : network.inputs) taken.push_back(input.name);
  const std::string name = label_name(output, network, arrays, taken);
  const data::Array& array = arrays.at(name);
  const Shape& shape = network.graph.at(output.tensor).shape;
  if (shape.empty() || shape[0] != array.shape[0])
    refuse(place_of(output), "says nothing of each sample: its shape is {}", shape_text(shape));

  const auto dimension = class_dimension(shape, array.shape);
  const bool fits = without_ones(shape) == without_ones(array.shape);
  onnx::OutputChoice choice;
  const bool are_classes = dimension && shape[*dimension] > 1 && is_whole(array);
  choice.kind = is_chosen ? output.loss.kind : &graph::label_kind(are_classes ? "cross_entropy" : "mse");
  if (choice.kind->has_classes ? !dimension : !fits)
    refuse(where_, "'{}' has the shape {}, which no label of output '{}' {} has for {}", name,
           shape_text(array.shape), output.name, shape_text(shape), choice.kind->key);

  Column& column = samples_->targets.emplace_back();
  column.values = data::floats(array);
  column.width = column.values.size() / samples_->size();
  data::LabelSpecification& specification = specifications_.emplace_back();
  specification.labels = {name};
  specification.kind = choice.kind;
  specification.places = column.width;
  if (choice.kind->has_classes) {
    choice.class_dimension = *dimension;
    const std::int64_t classes = shape[*dimension];
    check_classes(column, classes, where_, name);
    specification.bins = graph::Bins{classes, 0, static_cast<float>(classes - 1)};
    specification.classes_last = *dimension + 1 == shape.size();
    specification.classes_are_names = true;
  } else {
    check_numbers(column, where_, name);
    if (choice.kind->is_probability) check_probabilities(column, where_, name);
  }
  choices_[output.name] = choice;
  notes_.push_back(fmt::format("output '{}' learns '{}' by {}", output.name, name, choice.kind->key));
}

TrainingData ArrayData::for_training(const TrainableNetwork& network) {
  DOJO_ENSURE(network.targets.size() == specifications_.size());
  return {*samples_, split_, samples_->fingerprint(), specifications_};
}

}  // namespace dojo::training
