// A program as the C ABI has it: compiled from a container, resident in a machine of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/interpreter.h"
#include "graph/spread_batch.h"
#include "lowering/formats.h"
#include "machine/machine.h"
#include "onnx/aten.h"
#include "runtime/resident_network.h"

namespace dojo::api {

struct Options {
  machine::Machine machine;
  bool is_interpreted = false;  // without a machine
  lowering::FormatChoice formats = lowering::FormatChoice::fp32;
  unsigned nodes = 0, threads = 0;
};

// A run that did not come to its end. The states are as before it.
struct Unfinished {
  bool interrupted = false;
  std::string why;
};

struct Costs {
  unsigned nodes = 0;         // that work
  std::uint32_t samples = 0;  // that are spread over them
  std::uint64_t runs = 0, cycles = 0, total_cycles = 0;
};

using Values = std::vector<std::vector<float>>;  // of tensors in their order, row-major

class Program {
public:
  // Throws UserError.
  Program(std::string_view container, const Options& options);

  const onnx::AtenProgram& described() const { return described_; }
  const machine::Machine& machine() const { return machine_; }
  const Costs& costs() const { return costs_; }
  // Why the samples of the batch are not spread over the nodes; empty if they are.
  const std::string& not_spread() const { return spread_.refusal; }
  // What the compiler made of it, as JSON. Throws UserError where no compiler was at work.
  const std::string& explanation() const;
  // Where the host's tensor holds samples that are spread; nothing if it holds none.
  std::optional<graph::SamplePlace> samples_of(const onnx::AtenValue& input) const;
  std::optional<graph::SamplePlace> samples_of(const onnx::AtenOutput& output) const;

  // Values for all states, or of all of them.
  void write_states(const Values& values);
  Values read_states();
  // Outputs from inputs.
  std::variant<Values, Unfinished> run(const Values& inputs);
  void interrupt() { interrupted_ = true; }

private:
  void compile(const Options& options);
  void spread();
  Values interpret(const Values& inputs);
  std::optional<graph::SamplePlace> place_of(const std::string& name) const;
  std::vector<float> received(const onnx::AtenValue& input, const std::vector<float>& values) const;
  std::vector<float> given(const onnx::AtenOutput& output, const lowering::Tensors& results) const;

  machine::Machine machine_;
  onnx::AtenProgram described_;
  std::vector<std::string> results_;  // names of graph.outputs
  graph::SpreadBatch spread_;         // how the samples lie; nothing if every node computes all alike
  std::optional<runtime::ResidentNetwork> resident_;
  std::optional<graph::Interpreter> interpreter_;  // one of the two
  std::string explanation_;
  std::atomic<bool> interrupted_ = false;
  Costs costs_;
};

}  // namespace dojo::api
