// Which labels of a data set a network's outputs learn, and how.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/signal.h"
#include "graph/label_kinds.h"

namespace dojo::data {

// Of one output: the label of each of its values, in order; or one label and its classes; or one label of
// many places.
struct LabelSpecification {
  std::vector<std::string> labels;
  std::optional<graph::Bins> bins;  // of classes
  const graph::LabelKind* kind = &graph::label_kind("mse");
  // Of a sample that the label speaks of, each with a value or with classes: pixels, tokens. They are judged
  // together.
  std::size_t places = 1;
  bool classes_last = false;       // a place's scores lie side by side; else places x of a class do
  bool classes_are_names = false;  // no order is among them, and no measure but which are right
};

// The label that a name speaks of: the one that it contains ("angle_out"), whose last part after '/' it
// contains ("speed" for "enc/speed"), or the first label, the steering angle, for a name with "steer" in it.
// Nothing if there is none. Capitals do not matter.
std::optional<std::string> label_in(std::string_view name, const std::vector<std::string>& labels);

// One specification for each target, in order.
//   labels   what the file's metadata names. Otherwise an output of two values learns the first two labels
//            (angle, throttle); one of a single value, or of classes, the label that its name speaks of, or
//            else the label at its own place among the outputs, if that is one of the first two and no other
//            output has it. `notes` gets a sentence for each that was given by place.
//   classes  lie over the range in the metadata; by default from -1 to 1 for the angle, 0 to 1 for the
//            throttle
// Refuses what is left without a label, more than two values, and classes without a range.
std::vector<LabelSpecification> label_specifications(const std::vector<Signal>& targets,
                                                     const std::vector<std::string>& labels,
                                                     std::vector<std::string>& notes);

// The same for what is predicted and not learnt, where a label is not needed and nothing refused for want of
// one: a value that no label fits is called by its output, or by its number among several, and classes
// without a range count from 0.
std::vector<LabelSpecification> predicted_label_specifications(const std::vector<Signal>& targets,
                                                               const std::vector<std::string>& labels);

}  // namespace dojo::data
