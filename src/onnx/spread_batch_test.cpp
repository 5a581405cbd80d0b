// Is the batch of an imported network found again when nothing says where it is?
#include "graph/spread_batch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/optimizer.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

// As a tracer would have written the same step.
std::vector<std::string> forget_batch(graph::Graph& graph) {
  std::vector<std::string> samples;
  for (graph::Tensor& tensor : graph.tensors) {
    tensor.has_batch = false;
    if (tensor.role == graph::Role::input || tensor.role == graph::Role::label)
      samples.push_back(tensor.name);
  }
  for (graph::StructuredOp& op : graph.ops)
    for (graph::Axis& axis : op.box) axis.is_batch = false;
  return samples;
}

TEST(SpreadBatch, finds_the_batch_of_imported_networks_again) {
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DOJO_SOURCE_DIR "/models")) {
    if (entry.path().extension() != ".onnx") continue;
    // 3 is also the number of a picture's channels.
    Network network = import_model(read_model(entry.path()), entry.path().string(),
                                   {.batch = 3, .training = true, .given = {}});
    const Losses losses = add_losses(network);
    graph::Graph& step = network.graph;
    step.outputs = {losses.total};
    graph::differentiate(step, losses.total);
    graph::add_optimizer(step, graph::optimizer_named("adamw"));
    graph::Graph traced = step;
    EXPECT_EQ(graph::spread_batch(traced, forget_batch(traced)).refusal, "") << entry.path();
    // Sums over the samples that are expanded over them again do not have the batch; fused, they are no
    // tensors.
    graph::fuse(step);
    graph::fuse(traced);
    EXPECT_EQ(to_text(traced), to_text(step));
    ++networks;
  }
  EXPECT_GE(networks, 3);
}

}  // namespace
}  // namespace dojo::onnx
