// What a network's output says about the data: which measured values it is to learn, and how.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/label_kinds.h"

namespace dojo::data {

// One output: the label of each of its values, in order; or one label and its classes.
struct Meaning {
  std::vector<std::string> labels;
  std::optional<graph::Bins> bins;  // of classes
  const graph::LabelKind* kind = &graph::label_kind("mse");
};

}  // namespace dojo::data
