// Does the lowered program in tiles, of any size, compute what the graph means?
#include "lowering/lower_boxes.h"

#include <gtest/gtest.h>

#include "lowering/formats.h"
#include "lowering/lowered_meaning_for_tests.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::lowering {
namespace {

namespace traced = graph::traced;

struct BoxCase {
  const char* name;
  graph::Graph (*make)(std::int64_t batch);
  FormatChoice formats;
  std::int64_t batch;
  unsigned nodes;
  std::int64_t bytes;  // that a tile may take
  double bound;
};

class LoweringInBoxes : public testing::TestWithParam<BoxCase> {};

TEST_P(LoweringInBoxes, computes_what_the_graph_means) {
  const BoxCase& c = GetParam();
  const graph::Graph graph = assign_formats(c.make(c.batch), c.formats);
  const Lowered lowered = lower_in_boxes(graph, {c.nodes, c.bytes});
  for (const Buffer& buffer : lowered.program.buffers) {
    if (buffer.storage != Storage::scratch || buffer.name == "staging") continue;
    EXPECT_LE(buffer.bytes(), c.bytes) << buffer.name;
  }
  expect_meaning(graph, lowered.program, c.batch, c.bound);
}

INSTANTIATE_TEST_SUITE_P(
    , LoweringInBoxes,
    testing::Values(
        BoxCase{"mlp_1", sample::mlp, FormatChoice::fp32, 5, 1, 1024, 1e-5},
        BoxCase{"mlp_6", sample::mlp, FormatChoice::fp32, 12, 6, 100000, 1e-5},
        BoxCase{"wide_4", sample::wide_mlp, FormatChoice::fp32, 8, 4, 8192, 1e-4},
        BoxCase{"convolutions_1", sample::convolutions, FormatChoice::fp32, 3, 1, 1000000, 1e-5},
        BoxCase{"convolutions_6", sample::convolutions, FormatChoice::fp32, 5, 6, 6000, 1e-4},
        BoxCase{"convolutions_bf16", sample::convolutions, FormatChoice::bf16, 6, 6, 6000, 2e-2},
        BoxCase{"lookups_6", sample::lookups, FormatChoice::fp32, 13, 6, 4096, 1e-4},
        BoxCase{"pictures_6", sample::pictures, FormatChoice::fp32, 2, 6, 100000, 1e-4},
        BoxCase{"residual_6", sample::residual, FormatChoice::fp32, 12, 6, 6000, 1e-4},
        BoxCase{"sequence_4", sample::spread<traced::sequence>, FormatChoice::fp32, 10, 4, 4096, 1e-4},
        BoxCase{"places_first_6", sample::spread<traced::places_first>, FormatChoice::fp32, 6, 6, 4096, 1e-4},
        BoxCase{"attention_6", sample::spread<traced::attention>, FormatChoice::fp32, 12, 6, 4096, 1e-3},
        BoxCase{"images_4", sample::spread<traced::images>, FormatChoice::fp32, 7, 4, 4096, 1e-3},
        BoxCase{"clipped_6", sample::spread<traced::clipped>, FormatChoice::fp32, 12, 6, 4096, 1e-4},
        BoxCase{"vocabulary_4", sample::spread<traced::vocabulary>, FormatChoice::fp32, 7, 4, 100000, 1e-4},
        BoxCase{"largest_6", sample::spread<traced::largest>, FormatChoice::fp32, 8, 6, 4096, 1e-4},
        BoxCase{"regularized_4", sample::spread<traced::regularized>, FormatChoice::fp32, 8, 4, 8192, 1e-4},
        BoxCase{"by_hand_6", sample::spread<traced::by_hand>, FormatChoice::fp32, 12, 6, 4096, 1e-4},
        BoxCase{"merged_6", sample::spread<traced::merged>, FormatChoice::fp32, 12, 6, 4096, 1e-4}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace dojo::lowering
