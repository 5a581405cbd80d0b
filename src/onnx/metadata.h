// What an ONNX file says about its own training: the metadata keys that begin with "opendojo.".
//
//   opendojo.frozen          names of initialisers that stay as they are
//   opendojo.trained         names of initialisers that are trained where the importer would freeze them
//   opendojo.loss.OUTPUT     how it learns: the key of a kind of label (label_kinds.h)
//   opendojo.weight.OUTPUT   the factor of that loss, at least 0
//   opendojo.label.OUTPUT    names of its labels in the data set
//   opendojo.range.OUTPUT    low:high, what the first and the last class stand for
//
// Lists are separated by commas. The keys of other programs are theirs.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/label_kinds.h"
#include "onnx/file.h"

namespace dojo::onnx {

struct OutputChoice {
  const graph::LabelKind* kind = nullptr;  // none: not said
  std::size_t class_dimension = 1;         // of the output, where the scores of its classes lie
  float weight = 1;
  std::vector<std::string> labels;  // empty: not said
  std::optional<std::pair<float, float>> range;
};

struct Metadata {
  std::set<std::string> frozen, trained;
  std::map<std::string, OutputChoice> outputs;  // those that a key names
};

// Throws UserError, which begins with `where`, for a key that is none of these, an output or an initialiser
// that the network does not have, and a value that its key cannot take.
Metadata read_metadata(const Model& model, std::string_view where);

}  // namespace dojo::onnx
