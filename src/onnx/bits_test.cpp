// Do operators on bits give what C++ gives for every byte, the corners of 16 bits, and every count of places?
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>

#include "graph/interpreter.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"
#include "onnx/one_node_for_tests.h"

namespace dojo::onnx {
namespace {

// Of every pair of values; `held` bounds what 32 and 64 bits bring.
std::vector<float> results_of_pairs(const char* op, DataType type, const std::vector<float>& a,
                                    const std::vector<float>& b, std::vector<Attribute> attributes,
                                    std::optional<Bounds> held) {
  Model model;
  model.opsets[""] = 28;
  Node one = node(op, "it", {"a", "b"}, {"y"});
  one.attributes = std::move(attributes);
  model.graph.nodes = {one};
  const Dimension count{static_cast<std::int64_t>(a.size()), ""};
  for (const char* name : {"a", "b"}) model.graph.inputs.push_back(value(name, {count}));
  model.graph.outputs = {value("y", {count})};
  for (ValueInfo& info : model.graph.inputs) info.type = type;
  ImportOptions options{.batch = static_cast<std::int64_t>(a.size()), .training = false};
  if (held) options.bounds = {{"a", *held}, {"b", *held}};
  const Network network = import_model(model, "m", options);
  graph::Interpreter interpreter(network.graph);
  interpreter.set(network.inputs[0].tensor, a);
  interpreter.set(network.inputs[1].tensor, b);
  interpreter.run();
  return interpreter.value(network.outputs[0].tensor);
}

template <typename Integer>
void expect_bits(DataType type, const std::vector<int>& values, std::optional<Bounds> held = std::nullopt) {
  std::vector<float> a, b;
  for (const int x : values)
    for (const int y : values) a.push_back(static_cast<float>(x)), b.push_back(static_cast<float>(y));
  const auto expect = [&](const char* op, auto exact) {
    const std::vector<float> got = results_of_pairs(op, type, a, b, {}, held);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto x = static_cast<Integer>(a[i]), y = static_cast<Integer>(b[i]);
      ASSERT_EQ(got[i], static_cast<float>(static_cast<Integer>(exact(x, y))))
          << op << " of " << a[i] << ", " << b[i];
    }
  };
  expect("BitwiseAnd", [](Integer x, Integer y) { return x & y; });
  expect("BitwiseOr", [](Integer x, Integer y) { return x | y; });
  expect("BitwiseXor", [](Integer x, Integer y) { return x ^ y; });
}

std::vector<int> all_from(int least, int most) {
  std::vector<int> values;
  for (int value = least; value <= most; ++value) values.push_back(value);
  return values;
}

std::vector<int> corners(int least, int most) {
  std::set<int> values;
  for (int bit = 0; bit < 24; ++bit)
    for (const int near : {-1, 0, 1})
      for (const int sign : {-1, 1})
        if (const int corner = sign * (1 << bit) + near; corner >= least && corner <= most)
          values.insert(corner);
  values.insert({least, most});
  return {values.begin(), values.end()};
}

TEST(Bits, OfAllBytesAreCombinedAsInCpp) {
  expect_bits<std::int8_t>(DataType::int8, all_from(-128, 127));
  expect_bits<std::uint8_t>(DataType::uint8, all_from(0, 255));
}

TEST(Bits, OfLongerNumbersToo) {
  expect_bits<std::int16_t>(DataType::int16, corners(-32768, 32767));
  expect_bits<std::uint16_t>(DataType::uint16, corners(0, 65535));
  constexpr int most = (1 << 24) - 1;
  expect_bits<std::int32_t>(DataType::int32, corners(-most - 1, most), Bounds{-most - 1, most});
  expect_bits<std::uint64_t>(DataType::uint64, corners(0, most), Bounds{0, most});
}

template <typename Integer>
void expect_shifts(DataType type, const std::vector<int>& values) {
  const int width = 8 * sizeof(Integer);
  std::vector<float> a, b;
  for (const int x : values)
    for (int places = std::is_signed_v<Integer> ? -2 : 0; places <= width + 1; ++places)
      a.push_back(static_cast<float>(x)), b.push_back(static_cast<float>(places));
  for (const bool left : {true, false}) {
    const std::vector<float> got =
        results_of_pairs("BitShift", type, a, b, {words("direction", left ? "LEFT" : "RIGHT")}, std::nullopt);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const int x = static_cast<int>(a[i]), places = static_cast<int>(b[i]);
      const bool there = places >= 0 && places < width;
      const int exact = !there ? (left || x >= 0 ? 0 : -1)
                        : left ? static_cast<Integer>(static_cast<unsigned>(x) << places)
                               : x >> places;
      ASSERT_EQ(got[i], static_cast<float>(exact)) << x << (left ? " << " : " >> ") << places;
    }
  }
}

TEST(Bits, AreShiftedByAnyCountOfPlaces) {
  expect_shifts<std::int8_t>(DataType::int8, all_from(-128, 127));
  expect_shifts<std::uint8_t>(DataType::uint8, all_from(0, 255));
  expect_shifts<std::int16_t>(DataType::int16, corners(-32768, 32767));
  expect_shifts<std::uint16_t>(DataType::uint16, corners(0, 65535));
}

TEST(Bits, ThatFp32DoesNotHoldAreRefused) {
  const auto refusal = [](const char* op, std::vector<Attribute> attributes) {
    return message_of([&] { results_of_pairs(op, DataType::int32, {1}, {1}, attributes, std::nullopt); });
  };
  EXPECT_NE(refusal("BitShift", {words("direction", "LEFT")}).find("which FP32 does not hold exactly"),
            std::string::npos);
  EXPECT_NE(refusal("BitwiseXor", {}).find("int32 from -33554432 to 33554431"), std::string::npos);
  EXPECT_EQ(refusal("BitShift", {words("direction", "RIGHT")}), "no error");
  EXPECT_NE(refusal("BitShift", {words("direction", "UP")}).find("direction = 'UP'"), std::string::npos);
}

template <typename Integer>
void expect_complement(DataType type, const std::vector<int>& values, const Bounds& held) {
  std::vector<float> numbers(values.begin(), values.end());
  Model model;
  model.opsets[""] = 28;
  model.graph.nodes = {node("BitwiseNot", "it", {"x"}, {"y"})};
  const Dimension count{static_cast<std::int64_t>(numbers.size()), ""};
  model.graph.inputs = {value("x", {count})}, model.graph.outputs = {value("y", {count})};
  model.graph.inputs[0].type = type;
  const Network network = import_model(
      model, "m",
      {.batch = static_cast<std::int64_t>(numbers.size()), .training = false, .bounds = {{"x", held}}});
  graph::Interpreter interpreter(network.graph);
  interpreter.set(network.inputs[0].tensor, numbers);
  interpreter.run();
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(interpreter.value(network.outputs[0].tensor)[i],
              static_cast<float>(static_cast<Integer>(~static_cast<Integer>(values[i]))));
}

TEST(Bits, InvertedAreTheComplement) {
  expect_complement<std::int8_t>(DataType::int8, all_from(-128, 127), {-128, 127});
  expect_complement<std::uint8_t>(DataType::uint8, all_from(0, 255), {0, 255});
  expect_complement<std::uint16_t>(DataType::uint16, corners(0, 65535), {0, 65535});
  constexpr int most = (1 << 24) - 1;
  expect_complement<std::int64_t>(DataType::int64, corners(-most, most), {-most, most});
}

}  // namespace
}  // namespace dojo::onnx
