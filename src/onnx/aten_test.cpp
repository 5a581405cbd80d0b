// Are ATen's graphs what they say, and refused by name where they are not? What the rows compute is compared
// with PyTorch itself in tests/python.
#include "onnx/aten.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "graph/interpreter.h"
#include "onnx/aten_for_tests.h"
#include "onnx/for_tests.h"

namespace dojo::onnx {
namespace {

std::string refusal_of(const Model& model) {
  return message_of([&] { static_cast<void>(import_aten(model, "tested")); });
}

// What output k is for these inputs, by name.
std::vector<float> interpreted(const AtenProgram& program,
                               const std::map<std::string, std::vector<float>>& given, std::size_t k) {
  graph::Interpreter interpreter(program.graph);
  for (const auto& [name, values] : given) interpreter.set(program.graph.find(name), values);
  interpreter.run();
  return interpreter.value(program.graph.outputs[program.outputs[k].result]);
}

TEST(Aten, StatesAreReplacedAndNumbersAreScalars) {
  const AtenProgram program = import_aten(decaying_state(), "tested");
  ASSERT_EQ(program.states.size(), 1u);
  EXPECT_TRUE(program.states[0].replaced);
  ASSERT_EQ(program.inputs.size(), 2u);
  EXPECT_EQ(program.outputs.size(), 1u);  // what replaces a state stays in the machine
  EXPECT_EQ(program.graph.at(program.graph.find("rate")).role, graph::Role::scalar);
  const graph::TensorId state = program.graph.find("s");
  EXPECT_EQ(program.graph.at(state).role, graph::Role::state);

  graph::Interpreter interpreter(program.graph);
  interpreter.set(state, std::vector<float>{1, 2, 3, 4});
  interpreter.set(program.graph.find("rate"), std::vector<float>{0.5f});
  interpreter.set(program.graph.find("x"), std::vector<float>{1, 0, 2, 1});
  interpreter.run();
  EXPECT_EQ(interpreter.value(program.graph.outputs[0]), std::vector<float>({11}));
  EXPECT_EQ(interpreter.value(program.graph.update.at(state)), std::vector<float>({0.5f, 2, 0, 2}));
}

TEST(Aten, AStateOfNoDimensionsIsOneOfOneElement) {
  Model model =
      aten_model({aten_value("t", {})}, {aten_node("add.Tensor", {"t"}, {"next"}, {number("other", 1)})},
                 {aten_value("next", {})});
  model.metadata["opendojo.state.t"] = "next";
  const AtenProgram program = import_aten(model, "tested");
  EXPECT_EQ(program.graph.at(program.graph.find("t")).shape, graph::Shape{1});
  EXPECT_TRUE(program.states[0].value.shape.empty());
}

TEST(Aten, AnUnknownOperatorIsRefusedByNameModuleAndLine) {
  Model model = aten_model({aten_value("x", {2})}, {aten_node("fft_fft.default", {"x"}, {"y"})},
                           {aten_value("y", {2})});
  model.graph.nodes[0].metadata = {{"module", "layers.0"}, {"line", "model.py:12"}};
  EXPECT_EQ(
      refusal_of(model),
      "tested: node 'y' (fft_fft.default) of module layers.0, model.py:12: no row of ATen's operators has it "
      "(unsupported)");
  try {
    static_cast<void>(import_aten(model, "tested"));
    FAIL();
  } catch (const NodeError& error) {
    EXPECT_EQ(error.op(), "fft_fft.default");
    EXPECT_EQ(error.module(), "layers.0");
    EXPECT_EQ(error.line(), "model.py:12");
  }
}

TEST(Aten, WhatIsNotNeededNeedNotBeKnown) {
  const Model model =
      aten_model({aten_value("x", {2})},
                 {aten_node("fft_fft.default", {"x"}, {"z"}), aten_node("neg.default", {"x"}, {"y"})},
                 {aten_value("y", {2})});
  EXPECT_EQ(interpreted(import_aten(model, "tested"), {{"x", {1, -2}}}, 0), std::vector<float>({-1, 2}));
}

TEST(Aten, AResultOfAnotherShapeThanTheFileSaysIsRefused) {
  const Model model =
      aten_model({aten_value("x", {2, 3})}, {aten_node("sum.dim_IntList", {"x"}, {"y"}, {list("dim", {1})})},
                 {aten_value("y", {3})});
  EXPECT_EQ(refusal_of(model), "tested: node 'y' (sum.dim_IntList): gives [2] where the file says [3]");
}

TEST(Aten, WhatIsMissingIsSaid) {
  Model model =
      aten_model({aten_value("x", {2})}, {aten_node("neg.default", {"x"}, {"y"})}, {aten_value("y", {2})});
  model.graph.inputs[0].type = DataType::float64;
  EXPECT_EQ(refusal_of(model),
            "tested: 'x' holds float64; float32, bfloat16, whole numbers of up to 64 bits and truth values "
            "are carried "
            "(not yet "
            "implemented)");
  model.graph.inputs[0] = aten_value("x", {2});
  model.graph.inputs[0].shape->at(0).extent.reset();
  EXPECT_EQ(refusal_of(model), "tested: 'x': dimension '' is not fixed (unsupported)");
  model.graph.inputs[0] = aten_value("x", {2});
  model.metadata["opendojo.state.w"] = "";
  EXPECT_EQ(refusal_of(model), "tested: metadata speaks of 'w', which is no input");
  model.metadata = {{"opendojo.state.x", "z"}};
  EXPECT_EQ(refusal_of(model), "tested: nothing makes the output 'z'");
}

TEST(Aten, AttributesThatARowDoesNotKnowAreRefused) {
  const Model model =
      aten_model({aten_value("x", {2})}, {aten_node("neg.default", {"x"}, {"y"}, {number("slope", 1)})},
                 {aten_value("y", {2})});
  EXPECT_EQ(refusal_of(model), "tested: node 'y' (neg.default): attribute 'slope' (unsupported)");
}

TEST(Aten, TheFirstOfEqualElementsIsAMaxPoolsIndexAndTakesTheGradient) {
  const std::vector<Attribute> window = {list("kernel_size", {2, 2}), list("stride", {2, 2})};
  Model model =
      aten_model({aten_value("x", {1, 1, 2, 4}), aten_value("g", {1, 1, 1, 2})},
                 {aten_node("max_pool2d_with_indices.default", {"x"}, {"y", "at"}, window),
                  aten_node("max_pool2d_with_indices_backward.default", {"g", "x", "at"}, {"dx"}, window)},
                 {aten_value("y", {1, 1, 1, 2}), aten_value("at", {1, 1, 1, 2}, DataType::int64),
                  aten_value("dx", {1, 1, 2, 4})});
  const AtenProgram program = import_aten(model, "tested");
  const std::map<std::string, std::vector<float>> given = {{"x", {3, 3, 0, 1, 1, 3, 2, 2}}, {"g", {5, 7}}};
  EXPECT_EQ(interpreted(program, given, 0), std::vector<float>({3, 2}));
  EXPECT_EQ(interpreted(program, given, 1), std::vector<float>({0, 6}));
  EXPECT_EQ(interpreted(program, given, 2), std::vector<float>({5, 0, 0, 0, 0, 0, 7, 0}));
}

// 2^25 elements, of which an image has four: the places lie in the image.
TEST(Aten, AMaxPoolsIndexIsAPlaceInItsImage) {
  const std::vector<Attribute> window = {list("kernel_size", {2, 2}), list("stride", {2, 2})};
  const std::int64_t many = 1 << 23;
  const Model model =
      aten_model({aten_value("x", {many, 1, 2, 2})},
                 {aten_node("max_pool2d_with_indices.default", {"x"}, {"y", "at"}, window)},
                 {aten_value("y", {many, 1, 1, 1}), aten_value("at", {many, 1, 1, 1}, DataType::int64)});
  EXPECT_EQ(refusal_of(model), "no error");
}

std::string refusal_of_whole(const Node& node, DataType to = DataType::int64) {
  return refusal_of(
      aten_model({aten_value("i", {4}, DataType::int64), aten_value("b", {4}, DataType::boolean)}, {node},
                 {aten_value("o", {4}, to)}));
}

TEST(Aten, WholeNumbersThatMayBecomeTooLargeAreRefused) {
  const std::string none = "no error";
  EXPECT_EQ(refusal_of_whole(aten_node("add.Tensor", {"i", "i"}, {"o"})), none);
  EXPECT_EQ(refusal_of_whole(aten_node("add.Tensor", {"i"}, {"o"}, {number("other", 5)})), none);
  EXPECT_EQ(refusal_of_whole(aten_node("mul.Tensor", {"i", "b"}, {"o"})), none);
  EXPECT_EQ(refusal_of_whole(aten_node("mul.Tensor", {"i"}, {"o"}, {number("other", 3)})),
            "tested: node 'o' (mul.Tensor): int64 from -25165824 to 25165824, which FP32 does not hold "
            "exactly (not yet "
            "implemented)");
  EXPECT_EQ(refusal_of_whole(aten_node("clamp.default", {"i"}, {"o"}, {number("max", 9)})), none);
  EXPECT_EQ(refusal_of_whole(aten_node("where.self", {"b", "i"}, {"o"}, {number("other", -1)})), none);
  EXPECT_EQ(
      refusal_of_whole(aten_node("mul.Tensor", {"i", "i"}, {"o"})),
      "tested: node 'o' (mul.Tensor): int64 from -70368744177664 to 70368744177664, which FP32 does not hold "
      "exactly (not yet implemented)");
  EXPECT_EQ(refusal_of_whole(aten_node("reciprocal.default", {"i"}, {"o"}), DataType::uint8),
            "tested: node 'o' (reciprocal.default): uint8 from -8388608 to 8388608, which FP32 does not hold "
            "exactly "
            "(not yet implemented)");
}

TEST(Aten, FloatsAreCutToSmallIntegersAndWrappedAround) {
  Attribute to;
  to.name = "dtype";
  to.type = AttributeType::string;
  to.string = "int8";
  const AtenProgram program =
      import_aten(aten_model({aten_value("x", {4})}, {aten_node("_to_copy.default", {"x"}, {"y"}, {to})},
                             {aten_value("y", {4}, DataType::int8)}),
                  "tested");
  EXPECT_EQ(interpreted(program, {{"x", {-1.7f, 127.9f, 128, -300}}}, 0),
            std::vector<float>({-1, 127, -128, -44}));
}

TEST(Aten, NoOperatorHasTwoRows) {
  const std::vector<std::string_view> names = aten_operators();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
  EXPECT_TRUE(std::ranges::binary_search(names, "convolution_backward.default"));
}

}  // namespace
}  // namespace dojo::onnx
