// Small networks with all kinds of ops, as training steps: what the compiler's own tests compile.
#pragma once

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "graph/builder.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/optimizer.h"
#include "graph/random_traced_for_tests.h"
#include "graph/spread_batch.h"
#include "graph/traced_networks_for_tests.h"

namespace dojo::lowering::sample {

using graph::Builder;
using graph::Graph;
using graph::Shape;
using graph::TensorId;
using graph::Window;

inline TensorId weight(Builder& build, const std::string& name, const Shape& shape) {
  std::size_t count = 1, fan_in = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    count *= static_cast<std::size_t>(shape[d]);
    if (d > 0) fan_in *= static_cast<std::size_t>(shape[d]);
  }
  Random random(std::hash<std::string>{}(name));
  std::vector<float> data;
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  for (std::size_t k = 0; k < count; ++k) data.push_back(static_cast<float>(random.uniform(-bound, bound)));
  return build.parameter(name, shape, std::move(data));
}

inline TensorId dense(Builder& build, const std::string& name, TensorId x, std::int64_t out) {
  const std::int64_t in = build.shape(x)[1];
  build.name(name);
  return build.gemm(x, weight(build, name + ".w", {out, in}), weight(build, name + ".b", {out}), 1, 1, false,
                    true);
}

inline TensorId convolution(Builder& build, const std::string& name, TensorId x, std::int64_t channels,
                            std::int64_t kernel, std::int64_t stride, std::int64_t pad, bool bias = true) {
  const std::int64_t in = build.shape(x)[1];
  build.name(name);
  const Window window{{}, {stride, stride}, {}, {pad, pad}, {pad, pad}, false, false};
  const TensorId w = weight(build, name + ".w", {channels, in, kernel, kernel});
  if (!bias) return build.convolution(x, w, std::nullopt, window);
  return build.convolution(x, w, weight(build, name + ".b", {channels}), window);
}

inline Graph finish(Graph graph, TensorId prediction, TensorId loss, const graph::Optimizer& optimizer) {
  graph.outputs = {prediction, loss};
  graph::differentiate(graph, loss);
  graph::add_optimizer(graph, optimizer);
  graph::fuse(graph);
  return graph;
}

// 20 -> 16 -> 3, tanh, SGD.
inline Graph mlp(std::int64_t batch) {
  Graph graph;
  graph.name = "mlp";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 20}), y = build.label("y", {batch, 3});
  const TensorId hidden = build.tanh(dense(build, "first", x, 16));
  const TensorId out = dense(build, "second", hidden, 3);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("sgd"));
}

// Weights of several tiles, AdamW.
inline Graph wide_mlp(std::int64_t batch) {
  Graph graph;
  graph.name = "wide_mlp";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 100}), y = build.label("y", {batch, 1});
  const TensorId a = build.relu(dense(build, "first", x, 300));
  const TensorId b = build.relu(dense(build, "second", a, 330));
  const TensorId out = dense(build, "third", b, 1);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("adamw"));
}

// Whole numbers made of the input look rows up in a table, say where values are added up, and pick among what
// was computed; AdamW.
inline Graph lookups(std::int64_t batch) {
  Graph graph;
  graph.name = "lookups";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 24}), y = build.label("y", {batch, 2});
  const TensorId token = build.name("token").unary(
      graph::Scalar::floor, build.clip(build.scale(build.unary(graph::Scalar::absolute, x), 13), 0, 39.5f));
  const TensorId rows = build.name("embedding").gather(weight(build, "table", {40, 12}), token, 0);
  const TensorId value =
      build.name("value").tanh(build.sum(build.multiply(rows, weight(build, "query", {12})), {2}));
  const TensorId bins = build.name("bins").scatter_elements(value, token, 1, {batch, 40});
  const TensorId place = build.name("place").constant("places", {6}, {39, 0, 7, 7, 21, 3});
  const TensorId picked = build.name("picked").gather(bins, place, 1);
  const TensorId order =
      build.name("order").gather_elements(value, build.clip(build.slice(token, 1, 0, 24, 4), 0, 23), 1);
  const TensorId out = dense(build, "head", build.concat(std::vector{picked, bins, order}, 1), 2);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("adamw"));
}

// Strided, padded and 3x3 convolutions, max pool, two dense layers, AdamW.
inline Graph convolutions(std::int64_t batch) {
  Graph graph;
  graph.name = "convolutions";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 3, 21, 30}), y = build.label("y", {batch, 2});
  const TensorId a = build.relu(convolution(build, "conv1", x, 8, 5, 2, 0));
  const TensorId b = build.relu(convolution(build, "conv2", a, 12, 3, 1, 1));
  build.name("pool");
  const TensorId pooled = build.max_pool(b, {{2, 2}, {2, 2}, {}, {}, {}, false, false});
  const TensorId c = build.relu(convolution(build, "conv3", pooled, 6, 3, 1, 0));
  build.name("flatten");
  const TensorId flat = build.flatten(c);
  const TensorId hidden = build.relu(dense(build, "dense1", flat, 10));
  const TensorId out = dense(build, "dense2", hidden, 2);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("adamw"));
}

// Batch norm, skip connection, global average pool, SGD.
inline Graph residual(std::int64_t batch) {
  Graph graph;
  graph.name = "residual";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 3, 12, 12}), y = build.label("y", {batch, 4});
  const auto norm = [&](const std::string& name, TensorId t) {
    const std::int64_t channels = build.shape(t)[1];
    const auto count = static_cast<std::size_t>(channels);
    build.name(name);
    return build.batch_norm(t, build.parameter(name + ".gamma", {channels}, std::vector<float>(count, 1.0f)),
                            build.parameter(name + ".beta", {channels}, std::vector<float>(count, 0.1f)),
                            build.state(name + ".mean", {channels}, std::vector<float>(count, 0.0f)),
                            build.state(name + ".variance", {channels}, std::vector<float>(count, 1.0f)), {});
  };
  const TensorId a = build.relu(norm("norm1", convolution(build, "conv1", x, 8, 3, 1, 1, false)));
  const TensorId b = norm("norm2", convolution(build, "conv2", a, 8, 3, 1, 1, false));
  const TensorId sum = build.relu(build.add(a, b));
  const TensorId c = convolution(build, "conv3", sum, 16, 3, 2, 1);
  build.name("pool");
  const TensorId pooled = build.flatten(build.global_average_pool(c));
  const TensorId out = dense(build, "head", pooled, 4);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("sgd"));
}

// Pictures of which one, with its activations, takes a megabyte; AdamW.
inline Graph pictures(std::int64_t batch) {
  Graph graph;
  graph.name = "pictures";
  Builder build(graph);
  const TensorId x = build.input("x", {batch, 3, 96, 96}), y = build.label("y", {batch, 3});
  const TensorId a = build.relu(convolution(build, "conv1", x, 8, 3, 1, 1));
  build.name("pool");
  const TensorId pooled = build.max_pool(a, {{2, 2}, {2, 2}, {}, {}, {}, false, false});
  const TensorId b = build.relu(convolution(build, "conv2", pooled, 12, 3, 2, 1));
  build.name("means");
  const TensorId means = build.flatten(build.global_average_pool(b));
  const TensorId out = dense(build, "head", means, 3);
  build.name("loss");
  return finish(std::move(graph), out, build.mean_squared_error(out, y), graph::optimizer_named("adamw"));
}

// Weights of several times a node's SRAM, AdamW.
inline Graph huge_mlp(std::int64_t batch) {
  Graph graph;
  graph.name = "huge_mlp";
  Builder build(graph);
  TensorId x = build.input("x", {batch, 80});
  const TensorId y = build.label("y", {batch, 1});
  x = build.relu(dense(build, "first", x, 1000));
  x = build.relu(dense(build, "second", x, 1000));
  x = build.relu(dense(build, "third", x, 1100));
  x = dense(build, "fourth", x, 1);
  build.name("loss");
  return finish(std::move(graph), x, build.mean_squared_error(x, y), graph::optimizer_named("adamw"));
}

// 66 x 200 camera pictures to a steering angle: five convolutions, four dense layers, AdamW.
inline Graph pilotnet(std::int64_t batch) {
  Graph graph;
  graph.name = "pilotnet";
  Builder build(graph);
  TensorId x = build.input("image", {batch, 3, 66, 200});
  const TensorId y = build.label("angle", {batch, 1});
  x = build.relu(convolution(build, "conv1", x, 24, 5, 2, 0));
  x = build.relu(convolution(build, "conv2", x, 36, 5, 2, 0));
  x = build.relu(convolution(build, "conv3", x, 48, 5, 2, 0));
  x = build.relu(convolution(build, "conv4", x, 64, 3, 1, 0));
  x = build.relu(convolution(build, "conv5", x, 64, 3, 1, 0));
  build.name("flatten");
  x = build.flatten(x);
  x = build.relu(dense(build, "dense1", x, 100));
  x = build.relu(dense(build, "dense2", x, 50));
  x = build.relu(dense(build, "dense3", x, 10));
  x = dense(build, "dense4", x, 1);
  build.name("loss");
  return finish(std::move(graph), x, build.mean_squared_error(x, y), graph::optimizer_named("adamw"));
}

// A traced step whose batch was found.
template <void (*build)(graph::traced::Traced&)>
Graph spread(std::int64_t batch) {
  graph::traced::Traced traced(batch);
  build(traced);
  DOJO_ENSURE(graph::spread_batch(traced.graph, traced.samples).refusal.empty());
  graph::fuse(traced.graph);
  return std::move(traced.graph);
}

// A random one, the next that can be spread.
template <std::uint64_t seed>
Graph random_step(std::int64_t batch) {
  for (std::uint64_t next = seed;; next += 1000) {
    graph::traced::RandomStep random(next, batch);
    Graph& graph = random.step.graph;
    if (!graph::spread_batch(graph, random.step.samples).refusal.empty()) continue;
    graph::fuse(graph);
    return std::move(graph);
  }
}

}  // namespace dojo::lowering::sample
