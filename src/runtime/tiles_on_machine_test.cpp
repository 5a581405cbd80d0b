// Does the emulated machine, whose nodes share the tiles of every op, produce the bits that the lowered
// program defines?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "codegen/compile.h"
#include "graph/fuse.h"
#include "lowering/lowered_interpreter.h"
#include "lowering/sample_networks_for_tests.h"
#include "runtime/resident_network.h"

namespace dojo::runtime {
namespace {

namespace sample = lowering::sample;
namespace traced = graph::traced;

struct TilesCase {
  const char* name;
  graph::Graph (*make)(std::int64_t batch);
  lowering::FormatChoice formats;
  std::int64_t batch;
  unsigned nodes;
  std::uint64_t sram_kilobytes;
};

// The forward part of a training step: what reaches the first output.
graph::Graph prediction_of(const graph::Graph& step) {
  graph::Graph graph = step;
  graph.outputs.resize(1);
  graph.update.clear();
  graph.gradient.clear();
  graph::eliminate_dead_ops(graph);
  return graph;
}

void expect_bits(const lowering::Tensors& machine, const lowering::Tensors& definition) {
  for (const auto& [name, values] : definition) {
    const std::vector<float>& found = machine.at(name);
    ASSERT_EQ(found.size(), values.size()) << name;
    std::size_t different = 0, first = 0;
    for (std::size_t k = values.size(); k-- > 0;)
      if (std::memcmp(&found[k], &values[k], 4) != 0) ++different, first = k;
    EXPECT_EQ(different, 0u) << name << " of " << values.size() << ": first at " << first << ": "
                             << found[first] << " for " << values[first];
  }
}

class CompiledTiles : public testing::TestWithParam<TilesCase> {};

TEST_P(CompiledTiles, give_the_bits_of_the_lowered_program) {
  const TilesCase& c = GetParam();
  const graph::Graph step = c.make(c.batch);
  machine::Machine machine = machine::read_machine("d1");
  machine.node.sram_bytes = c.sram_kilobytes * 1024;
  codegen::Options options;
  options.nodes = c.nodes;
  options.formats = c.formats;
  options.spread = codegen::Spread::tiles;
  ResidentNetwork network(machine, codegen::compile(step, prediction_of(step), machine, options));

  lowering::Tensors parameters, samples, scalars;
  std::vector<std::pair<std::string, float>> launch;
  Random random(11);
  for (const graph::Tensor& tensor : step.tensors) {
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;
    if (tensor.role == graph::Role::scalar) {
      scalars[tensor.name] = {0.01f};
      launch.emplace_back(tensor.name, 0.01f);
    }
    if (tensor.role != graph::Role::input && tensor.role != graph::Role::label) continue;
    for (std::int64_t k = 0; k < graph::element_count(tensor.shape); ++k)
      samples[tensor.name].push_back(static_cast<float>(random.normal()));
  }
  for (const lowering::PersistentTensor& tensor : network.network().persistent.tensors)
    if (!tensor.initial.empty()) parameters.emplace(tensor.name, tensor.initial);
  ASSERT_EQ(network.load(parameters), "");
  lowering::LoweredInterpreter definition(network.network().train.lowered);
  definition.set_persistent(parameters);
  for (const std::int64_t missing : {0, 0, 2}) {  // the last one as an epoch ends
    const std::int64_t valid = c.batch - missing;
    definition.run(samples, valid, scalars);
    const ResidentRun run = network.run(ResidentNetwork::Program::train, samples, launch, valid);
    ASSERT_EQ(run.stranded, "");
    if (missing == 0) expect_bits(run.results, definition.results());
    expect_bits(network.store(), definition.persistent());
  }

  lowering::LoweredInterpreter prediction(network.network().predict.lowered);
  prediction.set_persistent(definition.persistent());
  prediction.run(samples, c.batch, scalars);
  const ResidentRun run = network.run(ResidentNetwork::Program::predict, samples);
  ASSERT_EQ(run.stranded, "");
  expect_bits(run.results, prediction.results());
}

// What the test below trains.
TEST(Pictures, of_which_none_fits_a_node_are_cut_into_tiles) {
  const graph::Graph step = sample::pictures(6);
  machine::Machine machine = machine::read_machine("d1");
  machine.node.sram_bytes = 512 * 1024;
  codegen::Options options;
  options.nodes = 6;
  options.formats = lowering::FormatChoice::fp32;
  EXPECT_EQ(codegen::compile(step, prediction_of(step), machine, options).spread, codegen::Spread::tiles);
  options.spread = codegen::Spread::samples;
  EXPECT_THROW(codegen::compile(step, prediction_of(step), machine, options), UserError);
}

using lowering::FormatChoice;
INSTANTIATE_TEST_SUITE_P(
    , CompiledTiles,
    testing::Values(
        TilesCase{"mlp_1", sample::mlp, FormatChoice::fp32, 5, 1, 256},
        TilesCase{"wide_4", sample::wide_mlp, FormatChoice::fp32, 8, 4, 256},
        TilesCase{"convolutions_6", sample::convolutions, FormatChoice::fp32, 5, 6, 256},
        TilesCase{"convolutions_bf16", sample::convolutions, FormatChoice::bf16, 6, 6, 256},
        TilesCase{"convolutions_cfloat8", sample::convolutions, FormatChoice::cfloat8, 6, 6, 256},
        TilesCase{"lookups_6", sample::lookups, FormatChoice::fp32, 13, 6, 256},
        TilesCase{"pictures_6", sample::pictures, FormatChoice::fp32, 3, 6, 512},
        TilesCase{"pictures_bf16", sample::pictures, FormatChoice::bf16, 3, 4, 512},
        TilesCase{"residual_6", sample::residual, FormatChoice::fp32, 12, 6, 256},
        TilesCase{"attention_6", sample::spread<traced::attention>, FormatChoice::fp32, 12, 6, 256},
        TilesCase{"images_4", sample::spread<traced::images>, FormatChoice::fp32, 7, 4, 256},
        TilesCase{"vocabulary_4", sample::spread<traced::vocabulary>, FormatChoice::fp32, 7, 4, 512},
        TilesCase{"by_hand_6", sample::spread<traced::by_hand>, FormatChoice::fp32, 12, 6, 256},
        TilesCase{"merged_1", sample::spread<traced::merged>, FormatChoice::fp32, 12, 1, 256},
        TilesCase{"merged_6", sample::spread<traced::merged>, FormatChoice::bf16, 13, 6, 192}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace dojo::runtime
