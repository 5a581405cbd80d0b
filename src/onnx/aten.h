// From PyTorch's graphs to ours: ONNX containers whose nodes are ATen's operators.
//
// The container (python/opendojo/container.py writes it):
//   op set      domain "aten", version 1
//   node        domain "aten"; its type is the overload's name as PyTorch spells it: "add.Tensor"
//   operands    a slot for every argument of the schema's types Tensor, Tensor? and Scalar, in its order,
//               and one for each element of a Tensor[] or Tensor?[]. A slot is empty if its argument is
//               None, a number or left out; trailing empty slots may be missing
//   attributes  all other arguments and the numbers, by their names in the schema: floats, integers (truth
//               is one), lists of them, strings. None and what is left out have none: the schema's default
//   metadata    of a node: "module" (the path of the module that made it) and "line" (file:line)
//   values      every tensor of the graph is listed with its element type and its fixed shape; a result
//               that comes out otherwise is refused
//
// Beside ATen's operators opendojo_uniform.default (seed, launch; number, size) -> draws from [0, 1): `seed`
// and `launch` are whole numbers below 2^24, as is `number`, of the operator among those that draw.
//
// Metadata of the model:
//   opendojo.parameter.INPUT, opendojo.state.INPUT
//               this input stays in the machine from run to run. The value is the output that replaces it
//               after each run, or empty if it stays as it is. Parameters are what is trained
//   opendojo.samples
//               inputs that hold the samples of a batch, separated by commas: NAME where they lie along
//               dimension 0, else NAME:DIMENSION:OUTER:INNER (graph/sample_place.h)
//   opendojo.valid
//               one of these, float32 of shape [N]: 1 for a sample that counts, 0 for one that is left out,
//               whose other inputs are 0 (graph/valid_samples.h)
//
// Element types: float32; bfloat16, carried as FP32 numbers to which every result is rounded once; integers,
// which are carried as whole FP32 numbers, exact up to 2^24; truth values, carried as 0 and 1. Inputs and
// states hold integers up to 2^23, so that there is room to compute with them; an operator whose result may
// leave what is exact is refused. What a float becomes as an integer is of any size: it may be moved,
// compared and held within numbers. Other types are refused, and so are shapes that are not fixed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ir.h"
#include "graph/sample_place.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {

constexpr std::int64_t largest_given = 1 << 23;  // integer of an input or a state

// A tensor that passes between the host and the program, as the host sees it.
struct AtenValue {
  std::string name;
  DataType type = DataType::float32;
  std::vector<std::int64_t> shape;
};

// One that stays in the machine. Of no dimensions it is a tensor of one element in the graph.
struct AtenState {
  AtenValue value;
  bool replaced = false;  // after each run
};

struct AtenOutput {
  AtenValue value;
  std::size_t result = 0;  // which of graph.outputs
};

struct AtenProgram {
  graph::Graph graph;             // nothing in it has a batch
  std::vector<AtenValue> inputs;  // inputs of the graph by name; those of no dimensions are its scalars
  std::vector<AtenState> states;  // parameters and states of the graph by name, with zeros in them
  std::vector<AtenOutput> outputs;
  std::map<std::string, graph::SamplePlace> samples;  // where inputs hold them
  std::string valid;                                  // the input that says which of them count; empty: all
};

bool is_aten(const Model& model);
std::vector<std::string_view> aten_operators();  // of which there is a row, by name

// Throws UserError, a NodeError where a node is refused.
AtenProgram import_aten(const Model& model, std::string_view where);

}  // namespace dojo::onnx
