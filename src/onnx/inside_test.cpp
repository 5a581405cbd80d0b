// Graphs inside nodes: is the branch that a known condition names built, and the body once for every turn?
#include <gtest/gtest.h>

#include "base/error.h"
#include "onnx/for_tests.h"
#include "onnx/one_node_for_tests.h"

namespace dojo::onnx {
namespace {

// Inputs and outputs by name; the nodes between them.
GraphFile graph_of(const std::vector<std::string>& inputs, std::vector<Node> nodes,
                   const std::vector<std::string>& outputs) {
  GraphFile graph;
  graph.nodes = std::move(nodes);
  for (const std::string& name : inputs) graph.inputs.push_back(value(name, {}));
  for (const std::string& name : outputs) graph.outputs.push_back(value(name, {}));
  return graph;
}

TEST(Inside, TheBranchOfAKnownConditionIsBuiltAndReadsWhatIsAroundIt) {
  for (const bool yes : {true, false}) {
    OneNode one{node("If", "choice", {"c"}, {"y"}),
                {{"c", {}, {yes ? 1.0f : 0.0f}, DataType::boolean}, {"x", {3}, {1, -2, 3}}}};
    one.node.attributes = {
        inside("then_branch", graph_of({}, {node("Neg", "n", {"x"}, {"less"})}, {"less"})),
        inside("else_branch", graph_of({}, {node("Abs", "a", {"x"}, {"more"})}, {"more"}))};
    EXPECT_EQ(one.results().at(0), yes ? std::vector<float>({-1, 2, -3}) : std::vector<float>({1, 2, 3}));
  }
}

// sum' = sum + x[t], and every sum times two.
GraphFile running_sum() {
  return graph_of({"sum_in", "x_in"},
                  {node("Add", "a", {"sum_in", "x_in"}, {"sum_out"}),
                   node("Add", "d", {"sum_out", "sum_out"}, {"twice"})},
                  {"sum_out", "twice"});
}

TEST(Inside, ScanCarriesAStateAndStacksWhatTurnsLeave) {
  OneNode one{node("Scan", "scan", {"start", "x"}, {"sum", "all"}),
              {{"start", {2}, {100, 200}}, {"x", {3, 2}, {1, 2, 3, 4, 5, 6}}}};
  one.node.attributes = {inside("body", running_sum()), whole("num_scan_inputs", 1)};
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{109, 212}, {202, 404, 208, 412, 218, 424}}));
}

TEST(Inside, ScanTakesAxesAndDirections) {
  OneNode one{node("Scan", "scan", {"start", "x"}, {"sum", "all"}),
              {{"start", {2}, {100, 200}}, {"x", {2, 3}, {1, 3, 5, 2, 4, 6}}}};
  one.node.attributes = {inside("body", running_sum()),   whole("num_scan_inputs", 1),
                         wholes("scan_input_axes", {1}),  wholes("scan_input_directions", {1}),
                         wholes("scan_output_axes", {1}), wholes("scan_output_directions", {1})};
  // Columns from the last to the first, and what they leave from the last to the first again.
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{109, 212}, {218, 216, 210, 424, 420, 412}}));
}

// x' = x * x while turns are left; goes on as it was told.
GraphFile squares() {
  return graph_of(
      {"turn", "more", "x_in"},
      {node("Identity", "i", {"more"}, {"goes_on"}), node("Mul", "m", {"x_in", "x_in"}, {"x_out"}),
       node("Identity", "t", {"turn"}, {"number"})},
      {"goes_on", "x_out", "number"});
}

TEST(Inside, LoopTakesAKnownNumberOfTurnsWhichItCounts) {
  OneNode one{node("Loop", "loop", {"turns", "go", "x"}, {"y", "numbers"}),
              {{"turns", {}, {3}, DataType::int64}, {"go", {}, {1}, DataType::boolean}, {"x", {2}, {2, -3}}}};
  one.node.attributes = {inside("body", squares())};
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{256, 6561}, {0, 1, 2}}));
  one.operands[1].values = {0};
  one.node.outputs.pop_back();  // no turn leaves nothing that could be stacked
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{2, -3}}));
}

TEST(Inside, AnInitialiserOfTheBodyIsOneParameterForAllTurns) {
  OneNode one{node("Scan", "scan", {"start", "x"}, {"sum"}),
              {{"start", {2}, {0, 0}}, {"x", {3, 2}, {1, 2, 3, 4, 5, 6}}}};
  GraphFile body =
      graph_of({"sum_in", "x_in"},
               {node("Mul", "m", {"x_in", "w"}, {"scaled"}), node("Add", "a", {"sum_in", "scaled"}, {"out"})},
               {"out"});
  const std::vector<float> factors = {2, 3};
  body.initialisers = {make_tensor("w", {2}, std::span<const float>(factors))};
  one.node.attributes = {inside("body", body), whole("num_scan_inputs", 1)};
  EXPECT_EQ(one.results(), (std::vector<std::vector<float>>{{18, 36}}));
  std::size_t parameters = 0;
  for (const graph::Tensor& tensor : one.network().graph.tensors)
    parameters += tensor.role == graph::Role::parameter;
  EXPECT_EQ(parameters, 1u);
}

TEST(Inside, WhatIsComputedFromDataDecidesNothing) {
  OneNode one{node("Loop", "loop", {"", "go", "x"}, {"y"}), {{"go", {}, {1}}, {"x", {2}, {2, -3}}}};
  one.node.attributes = {inside("body", squares())};
  one.operands[0].type = DataType::float32;
  EXPECT_EQ(message_of([&] { one.network(); }),
            "m: node 'loop' (Loop): a condition that is computed from data (unsupported)");
}

TEST(Inside, AnOperatorInsideThatHasNoRowIsNamed) {
  OneNode one{node("If", "choice", {"c"}, {"y"}), {{"c", {}, {1}, DataType::boolean}, {"x", {1}, {1}}}};
  one.node.attributes = {
      inside("then_branch", graph_of({}, {node("NonMaxSuppression", "n", {"x"}, {"less"})}, {"less"})),
      inside("else_branch", graph_of({}, {node("Abs", "a", {"x"}, {"more"})}, {"more"}))};
  EXPECT_NE(message_of([&] { one.network(); }).find("op 'NonMaxSuppression' of node 'n'"), std::string::npos);
}

}  // namespace
}  // namespace dojo::onnx
