// What is trained and how: an ONNX file and an optimizer become the two graphs that the compiler takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/stages.h"
#include "data/signal.h"
#include "graph/ir.h"
#include "graph/label_kinds.h"
#include "graph/optimizer.h"
#include "lowering/layout.h"
#include "onnx/exporter.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::training {

struct Recipe {
  std::filesystem::path model;
  graph::Optimizer optimizer = graph::optimizer_named("adamw");
  std::int64_t batch = 354;
  bool initialise = false;  // draw new weights from `seed` instead of keeping the file's
  std::uint64_t seed = 0;
  onnx::Choices choices = {};  // how outputs learn, whatever the file says
  bool untie = false;          // give every reader of a shared vector its own (onnx/exporter.h)
};

struct TrainableNetwork {
  onnx::Model file;         // as it is trained: untied if the recipe says so
  graph::Graph train_step;  // outputs: the total loss, then each output's own
  graph::Graph predict;     // outputs: the network's, in the file's order
  std::vector<data::Signal> inputs, targets;
  lowering::Tensors initial;  // parameters and states, by name

  // What is trained, for people.
  std::vector<std::string> parameters;
  std::uint64_t trained_numbers = 0;  // in all parameters
  std::map<std::string, onnx::Frozen> frozen;
  std::vector<onnx::SharedVector> shared;  // among the parameters
  std::vector<std::string> folded_norms;   // onnx/exporter.h
};

// Throws UserError as the importer does. `stages` sees what every pass makes of the graphs.
TrainableNetwork read_network(const Recipe& recipe, const StageSink& stages = {});

// A network that is asked and not trained: its outputs need no labels.
struct ForwardNetwork {
  graph::Graph predict;  // outputs: the network's, in the file's order
  std::vector<data::Signal> inputs, targets;
  lowering::Tensors initial;  // parameters and states, by name
};

// Throws UserError as the importer does.
ForwardNetwork read_forward_network(const std::filesystem::path& model, std::int64_t batch);

// Of graph.outputs, in order.
std::vector<std::string> output_names(const graph::Graph& graph);

}  // namespace dojo::training
