#include "graph/ir.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/expression.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"

namespace dojo::graph {
namespace {

Graph small_network() {
  Graph graph;
  graph.name = "small";
  Builder b(graph);
  const TensorId x = b.input("x", {2, 1, 4, 4});
  const TensorId w = b.parameter("w", {1, 1, 3, 3}, std::vector<float>(9, 1));
  b.name("conv").convolution(x, w, std::nullopt, {{}, {}, {}, {1, 1}, {1, 1}});
  const TensorId y = b.name("act").relu(graph.find("conv"));
  graph.outputs = {y};
  return graph;
}

TEST(Ir, ReadsAsText) {
  EXPECT_EQ(to_text(small_network()),
            "graph small\n"
            "  input x *[2, 1, 4, 4] fp32\n"
            "  parameter w [1, 1, 3, 3] fp32\n"
            "  conv: (n*:2 co:1 oh:4 ow:4 ci:1 kh:3 kw:3) conv[n, co, oh, ow] += (x[n, ci, oh + kh - 1, ow + "
            "kw - 1] * w[co, ci, "
            "kh, kw])\n"
            "  act: (d0*:2 d1:1 d2:4 d3:4) act[d0, d1, d2, d3] = relu(conv[d0, d1, d2, d3])\n"
            "  output act\n");
}

// The index is told of new names by rename() alone: a name that was changed behind its back would only be
// found by looking through the whole list, for which large networks have too many lookups.
TEST(Ir, NamesAreFoundWithoutLookingThroughTheList) {
  Graph graph = small_network();
  ASSERT_NE(graph.find("x"), no_tensor);
  ASSERT_TRUE(graph.has_op("act"));
  graph.at(graph.find("x")).name = "z";
  graph.ops[1].name = "z";
  EXPECT_EQ(graph.find("z"), no_tensor);
  EXPECT_FALSE(graph.has_op("z"));
  EXPECT_EQ(graph.find("x"), no_tensor);
}

struct Break {
  const char* what;
  std::function<void(Graph&)> apply;
};

StructuredOp& op(Graph& graph, std::size_t k) { return graph.ops[k]; }

// One broken law each; the message must name it.
TEST(Ir, EveryLawIsChecked) {
  const Break breaks[] = {
      {"no tensor has the number", [](Graph& g) { op(g, 0).in[0].tensor = 77; }},
      {"indexes 'x'", [](Graph& g) { op(g, 0).in[0].map.pop_back(); }},
      {"coefficients for", [](Graph& g) { op(g, 0).in[0].map[1].coefficients.pop_back(); }},
      {"follow the batch", [](Graph& g) { op(g, 0).in[0].map[0].offset = 1; }},
      {"follow the batch", [](Graph& g) { op(g, 0).in[1].map[0].coefficients[0] = 1; }},
      {"follow the batch", [](Graph& g) { op(g, 0).box[0].is_batch = false; }},
      {"more than one batch", [](Graph& g) { op(g, 0).box[1].is_batch = true; }},
      {"has no body", [](Graph& g) { op(g, 0).body.nodes.clear(); }},
      {"reads input 9", [](Graph& g) { op(g, 0).body.nodes[0].a = 9; }},
      {"operand 0", [](Graph& g) { op(g, 0).body.nodes[2].a = 2; }},
      {"operand 1", [](Graph& g) { op(g, 0).body.nodes[2].b = -1; }},
      {"operand 2", [](Graph& g) { op(g, 0).body.nodes[2].c = 0; }},
      {"more than once", [](Graph& g) { op(g, 0).reduction = Reduction::none; }},
      {"more than once", [](Graph& g) { op(g, 1).out.map[3].coefficients[3] = 0; }},
      {"extras but no epilogue", [](Graph& g) { op(g, 0).extra = {op(g, 0).in[1]}; }},
      {"not indexed by the output",
       [](Graph& g) {
         op(g, 0).extra = {op(g, 0).in[1]};
         op(g, 0).epilogue = op(g, 1).body;
       }},
      {"before it is computed", [](Graph& g) { std::swap(g.ops[0], g.ops[1]); }},
      {"written twice",
       [](Graph& g) {
         g.ops.push_back(g.ops[1]);
         op(g, 2).name = "again";
       }},
      {"two ops", [](Graph& g) { op(g, 1).name = "conv"; }},
      {"two tensors", [](Graph& g) { g.tensors[1].name = "x"; }},
      {"not a computed value", [](Graph& g) { op(g, 1).out.tensor = g.find("x"); }},
      {"extents must be", [](Graph& g) { g.tensors[0].shape[1] = 0; }},
      {"where its shape needs", [](Graph& g) { g.tensors[1].data.pop_back(); }},
      {"differ in shape", [](Graph& g) { g.update[g.find("w")] = g.find("act"); }},
  };
  validate(small_network());
  for (const Break& one : breaks) {
    Graph graph = small_network();
    one.apply(graph);
    try {
      validate(graph);
      ADD_FAILURE() << "accepted: " << one.what;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(one.what), std::string::npos) << error.what();
    }
  }
}

Graph small_lookup() {
  Graph graph;
  graph.name = "lookup";
  Builder b(graph);
  const TensorId token = b.input("token", {2, 3});
  const TensorId table = b.parameter("table", {5, 2}, std::vector<float>(10, 1));
  const TensorId row = b.name("row").gather(table, token, 0);
  const TensorId loss = b.name("loss").sum(row);
  graph.outputs = {loss};
  return graph;
}

TEST(Ir, ComputedIndicesReadAsTextAndAreChecked) {
  Graph graph = small_lookup();
  differentiate(graph, graph.outputs[0]);
  EXPECT_EQ(to_text(graph),
            "graph lookup\n"
            "  input token *[2, 3] fp32\n"
            "  parameter table [5, 2] fp32\n"
            "  row: (n*:2 i1:3 d1:2) row[n, i1, d1] = table[token[n, i1], d1]\n"
            "  loss: (n*:2 d1:3 d2:2) loss[] += row[n, d1, d2]\n"
            "  row.grad.table: (n*:2 i1:3 d1:2) table.grad[token[n, i1], d1] += 1\n"
            "  output loss\n"
            "  gradient of table is table.grad\n");
  const Break breaks[] = {
      {"computed from input 2 of 2", [](Graph& g) { op(g, 0).in[1].map[0].from = 2; }},
      {"computed from a computed one", [](Graph& g) { op(g, 0).in[1].map[0].from = 1; }},
      {"follow the batch", [](Graph& g) { op(g, 0).out.map[0].from = 0; }},
      {"more than once", [](Graph& g) { op(g, 0).out.map[2].from = 0; }},
  };
  for (const Break& one : breaks) {
    Graph broken = small_lookup();
    one.apply(broken);
    try {
      validate(broken);
      ADD_FAILURE() << one.what;
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find(one.what), std::string::npos) << error.what();
    }
  }
}

// Numbers that are none, too far, too low or no whole ones.
TEST(Ir, WhatIsNoPlaceIsReadAsNanAndNotWritten) {
  Graph graph;
  Builder b(graph);
  const float nan = std::nanf("");
  const TensorId at = b.constant("at", {7}, {1, nan, -1, 3, 2.75f, 1e30f, -0.5f});
  const TensorId read = b.gather(b.constant("x", {3}, {10, 20, 30}), at, 0);
  const TensorId written = b.scatter_elements(b.constant("y", {7}, {1, 2, 4, 8, 16, 32, 64}), at, 0, {3});
  Interpreter interpreter(graph);
  interpreter.run();
  const std::vector<float> found = interpreter.value(read);
  for (const std::size_t outside : {1u, 2u, 3u, 5u}) EXPECT_TRUE(std::isnan(found[outside])) << outside;
  EXPECT_EQ(found[0], 20);
  EXPECT_EQ(found[4], 30);
  EXPECT_EQ(found[6], 10);
  EXPECT_EQ(interpreter.value(written), (std::vector<float>{64, 1, 16}));
}

TEST(Ir, OverlappingWindowsWriteMoreThanOnce) {
  Graph graph = small_network();
  StructuredOp scatter = op(graph, 0);
  scatter.box = {{"o", 3, false}, {"k", 2, false}};
  const auto map = [&](std::int64_t stride, std::int64_t dilation) {
    scatter.out.map = {{{stride, dilation}, 0}};
  };
  map(2, 1);
  EXPECT_TRUE(writes_each_once(scatter));
  map(1, 1);
  EXPECT_FALSE(writes_each_once(scatter));
  map(1, 3);
  EXPECT_TRUE(writes_each_once(scatter));
  map(-2, 1);
  EXPECT_TRUE(writes_each_once(scatter));
  map(1, 0);
  EXPECT_FALSE(writes_each_once(scatter));
}

TEST(Expression, RowsGiveTheBitsOfSinglePoints) {
  for (const ScalarRow& row : scalar_rows) {
    if (row.operands == 0) continue;
    Formula f;
    const std::int32_t in[] = {f.input(0), f.input(1), f.input(2)};
    const Expression e =
        f.finish(f.apply(row.op, in[0], row.operands > 1 ? in[1] : -1, row.operands > 2 ? in[2] : -1));
    std::vector<float> rows[3], out(37), scratch;
    for (int r = 0; r < 3; ++r) {
      for (int i = 0; i < 37; ++i) rows[r].push_back(static_cast<float>((i * (r + 3)) % 11) * 0.7f - 3);
    }
    const float* const pointers[] = {rows[0].data(), rows[1].data(), rows[2].data()};
    evaluate_rows(e, pointers, 37, out.data(), scratch);
    for (std::size_t i = 0; i < 37; ++i) {
      const float point[] = {rows[0][i], rows[1][i], rows[2][i]};
      const float expected = evaluate(e, point);
      if (std::isnan(expected) && std::isnan(out[i])) continue;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected))
          << row.name << " " << point[0];
    }
  }
}

TEST(Expression, OperationsAreTheIrsDefinitions) {
  const float nan = std::nanf("");
  for (const Scalar op : {Scalar::minimum, Scalar::maximum}) {
    EXPECT_TRUE(std::isnan(apply(op, nan, 1)));
    EXPECT_TRUE(std::isnan(apply(op, 1, nan)));
    EXPECT_TRUE(std::signbit(apply(op, 0.0f, -0.0f)));  // of equal ones the second
    EXPECT_FALSE(std::signbit(apply(op, -0.0f, 0.0f)));
  }
  EXPECT_TRUE(std::isnan(apply(Scalar::relu, nan)));
  EXPECT_TRUE(std::isnan(apply(Scalar::relu, -nan)));
  EXPECT_FALSE(std::signbit(apply(Scalar::relu, -0.0f)));
  EXPECT_EQ(apply(Scalar::fma, 3, 4, 5), 17);
  EXPECT_EQ(apply(Scalar::select, 0, 1, 2), 2);
  EXPECT_EQ(apply(Scalar::select, -3, 1, 2), 1);
  EXPECT_EQ(apply(Scalar::less, 1, 2), 1);
  EXPECT_EQ(apply(Scalar::equal, 1, 2), 0);
  EXPECT_EQ(apply(Scalar::subtract, 1, 2), -1);
  EXPECT_EQ(apply(Scalar::divide, 1, 2), 0.5f);
  EXPECT_EQ(apply(Scalar::floor, -1.5f), -2);
  EXPECT_EQ(apply(Scalar::reciprocal_sqrt, 4), 0.5f);
}

TEST(Expression, SimplifiesButKeepsProductsAtTheRoot) {
  Formula f;
  const auto x = f.input(0), y = f.input(1), one = f.constant(1), zero = f.constant(0);
  EXPECT_EQ(f.multiply(x, one), x);
  EXPECT_EQ(f.add(zero, x), x);
  EXPECT_EQ(f.negate(f.negate(x)), x);
  EXPECT_TRUE(f.is_constant(f.multiply(zero, y), 0));
  EXPECT_TRUE(f.is_constant(f.add(f.constant(2), f.constant(3)), 5));
  EXPECT_EQ(f.multiply(x, y), f.multiply(x, y));
  EXPECT_TRUE(is_product(f.finish(f.multiply(f.multiply(x, one), f.add(y, zero)))));
  EXPECT_EQ(to_text(f.finish(f.subtract(x, f.negate(y)))), "(in0 + in1)");
}

// The order of a finished expression is its own, not that in which a compiler happened to evaluate our
// arguments.
TEST(Expression, FinishedNodesStandInOrderOfEvaluation) {
  Formula first, second;
  const auto a1 = first.input(0), b1 = first.constant(2);
  const auto b2 = second.constant(2), a2 = second.input(0);
  const Expression e1 = first.finish(first.multiply(a1, b1)), e2 = second.finish(second.multiply(a2, b2));
  ASSERT_EQ(e1.nodes.size(), e2.nodes.size());
  for (std::size_t k = 0; k < e1.nodes.size(); ++k) EXPECT_EQ(e1.nodes[k].op, e2.nodes[k].op);
}

TEST(Graph, FindsTensorsByTheNameThatTheyHaveNow) {
  Graph graph;
  const auto added = [&](std::string name) {
    Tensor tensor;
    tensor.name = std::move(name);
    return graph.add(std::move(tensor));
  };
  const TensorId a = added("a");
  EXPECT_EQ(graph.find("a"), a);
  graph.rename(a, "b");
  EXPECT_EQ(graph.find("a"), no_tensor);
  EXPECT_EQ(graph.find("b"), a);
  const TensorId c = added("a");
  EXPECT_EQ(graph.find("a"), c);
  graph.rename(a, "z");
  EXPECT_EQ(graph.find("a"), c);
  graph.tensors.erase(graph.tensors.begin());
  EXPECT_EQ(graph.find("a"), 0);
  EXPECT_EQ(graph.find("z"), no_tensor);
}

}  // namespace
}  // namespace dojo::graph
