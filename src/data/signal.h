// What a network asks of the data: an input or a target, and what the file says of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/label_kinds.h"

namespace dojo::data {

// One input or target of the network, per sample.
struct Signal {
  std::string name;                 // of the input, or of the output that the target is for
  std::vector<std::int64_t> shape;  // without the batch dimension; of class numbers also without the classes
  bool is_bytes = false;            // inputs: whole numbers from 0 to 255
  bool is_whole = false;            // inputs: other whole numbers, or truth values
  std::int64_t classes = 0;         // targets: how many classes a class number chooses from; 0: values
  const graph::LabelKind* kind = &graph::label_kind("mse");  // targets
  std::vector<std::string> labels = {};               // targets: as the file names them; empty if it doesn't
  std::optional<std::pair<float, float>> range = {};  // targets: what first and last class stand for
};

}  // namespace dojo::data
