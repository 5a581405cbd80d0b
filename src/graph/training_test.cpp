// Whole small networks through the life of a step: gradients against finite differences, fusion against no
// fusion, and a loss that falls.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>

#include "base/random.h"
#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "graph/optimizer.h"

namespace dojo::graph {
namespace {

constexpr std::int64_t batch = 6;

class Network {
public:
  explicit Network(const std::function<TensorId(Network&)>& build) : make(graph) {
    loss = build(*this);
    graph.outputs = {loss};
  }

  TensorId weights(const std::string& name, const Shape& shape, double scale) {
    std::vector<float> data;
    for (std::int64_t k = 0; k < element_count(shape); ++k)
      data.push_back(static_cast<float>(random_.normal() * scale));
    return make.parameter(name, shape, std::move(data));
  }

  TensorId channels(const std::string& name, std::int64_t count, float value) {
    return make.parameter(name, {count}, std::vector<float>(static_cast<std::size_t>(count), value));
  }

  TensorId convolution_and_norm(const std::string& name, TensorId x, std::int64_t channels_out,
                                std::int64_t stride) {
    const std::int64_t channels_in = make.shape(x)[1];
    make.name(name);
    const TensorId w = weights(name + ".w", {channels_out, channels_in, 3, 3}, 0.3);
    const TensorId y = make.convolution(x, w, std::nullopt, {{}, {stride, stride}, {}, {1, 1}, {1, 1}});
    const auto count = static_cast<std::size_t>(channels_out);
    const TensorId mean = make.state(name + ".mean", {channels_out}, std::vector<float>(count, 0));
    const TensorId variance = make.state(name + ".variance", {channels_out}, std::vector<float>(count, 1));
    const TensorId gamma = channels(name + ".gamma", channels_out, 1),
                   beta = channels(name + ".beta", channels_out, 0.1f);
    return make.batch_norm(y, gamma, beta, mean, variance, {});
  }

  Graph graph;
  Builder make;
  TensorId loss = no_tensor;

private:
  Random random_{5};
};

TensorId residual(Network& net) {
  Builder& b = net.make;
  const TensorId x = b.input("x", {batch, 2, 6, 6});
  const TensorId stem = b.tanh(net.convolution_and_norm("stem", x, 3, 1));
  const TensorId inner = b.tanh(net.convolution_and_norm("inner", stem, 3, 1));
  const TensorId joined = b.name("join").add(net.convolution_and_norm("outer", inner, 3, 1), stem);
  const TensorId pooled = b.name("pool").flatten(b.global_average_pool(joined));
  const TensorId w = net.weights("head.w", {4, 3}, 0.5);
  const TensorId logits = b.name("head").gemm(pooled, w, net.channels("head.b", 4, 0), 1, 1, false, true);
  return b.name("loss").softmax_cross_entropy(logits, b.label("y", {batch}));
}

TensorId two_losses(Network& net) {
  Builder& b = net.make;
  const TensorId x = b.input("x", {batch, 5});
  const TensorId hidden = b.name("hidden").tanh(b.matmul(x, net.weights("hidden.w", {5, 7}, 0.5)));
  const TensorId steering = b.name("steering").matmul(hidden, net.weights("steering.w", {7, 1}, 0.5));
  const TensorId throttle =
      b.name("throttle").sigmoid(b.matmul(hidden, net.weights("throttle.w", {7, 1}, 0.5)));
  const TensorId y = b.label("y", {batch, 1});
  const TensorId first = b.name("loss1").mean_squared_error(steering, y);
  return b.name("loss").add(first, b.scale(b.mean_absolute_error(throttle, y), 0.5f));
}

TensorId strided(Network& net) {
  Builder& b = net.make;
  const TensorId x = b.input("x", {batch, 1, 9, 9});
  const TensorId w1 = net.weights("conv1.w", {3, 1, 3, 3}, 0.4),
                 w2 = net.weights("conv2.w", {4, 3, 3, 3}, 0.3);
  const TensorId one =
      b.name("conv1").tanh(b.convolution(x, w1, net.channels("conv1.b", 3, 0.1f), {{}, {2, 2}, {}, {}, {}}));
  const TensorId two = b.name("conv2").sigmoid(b.convolution(one, w2, net.channels("conv2.b", 4, 0), {}));
  const TensorId w3 = net.weights("dense.w", {1, 16}, 0.4);
  const TensorId out =
      b.name("dense").gemm(b.flatten(two), w3, net.channels("dense.b", 1, 0), 1, 1, false, true);
  return b.name("loss").mean_squared_error(out, b.label("y", {batch, 1}));
}

struct Named {
  const char* name;
  TensorId (*build)(Network&);
};

class Training : public ::testing::TestWithParam<Named> {};

void feed_step(Interpreter& run, const Graph& graph) {
  Random random(9);
  std::vector<float> x(static_cast<std::size_t>(element_count(graph.at(graph.find("x")).shape))), y;
  for (float& value : x) value = static_cast<float>(random.normal());
  for (std::int64_t n = 0; n < batch; ++n) y.push_back(static_cast<float>(n % 4));
  run.set(graph.find("x"), x);
  run.set(graph.find("y"), y);
}

TEST_P(Training, GradientsEqualFiniteDifferences) {
  Network net(GetParam().build);
  const Graph forward = net.graph;
  differentiate(net.graph, net.loss);
  Interpreter exact(net.graph), run(forward);
  feed_step(exact, net.graph);
  feed_step(run, forward);
  exact.run();
  for (const auto& [parameter, gradient] : net.graph.gradient) {
    const std::vector<float> values = forward.at(parameter).data;
    for (std::size_t k = 0; k < values.size(); k += 1 + values.size() / 7) {
      double difference = 0;
      const float h = 0.01f;
      for (const float side : {1.0f, -1.0f}) {
        std::vector<float> moved = values;
        moved[k] += side * h;
        run.set(parameter, moved);
        run.run();
        difference += static_cast<double>(side * run.value(net.loss)[0]);
      }
      run.set(parameter, values);
      EXPECT_NEAR(exact.value(gradient)[k], difference / (2 * static_cast<double>(h)), 2e-3)
          << forward.at(parameter).name << "[" << k << "]";
    }
  }
  for (const Tensor& tensor : forward.tensors) {
    if (tensor.role != Role::parameter) continue;
    EXPECT_TRUE(net.graph.gradient.contains(forward.find(tensor.name))) << tensor.name;
  }
}

TEST_P(Training, FusedAndUnfusedStepsKeepTheSameBitsWhileTheLossFalls) {
  Network net(GetParam().build);
  differentiate(net.graph, net.loss);
  const Optimizer& options = optimizer_named("adamw");
  add_optimizer(net.graph, options);
  Graph fused = net.graph;
  fuse(fused);
  EXPECT_LT(fused.ops.size(), net.graph.ops.size());
  Interpreter plain_run(net.graph), fused_run(fused);
  feed_step(plain_run, net.graph);
  feed_step(fused_run, fused);
  std::vector<float> losses;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    for (const auto& [name, value] : optimizer_scalars(options, step, 0.02)) {
      plain_run.set(net.graph.find(name), std::vector{value});
      fused_run.set(fused.find(name), std::vector{value});
    }
    plain_run.run();
    fused_run.run();
    losses.push_back(plain_run.value(net.loss)[0]);
    plain_run.update();
    fused_run.update();
    for (const auto& [kept, fresh] : net.graph.update) {
      const auto& expected = plain_run.value(kept);
      const auto& found = fused_run.value(fused.find(net.graph.at(kept).name));
      for (std::size_t k = 0; k < expected.size(); ++k) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(found[k]), std::bit_cast<std::uint32_t>(expected[k]))
            << net.graph.at(kept).name << " in step " << step;
      }
    }
  }
  EXPECT_LT(losses.back(), 0.8f * losses.front());
}

INSTANTIATE_TEST_SUITE_P(Networks, Training,
                         ::testing::Values(Named{"residual", residual}, Named{"two_losses", two_losses},
                                           Named{"strided", strided}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dojo::graph
