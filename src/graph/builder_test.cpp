// What each builder operation computes, against loops written out here or values that can be checked by eye.
#include "graph/builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"
#include "graph/interpreter.h"
#include "graph/op_cases_for_tests.h"

namespace dojo::graph {
namespace {

using Values = std::vector<float>;

// Builds one expression over constants and returns its value; `shape` gets the result's.
struct Result {
  Shape shape;
  Values values;
};

Result compute(const std::function<TensorId(Builder&)>& build) {
  Graph graph;
  Builder b(graph);
  const TensorId id = build(b);
  validate(graph);
  Interpreter run(graph);
  run.run();
  return {graph.at(id).shape, run.value(id)};
}

Values counting(const Shape& shape) {
  Values values(static_cast<std::size_t>(element_count(shape)));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

TensorId count_up(Builder& b, const Shape& shape) {
  return b.constant(fmt::format("counting{}", b.graph().tensors.size()), shape, counting(shape));
}

void expect_near(const Values& found, const std::vector<double>& expected, double bound) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) EXPECT_NEAR(found[k], expected[k], bound) << "[" << k << "]";
}

struct ConvolutionCase {
  std::int64_t n, ci, h, w, co, kh, kw, stride, dilation, pad, groups;
};

std::vector<double> naive_convolution(const ConvolutionCase& c, const Values& x, const Values& w,
                                      std::int64_t oh, std::int64_t ow) {
  std::vector<double> out;
  const std::int64_t per_group = c.ci / c.groups;
  const auto pixel = [&](std::int64_t n, std::int64_t ch, std::int64_t i, std::int64_t j) {
    if (i < 0 || j < 0 || i >= c.h || j >= c.w) return 0.0;
    return static_cast<double>(x[static_cast<std::size_t>(((n * c.ci + ch) * c.h + i) * c.w + j)]);
  };
  for (std::int64_t n = 0; n < c.n; ++n) {
    for (std::int64_t co = 0; co < c.co; ++co) {
      for (std::int64_t i = 0; i < oh * ow; ++i) {
        double sum = 0;
        for (std::int64_t k = 0; k < per_group * c.kh * c.kw; ++k) {
          const std::int64_t ci = k / (c.kh * c.kw), a = k / c.kw % c.kh, b = k % c.kw;
          const std::int64_t channel = co / (c.co / c.groups) * per_group + ci;
          sum += static_cast<double>(w[static_cast<std::size_t>(co * per_group * c.kh * c.kw + k)]) *
                 pixel(n, channel, i / ow * c.stride + a * c.dilation - c.pad,
                       i % ow * c.stride + b * c.dilation - c.pad);
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

TEST(Builder, ConvolutionEqualsNestedLoops) {
  const ConvolutionCase cases[] = {
      {2, 3, 6, 7, 4, 3, 3, 1, 1, 0, 1},
      {1, 4, 9, 8, 6, 3, 2, 2, 1, 1, 2},
      {2, 2, 8, 8, 2, 3, 3, 1, 2, 2, 1},
      {1, 3, 5, 5, 3, 3, 3, 2, 1, 1, 3},
  };
  for (const ConvolutionCase& c : cases) {
    const Shape of_x = {c.n, c.ci, c.h, c.w}, of_w = {c.co, c.ci / c.groups, c.kh, c.kw};
    const Values x = separated_values(of_x, 1), w = separated_values(of_w, 2);
    const Result found = compute([&](Builder& b) {
      const Window window{{}, {c.stride, c.stride}, {c.dilation, c.dilation}, {c.pad, c.pad}, {c.pad, c.pad}};
      return b.convolution(b.constant("x", of_x, x), b.constant("w", of_w, w), std::nullopt, window,
                           c.groups);
    });
    const std::int64_t oh = (c.h + 2 * c.pad - (c.kh - 1) * c.dilation - 1) / c.stride + 1;
    const std::int64_t ow = (c.w + 2 * c.pad - (c.kw - 1) * c.dilation - 1) / c.stride + 1;
    EXPECT_EQ(found.shape, (Shape{c.n, c.co, oh, ow}));
    expect_near(found.values, naive_convolution(c, x, w, oh, ow), 1e-4);
  }
}

// The transpose of a linear map A: <A x, y> = <x, A' y> for all x and y.
TEST(Builder, TransposedConvolutionIsTheTranspose) {
  const Shape of_x = {1, 2, 7, 6}, of_w = {3, 2, 3, 2};
  const Window window{{}, {2, 1}, {}, {1, 0}, {1, 1}};
  const Values x = separated_values(of_x, 1), w = separated_values(of_w, 2);
  const auto forward = compute([&](Builder& b) {
    return b.convolution(b.constant("x", of_x, x), b.constant("w", of_w, w), std::nullopt, window);
  });
  const Values y = separated_values(forward.shape, 3);
  const auto back = compute([&](Builder& b) {
    return b.transposed_convolution(b.constant("y", forward.shape, y), b.constant("w", of_w, w), std::nullopt,
                                    window);
  });
  ASSERT_EQ(back.shape, of_x);
  double left = 0, right = 0;
  for (std::size_t k = 0; k < y.size(); ++k)
    left += static_cast<double>(forward.values[k]) * static_cast<double>(y[k]);
  for (std::size_t k = 0; k < x.size(); ++k)
    right += static_cast<double>(back.values[k]) * static_cast<double>(x[k]);
  EXPECT_NEAR(left, right, 1e-3);
}

TEST(Builder, MatmulFollowsNumpy) {
  const auto product = [](const Shape& a, const Shape& b_shape, bool ta = false, bool tb = false) {
    return compute([&](Builder& b) {
      const TensorId left = count_up(b, a);
      return b.matmul(left, count_up(b, b_shape), ta, tb);
    });
  };
  EXPECT_EQ(product({2, 3}, {3, 2}).values, (Values{10, 13, 28, 40}));
  EXPECT_EQ(product({3, 2}, {3, 2}, true).values, (Values{20, 26, 26, 35}));
  EXPECT_EQ(product({2, 3}, {2, 3}, false, true).values, (Values{5, 14, 14, 50}));
  EXPECT_EQ(product({3}, {3}).values, (Values{5}));
  EXPECT_EQ(product({3}, {3}).shape, Shape{});
  EXPECT_EQ(product({2, 3}, {3}).values, (Values{5, 14}));
  EXPECT_EQ(product({2}, {2, 3}).values, (Values{3, 4, 5}));
  EXPECT_EQ(product({5, 1, 2, 3}, {4, 3, 6}).shape, (Shape{5, 4, 2, 6}));
  // The second stack entry of the second operand holds 4..7.
  EXPECT_EQ(product({1, 2}, {2, 2, 2}).values, (Values{2, 3, 6, 7}));
}

TEST(Builder, GemmScalesAndAdds) {
  const auto found = compute([](Builder& b) {
    const TensorId a = count_up(b, {2, 2});
    const TensorId c = b.constant("c", {2}, {10, 20});
    return b.gemm(a, a, c, 2, 0.5f, false, true);
  });
  EXPECT_EQ(found.values, (Values{7, 16, 11, 36}));
}

TEST(Builder, BroadcastsAsNumpy) {
  const auto found = compute([](Builder& b) {
    const TensorId column = b.constant("column", {2, 1}, {10, 20});
    return b.add(column, b.constant("row", {3}, {1, 2, 3}));
  });
  EXPECT_EQ(found.shape, (Shape{2, 3}));
  EXPECT_EQ(found.values, (Values{11, 12, 13, 21, 22, 23}));
}

TEST(Builder, ReducesOverAxes) {
  const auto over = [](auto reduce) {
    return compute([&](Builder& b) { return reduce(b, count_up(b, {2, 3})); });
  };
  EXPECT_EQ(over([](Builder& b, TensorId x) { return b.sum(x, {0}); }).values, (Values{3, 5, 7}));
  EXPECT_EQ(over([](Builder& b, TensorId x) { return b.mean(x, {-1}, true); }).values, (Values{1, 4}));
  EXPECT_EQ(over([](Builder& b, TensorId x) { return b.mean(x, {-1}, true); }).shape, (Shape{2, 1}));
  EXPECT_EQ(over([](Builder& b, TensorId x) { return b.maximum(x); }).values, (Values{5}));
  EXPECT_EQ(over([](Builder& b, TensorId x) { return b.minimum(x, {1}); }).values, (Values{0, 3}));
}

TEST(Builder, PoolsAtTheEdges) {
  const auto pool = [](const Window& window, bool average) {
    return compute([&](Builder& b) {
             const TensorId x = b.constant("x", {1, 1, 5}, {1, 2, 3, 4, 10});
             return average ? b.average_pool(x, window) : b.max_pool(x, window);
           })
        .values;
  };
  EXPECT_EQ(pool({{2}, {2}, {}, {}, {}}, false), (Values{2, 4}));
  EXPECT_EQ(pool({{2}, {2}, {}, {}, {}, true}, false), (Values{2, 4, 10}));
  EXPECT_EQ(pool({{2}, {2}, {}, {}, {}, true}, true), (Values{1.5f, 3.5f, 10}));
  EXPECT_EQ(pool({{3}, {2}, {}, {1}, {1}}, true), (Values{1.5f, 3, 7}));
  EXPECT_EQ(pool({{3}, {2}, {}, {1}, {1}, false, true}, true), (Values{1, 3, 14 / 3.0f}));
  EXPECT_EQ(pool({{2}, {1}, {2}, {}, {}}, false), (Values{3, 4, 10}));
}

TEST(Builder, MaximumPoolOfNegativesIgnoresPads) {
  const auto found = compute(
      [](Builder& b) { return b.max_pool(b.constant("x", {1, 1, 2}, {-3, -1}), {{3}, {1}, {}, {1}, {1}}); });
  EXPECT_EQ(found.values, (Values{-1, -1}));
}

TEST(Builder, BatchNormNormalisesAndUpdatesItsState) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {2, 1, 2}), gamma = b.parameter("gamma", {1}, {2}),
                 beta = b.parameter("beta", {1}, {1});
  const TensorId mean = b.state("mean", {1}, {0}), variance = b.state("variance", {1}, {1});
  BatchNorm options;
  options.epsilon = 0;
  const TensorId y = b.batch_norm(x, gamma, beta, mean, variance, options);
  validate(graph);
  Interpreter run(graph);
  run.set(x, Values{1, 3, 5, 7});  // mean 4, variance 5, unbiased 20 / 3
  run.run();
  run.update();
  const double s = 2 / std::sqrt(5.0);
  expect_near(run.value(y), {1 - 3 * s, 1 - s, 1 + s, 1 + 3 * s}, 1e-6);
  expect_near(run.value(mean), {0.4}, 1e-6);
  expect_near(run.value(variance), {0.9 + 0.1 * 20 / 3}, 1e-6);
}

TEST(Builder, SoftmaxAndItsLogarithmSurviveLargeLogits) {
  const auto of = [](bool logarithm) {
    return compute([&](Builder& b) {
             const TensorId x = b.constant("x", {2, 2}, {1000, 1000, 0, std::log(3.0f)});
             return logarithm ? b.log_softmax(x, 1) : b.softmax(x, 1);
           })
        .values;
  };
  expect_near(of(false), {0.5, 0.5, 0.25, 0.75}, 1e-6);
  expect_near(of(true), {std::log(0.5), std::log(0.5), std::log(0.25), std::log(0.75)}, 1e-6);
}

TEST(Builder, MovesElementsAround) {
  const auto moved = [](const Shape& shape, auto move) {
    return compute([&](Builder& b) { return move(b, count_up(b, shape)); });
  };
  EXPECT_EQ(moved({2, 3}, [](Builder& b, TensorId x) { return b.transpose(x, {}); }).values,
            (Values{0, 3, 1, 4, 2, 5}));
  const auto reshaped = moved({2, 6, 2}, [](Builder& b, TensorId x) { return b.reshape(x, {4, 3, -1}); });
  EXPECT_EQ(reshaped.shape, (Shape{4, 3, 2}));
  EXPECT_EQ(reshaped.values, counting({24}));
  EXPECT_EQ(moved({6}, [](Builder& b, TensorId x) { return b.slice(x, 0, 1, 6, 2); }).values,
            (Values{1, 3, 5}));
  EXPECT_EQ(moved({6}, [](Builder& b, TensorId x) { return b.slice(x, 0, -1, -100, -2); }).values,
            (Values{5, 3, 1}));
  EXPECT_EQ(moved({2, 2}, [](Builder& b, TensorId x) { return b.pad(x, {0, 1}, {1, -1}, 7); }).values,
            (Values{7, 0, 7, 2, 7, 7}));
  EXPECT_EQ(moved({1, 2}, [](Builder& b, TensorId x) { return b.upsample_nearest(x, {2, 2}); }).values,
            (Values{0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(moved({2, 1}, [](Builder& b, TensorId x) { return b.expand(x, {1, 2}); }).values,
            (Values{0, 0, 1, 1}));
  EXPECT_EQ(
      moved({2, 2}, [](Builder& b, TensorId x) { return b.concat(std::vector{x, b.slice(x, 1, 0, 1)}, 1); })
          .values,
      (Values{0, 1, 0, 2, 3, 2}));
}

TEST(Builder, ConcatenationKeepsTheSignOfZero) {
  const auto found = compute([](Builder& b) {
    const TensorId x = b.constant("x", {2}, {-0.0f, 0.0f});
    return b.concat(std::vector{x, x}, 0);
  });
  EXPECT_TRUE(std::signbit(found.values[0]));
  EXPECT_FALSE(std::signbit(found.values[1]));
  EXPECT_TRUE(std::signbit(found.values[2]));
}

TEST(Builder, LossesMeanWhatTheySay) {
  const auto loss = [](auto make) {
    return compute([&](Builder& b) {
             const TensorId p = b.constant("p", {2, 2}, {1, 2, 3, 4});
             return make(b, p, b.constant("t", {2, 2}, {1, 0, 3, 7}));
           })
        .values[0];
  };
  EXPECT_EQ(loss([](Builder& b, TensorId p, TensorId t) { return b.mean_squared_error(p, t); }), 13 / 4.0f);
  EXPECT_EQ(loss([](Builder& b, TensorId p, TensorId t) { return b.mean_absolute_error(p, t, Mean::sum); }),
            5);
  EXPECT_EQ(loss([](Builder& b, TensorId p, TensorId t) { return b.huber(p, t, 1); }), 4 / 4.0f);
  const auto classes = compute([](Builder& b) {
    const TensorId logits = b.constant("x", {2, 2}, {0, 0, 0, std::log(3.0f)});
    return b.softmax_cross_entropy(logits, b.constant("c", {2}, {0, 1}));
  });
  EXPECT_NEAR(classes.values[0], -(std::log(0.5) + std::log(0.75)) / 2, 1e-6);
}

TEST(Builder, FlagsTheBatchAndRefusesToMoveIt) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.input("x", {4, 2, 3});
  EXPECT_TRUE(graph.at(b.relu(x)).has_batch);
  EXPECT_TRUE(graph.at(b.flatten(x)).has_batch);
  EXPECT_FALSE(graph.at(b.sum(x, {0})).has_batch);
  EXPECT_TRUE(graph.ops.back().box[0].is_batch);
  validate(graph);
  EXPECT_THROW(b.transpose(x, {1, 0, 2}), UserError);
  EXPECT_THROW(b.reshape(x, {8, 3}), UserError);
  EXPECT_THROW(b.slice(x, 0, 0, 2), UserError);
  EXPECT_THROW(b.add(x, b.parameter("each", {4, 1, 1}, {1, 2, 3, 4})), UserError);
  EXPECT_THROW(b.mean_squared_error(b.reshape(b.sum(x, {1, 2}), {4, 1}), b.label("y", {4})), UserError);
  validate(graph);
}

// Two dimensions of which neither divides the other: no affine map has them both.
TEST(Builder, ReshapesWhereDimensionsCutAcrossEachOther) {
  Graph graph;
  Builder b(graph);
  const std::vector<float> values = counting({2, 3});
  const TensorId x = b.parameter("x", {2, 3}, values), y = b.reshape(x, {3, 2});
  EXPECT_EQ(b.shape(y), Shape({3, 2}));
  const TensorId z = b.input("z", {1, 2, 3}), moved = b.reshape(z, {1, 3, 2});
  EXPECT_TRUE(graph.at(moved).has_batch);
  Interpreter interpreter(graph);
  interpreter.set(z, values);
  interpreter.run();
  EXPECT_EQ(interpreter.value(y), values);
  EXPECT_EQ(interpreter.value(moved), values);
}

TEST(Builder, RefusesWhatDoesNotFit) {
  Graph graph;
  Builder b(graph);
  const TensorId x = b.parameter("x", {2, 3}, counting({2, 3}));
  const std::size_t ops = graph.ops.size();
  EXPECT_THROW(b.add(x, b.parameter("y", {2}, {1, 2})), UserError);
  EXPECT_THROW(b.matmul(x, x), UserError);
  EXPECT_THROW(b.reshape(x, {4, 2}), UserError);
  EXPECT_THROW(b.transpose(x, {0, 0}), UserError);
  EXPECT_THROW(b.sum(x, {2}), UserError);
  EXPECT_THROW(b.slice(x, 1, 2, 2), UserError);
  EXPECT_THROW(b.convolution(x, x, std::nullopt, {}), UserError);
  EXPECT_THROW(b.max_pool(b.parameter("z", {1, 1, 2}, {1, 2}), {{3}, {}, {}, {}, {}}), UserError);
  EXPECT_THROW(b.parameter("x", {1}, {1}), UserError);
  EXPECT_THROW(b.parameter("short", {2}, {1}), UserError);
  EXPECT_EQ(graph.ops.size(), ops);
}

}  // namespace
}  // namespace dojo::graph
