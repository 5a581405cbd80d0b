// Does every model that comes with the project compile for the die, in every choice of formats, without a
// change?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codegen/compile.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/optimizer.h"
#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::codegen {
namespace {

graph::Graph step_of(const onnx::Model& model, const std::string& where, std::int64_t batch, bool training) {
  onnx::ImportOptions options;
  options.batch = batch;
  options.training = training;
  options.initialise = true;
  onnx::Network network = onnx::import_model(model, where, options);
  if (training) {
    const onnx::Losses losses = onnx::add_losses(network);
    for (const graph::TensorId loss : losses.each) network.graph.outputs.push_back(loss);
    graph::differentiate(network.graph, losses.total);
    graph::add_optimizer(network.graph, graph::optimizer_named("adamw"));
  }
  graph::fuse(network.graph);
  network.graph.name = where;
  return network.graph;
}

class CompileModels : public testing::TestWithParam<const char*> {};

TEST_P(CompileModels, compiles_for_the_die_in_all_formats) {
  const std::string where = fmt::format("{}/models/{}.onnx", DOJO_SOURCE_DIR, GetParam());
  const onnx::Model model = onnx::read_model(where);
  const graph::Graph train = step_of(model, where, 354, true), predict = step_of(model, where, 354, false);
  for (const lowering::FormatChoice formats : {lowering::FormatChoice::bf16, lowering::FormatChoice::fp32}) {
    codegen::Options options;
    options.formats = formats;
    const codegen::CompiledNetwork network = compile(train, predict, machine::read_machine("d1"), options);
    EXPECT_FALSE(network.train.plan.empty());
    EXPECT_GT(network.train.elf.size(), network.load.elf.size());
  }
}

INSTANTIATE_TEST_SUITE_P(, CompileModels, testing::Values("pilotnet", "resnet_small", "two_heads"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace dojo::codegen
