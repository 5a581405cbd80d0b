// The slow interpreter: it runs a graph exactly as ir.h defines it, and is thereby the definition that
// compiled programs are compared with.
//
// Every tensor's value is kept as FP32, already rounded to the tensor's format. Rows of the box are evaluated
// at once, which changes no bit: the order of every chain of additions is that of ir.h. One thread, no
// randomness.
#pragma once

#include <span>
#include <vector>

#include "graph/ir.h"

namespace dojo::graph {

class Interpreter {
public:
  // Keeps a reference to the graph. Parameters, states and constants start from their data.
  explicit Interpreter(const Graph& graph);

  // Gives a value to an input, label, scalar, parameter or state; it is rounded to the tensor's format.
  // Refuses a wrong size.
  void set(TensorId tensor, std::span<const float> values);

  // Runs all ops in order. Refuses a graph whose inputs, labels or scalars that ops read have not been set.
  void run();

  // The value of any tensor that has one.
  const std::vector<float>& value(TensorId tensor) const;

  // Ends the step: every parameter and state of Graph::update takes its new value.
  void update();

private:
  const Graph& graph_;
  std::vector<std::vector<float>> values_;  // by tensor; empty: no value yet
};

// One structured op over given values: values[t] is tensor t's. Returns the output, rounded.
std::vector<float> interpret(const Graph& graph, const StructuredOp& op,
                             std::span<const std::vector<float>> values);

}  // namespace dojo::graph
