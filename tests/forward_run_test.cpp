// Does the emulated machine give what the interpreter does where numbers are no numbers: NaN through relu,
// maxima and bounds, in every format that has one?
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/interpreter.h"
#include "lowering/formats.h"
#include "runtime/forward_run.h"

namespace dojo::training {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

// Two samples of 128 elements, so that bf16 is stored as bf16: -NaN, NaN, infinities and zeros among numbers.
std::vector<float> strange_samples() {
  std::vector<float> values;
  for (int k = 0; k < 256; ++k) values.push_back(static_cast<float>(k % 17 - 8) / 4);
  values[1] = unknown, values[10] = -unknown, values[20] = infinity, values[30] = -infinity;
  values[40] = 0, values[50] = -0.0f, values[200] = unknown;
  return values;
}

using graph::Builder;
using graph::TensorId;

struct NanCase {
  const char* name;
  TensorId (*make)(Builder&, TensorId x);
};

// clang-format off
const NanCase cases[] = {
    {"relu of what is read",    [](Builder& b, TensorId x) { return b.relu(x); }},
    {"relu of a sum",           [](Builder& b, TensorId x) { return b.relu(b.add(x, b.parameter("p", {128}, std::vector<float>(128, 0.25f)))); }},
    {"relu of a negation",      [](Builder& b, TensorId x) { return b.relu(b.unary(graph::Scalar::negate, b.scale(x, 2))); }},
    {"relu of a tanh",          [](Builder& b, TensorId x) { return b.relu(b.tanh(b.unary(graph::Scalar::negate, x))); }},
    {"clip",                    [](Builder& b, TensorId x) { return b.clip(x, -1, 1.5f); }},
    {"maximum of two",          [](Builder& b, TensorId x) { return b.binary(graph::Scalar::maximum, x, b.parameter("p", {128}, std::vector<float>(128, 0.25f))); }},
    {"minimum of two",          [](Builder& b, TensorId x) { return b.binary(graph::Scalar::minimum, b.parameter("p", {128}, std::vector<float>(128, 0.25f)), x); }},
    {"largest",                 [](Builder& b, TensorId x) { return b.maximum(b.reshape(x, {2, 16, 8}), {2}, true); }},
    {"smallest",                [](Builder& b, TensorId x) { return b.minimum(b.reshape(x, {2, 16, 8}), {1}, true); }},
    {"largest in a window",     [](Builder& b, TensorId x) { return b.max_pool(b.reshape(x, {2, 1, 8, 16}), {.kernel = {3, 3}, .strides = {2, 2}, .dilations = {}, .pads_begin = {1, 1}, .pads_end = {1, 1}}); }},
};
// clang-format on

TEST(ForwardRun, NaNStaysOneOnTheNodes) {
  const machine::Machine machine = machine::read_machine("test6");
  for (const NanCase& one : cases)
    for (const auto formats : {lowering::FormatChoice::fp32, lowering::FormatChoice::bf16}) {
      graph::Graph graph;
      Builder build(graph);
      graph.outputs = {one.make(build.name("tested"), build.input("x", {2, 128}))};
      graph::fuse(graph);
      const graph::Graph formatted = lowering::assign_formats(graph, formats);
      graph::Interpreter interpreter(formatted);
      interpreter.set(formatted.find("x"), strange_samples());
      interpreter.run();
      const std::vector<float>& wanted = interpreter.value(formatted.outputs[0]);
      const runtime::ForwardRun run =
          runtime::run_forward(graph, {{"x", strange_samples()}}, machine, {.formats = formats});
      ASSERT_TRUE(run.stranded.empty()) << one.name << ": " << run.stranded;
      const std::vector<float>& found = run.results.at(graph.at(graph.outputs[0]).name);
      ASSERT_EQ(found.size(), wanted.size());
      EXPECT_TRUE(std::ranges::any_of(wanted, [](float value) { return std::isnan(value); })) << one.name;
      for (std::size_t k = 0; k < wanted.size(); ++k)
        EXPECT_TRUE((std::isnan(found[k]) && std::isnan(wanted[k])) || found[k] == wanted[k])
            << one.name << '[' << k << "] = " << found[k] << ", not " << wanted[k];
    }
}

// Longer than one expression of a node's program may be: it was refused once, without a word why.
TEST(ForwardRun, AChainOfTwoThousandOpsCompilesAndRuns) {
  graph::Graph graph;
  Builder build(graph);
  TensorId y = build.input("x", {2, 128});
  for (int k = 0; k < 2000; ++k) y = build.name("link").relu(y);
  graph.outputs = {y};
  graph::fuse(graph);
  const runtime::ForwardRun run =
      runtime::run_forward(graph, {{"x", strange_samples()}}, machine::read_machine("test6"),
                           {.formats = lowering::FormatChoice::fp32});
  ASSERT_TRUE(run.stranded.empty()) << run.stranded;
  const std::vector<float>&found = run.results.at(graph.at(graph.outputs[0]).name), given = strange_samples();
  ASSERT_EQ(found.size(), given.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_TRUE(std::isnan(given[k]) ? std::isnan(found[k]) : found[k] == std::max(given[k], 0.0f)) << k;
}

}  // namespace
}  // namespace dojo::training
