// Does `dojo run` give what a network says of arrays, and refuse what does not fit with one sentence?
#include <cmath>

#include "data/array.h"
#include "onnx/for_tests.h"
#include "support/command_test.h"

namespace dojo {
namespace {

// Rows of a table by number, summed over the tokens, times a scale of the second input: y = s * sum
// table[ids].
class Run : public CommandTest {
protected:
  void SetUp() override {
    onnx::Model model = onnx::model_of({3}, {onnx::node("Gather", "rows", {"table", "x"}, {"r"}),
                                             onnx::node("ReduceSum", "sum", {"r", "axes"}, {"t"}),
                                             onnx::node("Mul", "scale", {"t", "s"}, {"y"})});
    model.graph.inputs[0].type = onnx::DataType::int64;
    model.graph.inputs.push_back(onnx::value("s", {onnx::Dimension{{}, "N"}, onnx::Dimension{2, ""}}));
    model.graph.nodes[1].attributes = {integer("keepdims", 0)};
    model.graph.initialisers = {onnx::make_tensor("table", {4, 2}, table_),
                                onnx::make_tensor("axes", {1}, axes_)};
    onnx::write_model(file("net.onnx"), model);
    data::write_npz(file("in.npz"),
                    {{"x", whole({2, 3}, {0, 1, -1, 2, 2, 2})}, {"s", data::float_array({2, 2}, s_)}});
  }

  static onnx::Attribute integer(std::string name, std::int64_t value) {
    onnx::Attribute made;
    made.name = std::move(name);
    made.type = onnx::AttributeType::integer;
    made.integer = value;
    return made;
  }
  static data::Array whole(std::vector<std::int64_t> shape, const std::vector<std::int64_t>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {data::Element::int64, std::move(shape), {bytes.begin(), bytes.end()}};
  }

  void expect_refused(const std::string& arguments, const std::string& why) const {
    const Said said = dojo("run net.onnx --machine test6 " + arguments);
    EXPECT_EQ(said.exit_code, 2) << said.words;
    EXPECT_NE(said.last.find(why), std::string::npos) << said.errors;
    EXPECT_FALSE(fs::exists(file("outputs.npz"))) << arguments;
  }

  const std::vector<float> table_ = {1, 10, 2, 20, 3, 30, 4, 40}, s_ = {1, 2, 0.5f, -1};
  const std::vector<std::int64_t> axes_ = {1};
};

TEST_F(Run, GivesWhatTheNetworkSaysOfEverySample) {
  const Said said = dojo("run net.onnx --machine test6 --inputs in.npz --out y.npz");
  ASSERT_EQ(said.exit_code, 0) << said.words;
  EXPECT_NE(said.words.find("2 samples on 6 nodes: "), std::string::npos) << said.words;
  EXPECT_NE(said.words.find("y [2, 2]\nin y.npz\n"), std::string::npos) << said.words;
  const data::Arrays outputs = data::read_arrays(file("y.npz"));
  ASSERT_EQ(outputs.size(), 1u);
  // Rows 0, 1 and 3 (the last) are 7 and 70 together; three times row 2 is 9 and 90.
  EXPECT_EQ(data::floats(outputs.at("y")), (std::vector<float>{7, 140, 4.5f, -90}));
}

TEST_F(Run, RefusesWhatDoesNotFit) {
  const data::Array ids = whole({2, 3}, {0, 1, 1, 2, 2, 2}), scale = data::float_array({2, 2}, s_);
  const auto inputs = [&](const data::Arrays& arrays) {
    data::write_npz(file("other.npz"), arrays);
    return std::string("--inputs other.npz");
  };
  expect_refused(inputs({{"x", ids}}), "no array 's' for the network's input of that name; there are x");
  expect_refused(inputs({{"x", ids}, {"s", data::float_array({1, 2}, std::vector<float>{1, 2})}}),
                 "'x' holds 2 samples, where 1 are wanted");
  expect_refused(inputs({{"x", whole({2, 2}, {0, 1, 1, 2})}, {"s", scale}}),
                 "'x' has the shape [2, 2], where [2, 3] is wanted");
  expect_refused(inputs({{"x", whole({2, 3}, {0, 1, 1, 2, 2, 1 << 25})}, {"s", scale}}),
                 "no whole number from -16777216 to 16777216");
  expect_refused(
      inputs({{"x", data::float_array({2, 3}, std::vector<float>{0, 1, 1, 2, 2, 0.5f})}, {"s", scale}}),
      "'x' holds 0.5, which is no whole number");
  expect_refused("--inputs absent.npz", "absent.npz");
}

TEST_F(Run, ComputesWithNoWholeNumbersUnseen) {
  onnx::Model model = onnx::model_of({3}, {onnx::node("Add", "sum", {"x", "x"}, {"y"})});
  model.graph.inputs[0].type = onnx::DataType::int64;
  onnx::write_model(file("net.onnx"), model);
  expect_refused("--inputs in.npz",
                 "node 'sum' (Add): int64 from -33554432 to 33554432, which FP32 does not hold exactly");
}

}  // namespace
}  // namespace dojo
