// A data set seen through one network's eyes: pictures and readings as its inputs, labels as its targets.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "data/dataset.h"
#include "data/label_specification.h"
#include "data/picture.h"
#include "data/signal.h"

namespace dojo::data {

// A label as an input: the car's speed beside its picture.
struct Reading {
  std::string label;
};
using Source = std::variant<View, Reading>;

// What an input is given: one value a sample is the label that the input's name speaks of
// (label_specification.h), anything else a picture (picture.h). Refuses an input that is neither.
Source source_for(const Signal& input, const std::vector<std::string>& labels);

// The labels that these inputs and outputs need.
std::vector<std::string> labels_of(const std::vector<Source>& sources,
                                   const std::vector<LabelSpecification>& specifications);

class CameraExamples final : public Examples {
public:
  // Keeps a reference to `data`, in which every label that is needed was measured. Refuses one that the data
  // set doesn't have.
  CameraExamples(const Dataset& data, std::vector<Source> sources,
                 const std::vector<LabelSpecification>& specifications);

  std::size_t size() const override { return data_.size(); }
  std::size_t input_elements() const override;
  std::size_t target_elements() const override { return columns_.size(); }
  void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const override;
  void measured(std::size_t frame, std::span<float> values) const override;

private:
  struct Column {
    std::size_t label;
    const graph::LabelKind* kind;
    graph::Bins bins;  // of classes
  };
  std::size_t label_index(const std::string& label, std::string_view needed_by) const;

  const Dataset& data_;
  std::vector<Source> sources_;
  std::vector<Column> columns_;
};

}  // namespace dojo::data
