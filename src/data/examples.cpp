#include "data/examples.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/label_specification.h"

namespace dojo::data {

Source source_for(const Signal& input, const std::vector<std::string>& labels) {
  if (input.is_whole)
    throw UserError(fmt::format("input '{}'", input.name), "whole numbers, which pictures are none of",
                    Refusal::not_yet);
  if (std::ranges::all_of(input.shape, [](std::int64_t extent) { return extent == 1; })) {
    if (const auto label = label_in(input.name, labels)) return Reading{*label};
    refuse(fmt::format("input '{}'", input.name),
           "takes one value a sample, and its name speaks of no label of the data ({})",
           fmt::join(labels, ", "));
  }
  std::vector<std::int64_t> shape = {1};
  shape.insert(shape.end(), input.shape.begin(), input.shape.end());
  View view = view_for(input.name, shape);
  view.bytes = input.is_bytes;
  return view;
}

std::vector<std::string> labels_of(const std::vector<Source>& sources,
                                   const std::vector<LabelSpecification>& specifications) {
  std::vector<std::string> labels;
  for (const LabelSpecification& specification : specifications)
    labels.insert(labels.end(), specification.labels.begin(), specification.labels.end());
  for (const Source& source : sources)
    if (const auto* reading = std::get_if<Reading>(&source)) labels.push_back(reading->label);
  return labels;
}

CameraExamples::CameraExamples(const Dataset& data, std::vector<Source> sources,
                               const std::vector<LabelSpecification>& specifications)
    : data_(data), sources_(std::move(sources)) {
  for (const LabelSpecification& specification : specifications)
    for (const std::string& label : specification.labels)
      columns_.push_back(
          {label_index(label, "output"), specification.kind, specification.bins.value_or(graph::Bins{})});
  for (const Source& source : sources_)
    if (const auto* reading = std::get_if<Reading>(&source)) label_index(reading->label, "input");
}

std::size_t CameraExamples::label_index(const std::string& label, std::string_view needed_by) const {
  const auto& names = data_.label_names();
  const auto found = std::ranges::find(names, label);
  if (found == names.end())
    refuse(data_.name(), "has no label '{}', which an {} of the network needs", label, needed_by);
  return static_cast<std::size_t>(found - names.begin());
}

std::size_t CameraExamples::input_elements() const {
  std::size_t count = 0;
  for (const Source& source : sources_) {
    const auto* view = std::get_if<View>(&source);
    count += view != nullptr ? static_cast<std::size_t>(view->elements()) : 1;
  }
  return count;
}

void CameraExamples::read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const {
  DOJO_ENSURE(inputs.size() == input_elements() && targets.size() == columns_.size());
  const std::vector<float> labels = data_.labels(frame);
  const Image image = data_.image(frame);
  for (const Source& source : sources_) {
    std::size_t used = 1;
    if (const auto* view = std::get_if<View>(&source)) {
      used = static_cast<std::size_t>(view->elements());
      see(image, *view, inputs.first(used));
    } else {
      inputs[0] = labels[label_index(std::get<Reading>(source).label, "input")];
    }
    inputs = inputs.subspan(used);
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& [label, kind, bins] = columns_[i];
    targets[i] = kind->target(labels[label], bins);
  }
}

void CameraExamples::measured(std::size_t frame, std::span<float> values) const {
  DOJO_ENSURE(values.size() == columns_.size());
  const std::vector<float> labels = data_.labels(frame);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = labels[columns_[i].label];
}

}  // namespace dojo::data
