// What an output may learn of a value that was measured, one row a kind: the loss, the label that it is
// compared with, and which value an answer stands for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "graph/builder.h"

namespace dojo::graph {

// `count` classes for a measured value: their middles lie evenly from `low` to `high`, both included, as
// Donkeycar's categorical pilot has them (15 for the angle, from -1 to 1). A value belongs to the nearest
// middle; values beyond the ends to the first or last class. count >= 2, low < high.
struct Bins {
  std::int64_t count = 2;
  float low = -1, high = 1;

  float middle(std::int64_t bin) const {
    return low + (high - low) * static_cast<float>(bin) / static_cast<float>(count - 1);
  }
  std::int64_t of(float value) const {
    const float place = std::round((value - low) / (high - low) * static_cast<float>(count - 1));
    return static_cast<std::int64_t>(std::clamp(place, 0.0f, static_cast<float>(count - 1)));
  }
};

struct LabelKind {
  std::string_view key;  // of the metadata: opendojo.loss.OUTPUT
  // Whether dimension 1 of the output has a score for each of several classes, and its label none; else the
  // label has the output's shape, a measured value for each.
  bool has_classes;
  bool is_probability;  // the label: it lies from 0 to 1
  // Of classes the output is the logits. Shape [], the mean over the batch.
  TensorId (*loss)(Builder& build, TensorId output, TensorId label);
  // The label of a measured value, and back: the value that an answer, its scores or itself alone, stands
  // for. Without classes the bins say nothing.
  float (*target)(float measured, const Bins& bins);
  float (*value)(std::span<const float> answer, const Bins& bins);
  // What accuracy counts; none: there is no accuracy.
  bool (*is_right)(std::span<const float> answer, float measured, const Bins& bins);
};

std::span<const LabelKind> label_kinds();
const LabelKind& label_kind(std::string_view key);       // one of them: a broken invariant if it is not
const LabelKind& usual_label_kind(const Shape& output);  // of an output of which the file says nothing

}  // namespace dojo::graph
