// Whole numbers and truth values, carried in FP32: do they stay within their bounds, wrap around as two's
// complement does, and is what would not be exact refused?
#include "onnx/numbers.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "graph/interpreter.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

TEST(Bounds, HoldAllThatComesOfSmallRanges) {
  constexpr std::int64_t far = 4;
  const auto value_of = [](Rule rule, std::int64_t a, std::int64_t b) -> std::optional<std::int64_t> {
    switch (rule) {
        // clang-format off
      case Rule::adds:       return a + b;
      case Rule::subtracts:  return a - b;
      case Rule::multiplies: return a * b;
      case Rule::divides:    if (b == 0) return std::nullopt; return a / b;
      case Rule::divides_off: if (b == 0) return std::nullopt; return a % b;
      case Rule::negates:    return -a;
      case Rule::absolute:   return std::abs(a);
      case Rule::sign:       return (a > 0) - (a < 0);
      default:               return a;
        // clang-format on
    }
  };
  for (const Rule rule : {Rule::adds, Rule::subtracts, Rule::multiplies, Rule::divides, Rule::divides_off,
                          Rule::negates, Rule::absolute, Rule::sign, Rule::moves})
    for (std::int64_t al = -far; al <= far; ++al)
      for (std::int64_t am = al; am <= far; ++am)
        for (std::int64_t bl = -far; bl <= far; ++bl)
          for (std::int64_t bm = bl; bm <= far; ++bm) {
            const Bounds bounds = bounds_after(rule, {al, am}, {bl, bm});
            for (std::int64_t a = al; a <= am; ++a)
              for (std::int64_t b = bl; b <= bm; ++b) {
                const auto made = value_of(rule, a, b);
                ASSERT_TRUE(!made || (*made >= bounds.least && *made <= bounds.most))
                    << static_cast<int>(rule) << " of " << a << " and " << b;
                if (rule != Rule::divides_off || b == 0) continue;
                const std::int64_t of_b = (a % b + b) % b;  // with the sign of b
                ASSERT_TRUE(of_b >= bounds.least && of_b <= bounds.most) << a << " and " << b;
              }
          }
}

// One node of two inputs [n] of `type`.
Network network_of(std::string op, DataType type, std::int64_t n) {
  Model model;
  model.opsets[""] = 17;
  const auto described = [&](const char* name) {
    ValueInfo made = value(name, {Dimension{n, ""}});
    made.type = type;
    return made;
  };
  model.graph.inputs = {described("a"), described("b")};
  model.graph.outputs = {described("y")};
  model.graph.nodes = {node(std::move(op), "it", {"a", "b"}, {"y"})};
  return import_model(model, "m.onnx", {.batch = n, .training = false});
}

template <typename Integer>
void expect_wraps(const char* op, Integer (*exact)(int, int), DataType type, const std::vector<int>& values) {
  std::vector<float> a, b;
  std::vector<Integer> expected;
  for (const int x : values)
    for (const int y : values) {
      if (y == 0 && std::string_view(op) == "Div") continue;
      a.push_back(static_cast<float>(x)), b.push_back(static_cast<float>(y));
      expected.push_back(exact(x, y));
    }
  const Network network = network_of(op, type, static_cast<std::int64_t>(a.size()));
  EXPECT_EQ(network.outputs[0].type, type);
  graph::Interpreter interpreter(network.graph);
  interpreter.set(network.inputs[0].tensor, a);
  interpreter.set(network.inputs[1].tensor, b);
  interpreter.run();
  const std::vector<float>& got = interpreter.value(network.outputs[0].tensor);
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], static_cast<float>(expected[i])) << op << " of " << a[i] << " and " << b[i];
}

template <typename Integer>
void expect_all_wrap(DataType type, const std::vector<int>& values) {
  expect_wraps<Integer>("Add", [](int x, int y) { return static_cast<Integer>(x + y); }, type, values);
  expect_wraps<Integer>("Sub", [](int x, int y) { return static_cast<Integer>(x - y); }, type, values);
  expect_wraps<Integer>("Div", [](int x, int y) { return static_cast<Integer>(x / y); }, type, values);
  expect_wraps<Integer>(
      "Max", [](int x, int y) { return static_cast<Integer>(std::max(x, y)); }, type, values);
}

TEST(WholeNumbers, OfEightBitsWrapAroundAsTwosComplementDoes) {
  std::vector<int> values(256);
  for (int i = 0; i < 256; ++i) values[static_cast<std::size_t>(i)] = i - 128;
  expect_all_wrap<std::int8_t>(DataType::int8, values);
  expect_wraps<std::int8_t>(
      "Mul", [](int x, int y) { return static_cast<std::int8_t>(x * y); }, DataType::int8, values);
  for (int& value : values) value += 128;
  expect_all_wrap<std::uint8_t>(DataType::uint8, values);
  expect_wraps<std::uint8_t>(
      "Mul", [](int x, int y) { return static_cast<std::uint8_t>(x * y); }, DataType::uint8, values);
}

TEST(WholeNumbers, OfSixteenBitsDoSoToo) {
  std::set<int> corners;
  for (int bit = 0; bit < 16; ++bit)
    for (const int near : {-1, 0, 1})
      for (const int sign : {-1, 1}) corners.insert(std::clamp(sign * (1 << bit) + near, -32768, 32767));
  expect_all_wrap<std::int16_t>(DataType::int16, {corners.begin(), corners.end()});
  std::erase_if(corners, [](int value) { return value < 0; });
  corners.insert({65535, 65534, 40000});
  expect_all_wrap<std::uint16_t>(DataType::uint16, {corners.begin(), corners.end()});
}

TEST(WholeNumbers, ThatFp32WouldRoundAreRefused) {
  const auto refusal = [](const char* op, DataType type) -> std::string {
    try {
      network_of(op, type, 2);
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("Mul", DataType::int16),
            "m.onnx: node 'it' (Mul): int16 from -1073709056 to 1073741824, which FP32 does not hold exactly "
            "(not yet "
            "implemented)");
  EXPECT_NE(refusal("Add", DataType::int64), "");
  EXPECT_NE(refusal("Sub", DataType::uint32), "") << "below zero it is a number near 2^32";
  EXPECT_EQ(refusal("Min", DataType::int64), "");
  EXPECT_NE(refusal("Pow", DataType::int32), "");
}

// x: [2] of float32, cut to int32 and then...
std::string refusal_behind_a_cast(std::vector<Node> then) {
  Model model = model_of({2}, {node("Cast", "cut", {"x"}, {"i"})});
  Attribute to;
  to.name = "to", to.type = AttributeType::integer, to.integer = static_cast<std::int64_t>(DataType::int32);
  model.graph.nodes[0].attributes = {to};
  for (Node& one : then) model.graph.nodes.push_back(std::move(one));
  return message_of([&] { import_model(model, "m", {.batch = 1, .training = false}); });
}

TEST(WholeNumbers, CutFromFloatingPointOnesOfAnySizeAreMovedAndComparedAlone) {
  EXPECT_EQ(refusal_behind_a_cast({node("Less", "l", {"i", "i"}, {"y"})}), "no error");
  EXPECT_EQ(refusal_behind_a_cast({node("Max", "m", {"i", "i"}, {"y"})}), "no error");
  for (const char* op : {"Add", "Sub", "Mul", "Div"})
    EXPECT_NE(
        refusal_behind_a_cast({node(op, "a", {"i", "i"}, {"y"})}).find("which FP32 does not hold exactly"),
        std::string::npos)
        << op;
}

TEST(WholeNumbers, StayFp32WhateverFormatsAreChosen) {
  const Network network = network_of("Less", DataType::int32, 2);
  EXPECT_EQ(network.outputs[0].type, DataType::boolean);
  for (const graph::Tensor& tensor : network.graph.tensors) EXPECT_TRUE(tensor.is_whole) << tensor.name;
}

// bfloat16 has all of them.
TEST(WholeNumbers, OfBytesMayBeNarrowWhereTheyComeIn) {
  const Network network = network_of("Max", DataType::uint8, 2);
  for (const NetworkInput& input : network.inputs) EXPECT_FALSE(network.graph.at(input.tensor).is_whole);
  EXPECT_TRUE(network.graph.at(network.outputs[0].tensor).is_whole);
}

}  // namespace
}  // namespace dojo::onnx
