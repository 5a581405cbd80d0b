// ONNX's own node tests (Debian's libonnx-testdata): does each operator give the outputs that the standard's
// authors computed?
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "base/error.h"
#include "graph/interpreter.h"
#include "onnx/case.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

namespace fs = std::filesystem;
const fs::path data_folder = "/usr/share/libonnx-testdata/data/node";

// Whose expected numbers were written with four digits.
const std::set<std::string> rounds_apart = {"test_gridsample_bicubic", "test_roialign_aligned_false",
                                            "test_roialign_aligned_true"};

struct Verdict {
  enum { passed, refused, wrong } kind = passed;
  std::string why;
};

Verdict run(const fs::path& folder, Feed feed) try {
  constexpr Tolerance tighter{2e-5f, 2e-6f};
  const Case tested = read_case(folder);
  const Network network = import_case(tested, feed);
  graph::Interpreter interpreter(network.graph);
  for (const NetworkInput& input : network.inputs)
    interpreter.set(input.tensor, to_floats(tested.inputs[0], input.name));
  interpreter.run();
  for (std::size_t i = 0; i < tested.outputs.size(); ++i) {
    const graph::TensorId tensor = network.outputs[i].tensor;
    Tolerance allowed = rounds_apart.contains(tested.name) ? Tolerance{} : tighter;
    allowed.relative += tested.tolerance(i).relative - Tolerance{}.relative;
    const auto wrong = difference(interpreter.value(tensor), network.graph.at(tensor).shape,
                                  tested.outputs[i], network.outputs[i].name, allowed);
    if (wrong) return {Verdict::wrong, *wrong};
  }
  return {};
} catch (const UserError& error) {
  return {Verdict::refused, error.what()};
}

// Operators of which every test below must pass, but those that are excused.
const std::set<std::string> must_pass = {
    // clang-format off
    "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh", "AveragePool", "BatchNormalization", "BitShift", "Ceil",
    "Celu", "Clip", "Compress", "Concat", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumSum", "DFT", "DepthToSpace", "DequantizeLinear", "Div",
    "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND",
    "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GridSample", "HardSigmoid", "HardSwish", "Hardmax", "If",
    "InstanceNormalization", "IsInf", "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "Loop", "MatMul",
    "MatMulInteger", "Max", "MaxPool", "MaxUnpool", "Mean", "MeanVarianceNormalization", "Min", "Mod", "Mul", "Neg", "NegativeLogLikelihoodLoss", "Not",
    "OneHot", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "RNN", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "ReverseSequence",
    "RoiAlign", "Round", "STFT", "Scatter", "ScatterElements", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Slice", "Softmax",
    "SoftmaxCrossEntropyLoss", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Tile",
    "TopK", "Transpose", "Unsqueeze", "Upsample", "Where", "Xor",
    // clang-format on
};

const std::set<std::string> excused = {
    // clang-format off
    "test_split_zero_size_splits", "test_reshape_allowzero_reordered",           // tensors without elements
    "test_slice_start_out_of_bounds",
    "test_if_opt", "test_if_seq", "test_loop13_seq", "test_loop16_seq_none",      // sequences and optional values
    // clang-format on
};

TEST(OnnxBackend, EveryOperatorGivesTheStandardsOutputs) {
  ASSERT_TRUE(fs::exists(data_folder)) << "install libonnx-testdata";
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(data_folder)) folders.insert(entry.path());
  std::size_t passed = 0, passed_batched = 0, refused = 0, other = 0;
  std::map<std::string, std::pair<int, int>> by_op;  // passed, refused
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename();
    const Model model = read_model(folder / "model.onnx");
    const bool ours = std::ranges::all_of(model.graph.nodes, [](const Node& node) {
      return node.domain.empty() && find_row(node.op) != nullptr;
    });
    if (!ours) {
      ++other;
      continue;
    }
    const std::string op = model.graph.nodes.size() == 1 ? model.graph.nodes[0].op : "several";
    const Verdict whole = run(folder, Feed::initialisers), batched = run(folder, Feed::batch);
    EXPECT_NE(whole.kind, Verdict::wrong) << name << ": " << whole.why;
    EXPECT_NE(batched.kind, Verdict::wrong) << name << " (batch): " << batched.why;
    const bool pass = whole.kind == Verdict::passed || batched.kind == Verdict::passed;
    passed += pass;
    passed_batched += batched.kind == Verdict::passed;
    refused += !pass;
    (pass ? by_op[op].first : by_op[op].second) += 1;
    if (!pass) std::cout << "refused: " << whole.why << '\n';
    if (!pass && must_pass.contains(op) && !excused.contains(name))
      ADD_FAILURE() << name << ": " << whole.why;
  }
  for (const std::string& op : must_pass) EXPECT_GT(by_op[op].first, 0) << op;
  std::cout << fmt::format(
      "ONNX node tests: {} passed ({} also with a batch), {} refused, {} of operators we do not list\n",
      passed, passed_batched, refused, other);
  EXPECT_GE(passed, 825u);
}

// Small networks and operators that PyTorch exported, with their weights as initialisers.
TEST(OnnxBackend, WhatPyTorchExportedGivesPyTorchsOutputs) {
  std::size_t passed = 0, refused = 0;
  for (const char* kind : {"pytorch-converted", "pytorch-operator"}) {
    std::set<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(data_folder.parent_path() / kind))
      folders.insert(entry.path());
    for (const fs::path& folder : folders) {
      const Verdict verdict = run(folder, Feed::batch);
      EXPECT_NE(verdict.kind, Verdict::wrong) << folder.filename() << ": " << verdict.why;
      passed += verdict.kind == Verdict::passed;
      refused += verdict.kind == Verdict::refused;
      if (verdict.kind == Verdict::refused) std::cout << "refused: " << verdict.why << '\n';
    }
  }
  std::cout << fmt::format("PyTorch's exports: {} passed, {} refused\n", passed, refused);
  EXPECT_GE(passed, 103u);
}

}  // namespace
}  // namespace dojo::onnx
