// Does the importer say truly what is too large, of an unknown kind or endless in a file?
#include <gtest/gtest.h>

#include <limits>

#include "onnx/for_tests.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

std::string refusal(const Model& model) {
  return message_of([&] { import_model(model, "m", {}); });
}

Tensor integers(const char* name, std::vector<std::int64_t> values) {
  return make_tensor(name, {static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}

TEST(OnnxLimits, NamesThePadThatIsTooLarge) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  for (const auto& [pads, wrong] : std::vector<std::pair<std::vector<std::int64_t>, std::string>>{
           {{0, 0, 0, std::int64_t{1} << 31}, "2147483648"},
           {{0, -2000000, 0, 0}, "-2000000"},
           {{0, least, 0, 0}, "-9223372036854775808"}}) {
    Model model = model_of({4}, {node("Pad", "edge", {"x", "pads"}, {"y"})});
    model.graph.initialisers = {integers("pads", pads)};
    EXPECT_EQ(refusal(model), "m: node 'edge' (Pad): a pad of " + wrong + ", beyond 1048576 (unsupported)");
  }
}

TEST(OnnxLimits, TellsADimensionOfNoSizeFromOneThatIsNotFixed) {
  Model model = model_of({4}, {node("Relu", "r", {"x"}, {"y"})});
  Dimension& dimension = model.graph.inputs[0].shape->at(1);
  for (const std::int64_t extent : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31}) {
    dimension = {extent, ""};
    EXPECT_EQ(
        refusal(model),
        fmt::format("m: input 'x': dimension 1 is {}; it must be from 1 to 16777216 (unsupported)", extent));
  }
  dimension = {{}, "width"};
  EXPECT_EQ(refusal(model),
            "m: input 'x': dimension 1 ('width') is not fixed; only the batch may vary (unsupported)");
}

TEST(OnnxLimits, NamesTheTypeOfWeightsThatAreNotRead) {
  for (const auto& [type, name] : std::vector<std::pair<int, std::string>>{
           {8, "string"}, {15, "complex128"}, {24, "float8e8m0"}, {99, "type 99"}}) {
    Model model = model_of({4}, {node("Add", "a", {"x", "w"}, {"y"})});
    model.graph.initialisers.resize(1);
    model.graph.initialisers[0].name = "w";
    model.graph.initialisers[0].type = static_cast<DataType>(type);
    model.graph.initialisers[0].dims = {0};
    EXPECT_EQ(refusal(model), "m: tensor 'w' holds " + name +
                                  "; floating-point numbers of 4 to 64 bits and whole numbers of 2 to 64 are "
                                  "read (unsupported)");
  }
}

TEST(OnnxLimits, SaysWhichRangeNeverEndsAndWhichIsTooLong) {
  const auto range_of = [](std::int64_t start, std::int64_t limit, std::int64_t step) {
    Model model = model_of({4}, {node("Range", "count", {"start", "limit", "step"}, {"y"})});
    for (const auto& [name, value] :
         {std::pair{"start", start}, std::pair{"limit", limit}, std::pair{"step", step}}) {
      Tensor scalar = integers(name, {value});
      scalar.dims = {};
      model.graph.initialisers.push_back(scalar);
    }
    return refusal(model);
  };
  EXPECT_EQ(range_of(0, 4, 0), "m: node 'count' (Range): a step (delta) of 0, which never ends");
  EXPECT_EQ(range_of(0, 1 << 30, 1),
            "m: node 'count' (Range): a start, limit or step (delta) beyond 1048576 (unsupported)");
}

}  // namespace
}  // namespace dojo::onnx
