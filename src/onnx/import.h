// From an ONNX model to a graph: nodes become structured ops, the file's batch becomes the training batch.
//
// What an initialiser becomes:
//   state      the running mean and variance of a BatchNormalization
//   constant   a scalar of shape [], one that the metadata freezes (onnx_metadata.h), one that only prepares
//              the input (onnx_preprocessing.h) or that the exporter made up (onnx_exporter.h) unless the
//              metadata says that it is trained, and what is not float32
//   parameter  every other one: it is trained
// The result of an Identity of a parameter or state is another one, with a value of its own to begin with.
// Values of Constant nodes are constants. Operands that decide shapes or bounds (Reshape, Clip, Pad, Pow...)
// must be known from the file. Tensors that hold shapes are computed while importing, with the training batch
// in the place of the file's.
//
// A network is refused (UserError: file, node and operator) if it needs an operator or an attribute that the
// tables behind find_row (node.h) do not list. Floating-point numbers of every type are computed in FP32;
// whole numbers and truth values as numbers.h says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/ir.h"
#include "graph/label_kinds.h"
#include "onnx/file.h"
#include "onnx/metadata.h"
#include "onnx/numbers.h"

namespace dojo::onnx {

// A refusal of one node, with what a caller may want apart from the sentence. Module and line are known of
// networks that come from PyTorch (aten.h); else they are empty.
class NodeError : public UserError {
public:
  NodeError(std::string_view where, std::string_view what, Refusal refusal, const Node& node);
  const std::string& op() const { return op_; }
  const std::string& module() const { return module_; }
  const std::string& line() const { return line_; }

private:
  std::string op_, module_, line_;
};

// How outputs are trained, whatever the metadata says, by their names; that of "" is for all others.
using Choices = std::map<std::string, OutputChoice>;

struct ImportOptions {
  std::int64_t batch = 1;   // dimension 0 of every input
  bool training = true;     // batch statistics and their running update; false: the running statistics
  bool initialise = false;  // draw new weights instead of keeping the file's (below)
  std::uint64_t seed = 0;   // of that draw
  std::map<std::string, Tensor> given =
      {};  // inputs of the network that are to be taken as initialisers with these values
  std::map<std::string, graph::Shape> whole = {};  // inputs of these shapes, in which no dimension is a batch
  std::map<std::string, Bounds> bounds = {};  // what inputs of whole numbers hold; others: all of their type
  Choices choices = {};
};

// New weights: Kaiming-uniform, +-sqrt(6 / fan-in), for Conv, ConvTranspose, Gemm and MatMul; biases, shifts
// and running means 0; scales and running variances 1; every other parameter keeps the file's value.

// How an output is trained: as the metadata says, by default with cross_entropy for an output
// [batch, more than 2] and mse for any other.
struct OutputLoss {
  const graph::LabelKind* kind;
  std::size_t class_dimension = 1;
  float weight = 1;
  std::vector<std::string> labels = {};  // empty: not said
  std::optional<std::pair<float, float>> range = {};
};

struct NetworkInput {
  std::string name;
  graph::TensorId tensor = graph::no_tensor;
  DataType type = DataType::float32;  // in the file; whole numbers within bounds_of(type) (numbers.h)
};

struct NetworkOutput {
  std::string name;  // in the file
  graph::TensorId tensor = graph::no_tensor;
  DataType type = DataType::float32;          // of its elements, as ONNX sees them
  graph::TensorId logits = graph::no_tensor;  // what a final Softmax over the classes reads; else `tensor`
  OutputLoss loss;
};

// Why an initialiser is not trained: the metadata says so, it only prepares the input, it is a number of no
// dimensions, which most often is no parameter, or the exporter made it up (onnx_exporter.h).
enum class Frozen : std::uint8_t { by_metadata, prepares_input, no_dimensions, fills_norm };

struct Network {
  graph::Graph graph;  // graph.outputs are the tensors of `outputs`; parameters and states bear their
                       // initialisers' names
  std::vector<NetworkInput> inputs;
  std::vector<NetworkOutput> outputs;
  std::map<std::string, Frozen> frozen;  // initialisers that would be trained otherwise
};

Network import_model(const Model& model, std::string_view where, const ImportOptions& options);

// The losses of a network, added to its graph.
struct Losses {
  graph::TensorId total =
      graph::no_tensor;  // shape []: the sum of weight * loss over the outputs; what is differentiated
  std::vector<graph::TensorId>
      labels;  // per output: "<output>.label", shaped like the output; for cross_entropy
               // class numbers, without the classes' dimension; its scores are the logits
  std::vector<graph::TensorId> each;  // per output: its own loss, unweighted, mean over the batch
};

Losses add_losses(Network& network);

// Of the label of an output, the batch first: its own, of classes without their dimension. Refuses an output
// that says nothing of each sample, and one that has no such dimension.
std::vector<std::int64_t> label_shape(const graph::Graph& graph, const NetworkOutput& output);

}  // namespace dojo::onnx
