// Do ONNX's operators on the emulated machine give what the standard's formulas say, where numbers are none
// and where one number weighs a whole picture? The formulas are written down here, in double precision.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "graph/fuse.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"
#include "runtime/forward_run.h"

namespace dojo {
namespace {

using lowering::FormatChoice;
using onnx::make_tensor;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Two samples of 8 x 16 elements, so that bf16 is stored as bf16: -NaN, NaN, infinities and zeros among
// numbers that bf16 holds exactly.
std::vector<float> strange_samples() {
  std::vector<float> values;
  for (int k = 0; k < 256; ++k) values.push_back(static_cast<float>(k % 17 - 8) / 4);
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  values[1] = nan, values[10] = -nan, values[20] = HUGE_VALF, values[30] = -HUGE_VALF;
  values[40] = 0, values[50] = -0.0f, values[200] = nan;
  return values;
}

// The outputs, in their order, of two samples on the machine.
std::vector<std::vector<float>> on_machine(const onnx::Model& model, FormatChoice formats,
                                           const lowering::Tensors& samples) {
  static const machine::Machine machine = machine::read_machine("test6");
  const onnx::Network network = onnx::import_model(model, "m", {.batch = 2, .training = false});
  graph::Graph fused = network.graph;
  graph::fuse(fused);
  const runtime::ForwardRun run = runtime::run_forward(fused, samples, machine, {.formats = formats});
  EXPECT_TRUE(run.stranded.empty()) << run.stranded;
  std::vector<std::vector<float>> outputs;
  for (const graph::TensorId output : fused.outputs) outputs.push_back(run.results.at(fused.at(output).name));
  return outputs;
}

void expect_near(double found, double wanted, FormatChoice formats, const std::string& what) {
  if (std::isnan(wanted) || std::isinf(wanted)) {
    EXPECT_TRUE(std::isnan(wanted) ? std::isnan(found) : found == wanted)
        << what << " is " << found << ", not " << wanted;
    return;
  }
  const double relative = formats == FormatChoice::fp32 ? 1e-5 : 1.0 / 128;
  EXPECT_NEAR(found, wanted, relative * std::max(0.25, std::abs(wanted))) << what;
}

struct Pointwise {
  const char* op;
  bool with_zero;  // a second operand, 0
  double (*meaning)(double x);
};

double at_least_zero(double x) { return std::isnan(x) ? x : std::max(0.0, x); }
double at_most_zero(double x) { return std::isnan(x) ? x : std::min(0.0, x); }

// The standard's text, operator set 20. Comparisons with NaN are false (IEEE 754).
// clang-format off
const Pointwise pointwise[] = {
    {"Elu",            false, [](double x) { return x > 0 ? x : std::exp(x) - 1; }},
    {"Selu",           false, [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1)); }},
    {"Celu",           false, [](double x) { return at_least_zero(x) + at_most_zero(std::exp(x) - 1); }},
    {"HardSigmoid",    false, [](double x) { return std::isnan(x) ? x : std::max(0.0, std::min(1.0, 0.2 * x + 0.5)); }},
    {"Sign",           false, [](double x) { return std::isnan(x) ? x : x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; }},
    {"GreaterOrEqual", true,  [](double x) { return x >= 0 ? 1.0 : 0.0; }},
    {"LessOrEqual",    true,  [](double x) { return x <= 0 ? 1.0 : 0.0; }},
    {"Greater",        true,  [](double x) { return x > 0 ? 1.0 : 0.0; }},
    {"Less",           true,  [](double x) { return x < 0 ? 1.0 : 0.0; }},
    {"Equal",          true,  [](double x) { return x == 0 ? 1.0 : 0.0; }},
};
// clang-format on

onnx::Node cast_to_float(const std::string& from, const std::string& to) {
  onnx::Node made = onnx::node("Cast", to, {from}, {to});
  onnx::Attribute type;
  type.name = "to", type.type = onnx::AttributeType::integer;
  type.integer = static_cast<std::int64_t>(onnx::DataType::float32);
  made.attributes = {type};
  return made;
}

// A network with all operators side by side.
onnx::Model model_of_pointwise() {
  onnx::Model model = onnx::model_of({8, 16}, {});
  const onnx::ValueInfo like = model.graph.outputs[0];
  model.graph.outputs.clear();
  model.graph.initialisers = {make_tensor("zero", {}, std::vector<float>{0})};
  for (const Pointwise& one : pointwise) {
    const std::string op = one.op, result = op + ".y", made = one.with_zero ? op + ".truth" : result;
    std::vector<std::string> operands = {"x"};
    if (one.with_zero) operands.emplace_back("zero");
    model.graph.nodes.push_back(onnx::node(op, op, operands, {made}));
    if (one.with_zero) model.graph.nodes.push_back(cast_to_float(made, result));
    model.graph.outputs.push_back(like);
    model.graph.outputs.back().name = result;
  }
  return model;
}

TEST(OnMachine, PointwiseOperatorsGiveTheirFormulasAndNaNForNaN) {
  const onnx::Model model = model_of_pointwise();
  const std::vector<float> x = strange_samples();
  for (const FormatChoice formats : {FormatChoice::fp32, FormatChoice::bf16}) {
    const auto found = on_machine(model, formats, {{"x", x}});
    ASSERT_EQ(found.size(), std::size(pointwise));
    for (std::size_t op = 0; op < found.size(); ++op)
      for (std::size_t k = 0; k < x.size(); ++k)
        expect_near(found[op].at(k), pointwise[op].meaning(static_cast<double>(x[k])), formats,
                    fmt::format("{}({})", pointwise[op].op, x[k]));
  }
}

// Along either axis of 8 x 16.
TEST(OnMachine, LargestAndSmallestOfWhatHoldsANaNAreNaN) {
  onnx::Model model = onnx::model_of({8, 16}, {});
  const onnx::ValueInfo like = model.graph.outputs[0];
  model.graph.outputs.clear();
  for (const std::int64_t axis : {1, 2})
    model.graph.initialisers.push_back(
        make_tensor(fmt::format("axis{}", axis), {1}, std::vector<std::int64_t>{axis}));
  for (const std::string op : {"ReduceMax", "ReduceMin"})
    for (const int axis : {1, 2}) {
      const std::string result = fmt::format("{}{}", op, axis);
      model.graph.nodes.push_back(onnx::node(op, result, {"x", fmt::format("axis{}", axis)}, {result}));
      model.graph.outputs.push_back(like);
      model.graph.outputs.back().name = result;
    }
  const std::vector<float> x = strange_samples();
  for (const FormatChoice formats : {FormatChoice::fp32, FormatChoice::bf16}) {
    const auto found = on_machine(model, formats, {{"x", x}});
    ASSERT_EQ(found.size(), 4u);
    std::size_t numbers = 0, others = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool largest = k < 2, over_rows = k % 2 == 0;
      const std::size_t count = over_rows ? 8 : 16, results = 256 / count;
      for (std::size_t i = 0; i < results; ++i) {
        const std::size_t from = over_rows ? i / 16 * 128 + i % 16 : i * 16, step = over_rows ? 16 : 1;
        double wanted = largest ? -infinity : infinity;
        for (std::size_t j = 0; j < count; ++j) {
          const double value = static_cast<double>(x[from + j * step]);
          if (std::isnan(value) || std::isnan(wanted))
            wanted = unknown;
          else
            wanted = largest ? std::max(wanted, value) : std::min(wanted, value);
        }
        ++(std::isnan(wanted) ? others : numbers);
        expect_near(found[k].at(i), wanted, formats,
                    fmt::format("{}, result {}", model.graph.outputs[k].name, i));
      }
    }
    EXPECT_GT(others, 5u);
    EXPECT_GT(numbers, 50u);
  }
}

// BiFPN's fast normalized fusion (Tan, Pang and Le, "EfficientDet", 2020, section 3.2): two features, each
// weighed by one number of a vector that is trained: relu(w[i]) / (sum of relu(w) + 0.0001).
TEST(OnMachine, OneNumberOfAVectorWeighsAWholePicture) {
  constexpr float w[] = {0.75f, 0.5f};
  onnx::Model model = onnx::model_of({8, 16}, {});
  model.graph.nodes = {onnx::node("Relu", "r", {"w"}, {"r"}),
                       onnx::node("ReduceSum", "sum", {"r", "axes"}, {"sum"}),
                       onnx::node("Add", "whole", {"sum", "little"}, {"whole"}),
                       onnx::node("Div", "shares", {"r", "whole"}, {"shares"}),
                       onnx::node("Neg", "feature0", {"x"}, {"feature0"}),
                       onnx::node("Tanh", "feature1", {"x"}, {"feature1"})};
  model.graph.initialisers = {make_tensor("w", {2}, std::span<const float>(w)),
                              make_tensor("axes", {1}, std::vector<std::int64_t>{0}),
                              make_tensor("little", {}, std::vector<float>{1e-4f})};
  for (const std::int64_t i : {0, 1, 2})
    model.graph.initialisers.push_back(
        make_tensor(fmt::format("at{}", i), {1}, std::vector<std::int64_t>{i}));
  for (const int i : {0, 1}) {
    const std::string n = std::to_string(i), cut = "cut" + n, scalar = "scalar" + n;
    model.graph.nodes.push_back(
        onnx::node("Slice", cut, {"shares", "at" + n, fmt::format("at{}", i + 1)}, {cut}));
    model.graph.nodes.push_back(onnx::node("Squeeze", scalar, {cut, "axes"}, {scalar}));
    model.graph.nodes.push_back(onnx::node("Mul", "weighed" + n, {scalar, "feature" + n}, {"weighed" + n}));
  }
  model.graph.nodes.push_back(onnx::node("Add", "y", {"weighed0", "weighed1"}, {"y"}));
  std::vector<float> x;
  for (int k = 0; k < 256; ++k) x.push_back(static_cast<float>(k % 23 - 11) / 4);
  const double whole = static_cast<double>(w[0]) + static_cast<double>(w[1]) + 1e-4;
  for (const FormatChoice formats : {FormatChoice::fp32, FormatChoice::bf16}) {
    const auto found = on_machine(model, formats, {{"x", x}});
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double value = static_cast<double>(x[k]);
      expect_near(
          found.at(0).at(k),
          -value * static_cast<double>(w[0]) / whole + std::tanh(value) * static_cast<double>(w[1]) / whole,
          formats, fmt::format("y({})", x[k]));
    }
  }
}

}  // namespace
}  // namespace dojo
