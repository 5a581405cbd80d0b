// Is the right thing stored in one byte, does the bias follow the data, and is the SRAM really saved?
#include "lowering/cfloat_storage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "codegen/emit.h"
#include "graph/interpreter.h"
#include "lowering/formats.h"
#include "lowering/lower.h"
#include "lowering/sample_networks_for_tests.h"
#include "numerics/format.h"

namespace dojo::codegen {
namespace {

using graph::Graph;
using graph::TensorId;
using numerics::Format;

Format format_of(const Graph& graph, const std::string& name) {
  const TensorId id = graph.find(name);
  EXPECT_NE(id, graph::no_tensor) << name;
  return id == graph::no_tensor ? Format::i32 : graph.at(id).format;
}

// A training step in the making, with samples of the given size.
class StepRun {
public:
  StepRun(const Graph& step, lowering::FormatChoice formats, float input_size)
      : graph(assign_formats(step, formats)), interpreter(graph) {
    Random random(3);
    for (TensorId id = 0; id < static_cast<TensorId>(graph.tensors.size()); ++id) {
      const graph::Tensor& tensor = graph.at(id);
      std::vector<float> values;
      const float size = tensor.role == graph::Role::input ? input_size : 1;
      for (std::int64_t k = 0; k < graph::element_count(tensor.shape); ++k)
        values.push_back(tensor.role == graph::Role::scalar ? 1e-4f
                                                            : size * static_cast<float>(random.normal()));
      if (tensor.role == graph::Role::input || tensor.role == graph::Role::label ||
          tensor.role == graph::Role::scalar)
        interpreter.set(id, values);
    }
  }
  void step() {
    interpreter.run();
    interpreter.update();
  }
  const std::vector<float>& value(const std::string& name) const {
    return interpreter.value(graph.find(name));
  }

  Graph graph;
  graph::Interpreter interpreter;
};

double mean_magnitude(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += std::fabs(static_cast<double>(value));
  return sum / static_cast<double>(values.size());
}

// The tensors that have a scale of their own, in the order of `cfloat8.scales`.
std::vector<std::string> scaled(const Graph& graph) {
  std::vector<std::string> names;
  for (const graph::Tensor& tensor : graph.tensors) {
    const auto end = tensor.name.find(".magnitudes");
    if (end != std::string::npos) names.push_back(tensor.name.substr(0, end));
  }
  return names;
}

TEST(CfloatStorage, TakesActivationsAndGradientsOfPilotnet) {
  const Graph graph = assign_formats(lowering::sample::pilotnet(4), lowering::FormatChoice::cfloat8);
  std::int64_t bytes = 0, elements = 0, gradients = 0;
  for (const graph::Tensor& tensor : graph.tensors) {
    if (!tensor.has_batch || tensor.role != graph::Role::value || tensor.name.ends_with(".magnitudes"))
      continue;
    const std::int64_t count = graph::element_count(tensor.shape);
    if (count / 4 <= lowering::always_fp32_elements) continue;
    gradients += tensor.format == Format::cfloat8_152 ? 1 : 0;
    elements += count;
    bytes += count * numerics::storage_bytes(tensor.format);
  }
  EXPECT_GE(gradients, 6);
  // All but the gradient that goes back through the flattening, element by element.
  EXPECT_LT(static_cast<double>(bytes), 1.01 * static_cast<double>(elements));
  EXPECT_EQ(format_of(graph, "image"), Format::bf16);
  EXPECT_EQ(format_of(graph, lowering::cfloat8_scales), Format::fp32);
}

TEST(CfloatStorage, LeavesRunningSumsAndNormsAtTwoBytes) {
  const Graph graph = assign_formats(lowering::sample::residual(4), lowering::FormatChoice::cfloat8);
  std::size_t narrow = 0;
  for (const graph::StructuredOp& op : graph.ops) {
    const bool multiplies_pairs = op.reduction == graph::Reduction::sum;
    for (const graph::Access& access : op.extra) {
      const graph::Tensor& read = graph.at(access.tensor);
      if (read.format == Format::cfloat8_152) ADD_FAILURE() << op.name << " rounds " << read.name;
    }
    if (multiplies_pairs) continue;
    for (const graph::Access& access : op.in) {
      const graph::Tensor& read = graph.at(access.tensor);
      if (read.format == Format::cfloat8_152) ADD_FAILURE() << op.name << " rounds " << read.name;
    }
  }
  for (const graph::Tensor& tensor : graph.tensors) narrow += tensor.format == Format::cfloat8_143 ? 1 : 0;
  EXPECT_GE(narrow, 1u);
}

TEST(CfloatStorage, KeepsMaximaEqualToTheirOperands) {
  const Graph graph = assign_formats(lowering::sample::convolutions(4), lowering::FormatChoice::cfloat8);
  for (const graph::StructuredOp& op : graph.ops) {
    if (op.reduction != graph::Reduction::maximum) continue;
    EXPECT_EQ(graph.at(op.out.tensor).format, Format::cfloat8_143) << op.name;
    EXPECT_EQ(graph.at(op.in[0].tensor).format, Format::cfloat8_143) << op.name;
    EXPECT_TRUE(op.epilogue.empty()) << op.name << " moves to another scale";
  }
}

TEST(CfloatStorage, ChangesNothingWithoutABackwardPass) {
  Graph forward = lowering::sample::convolutions(4);
  forward.update.clear();
  EXPECT_EQ(graph::to_text(assign_formats(forward, lowering::FormatChoice::cfloat8)),
            graph::to_text(assign_formats(forward, lowering::FormatChoice::bf16)));
}

// Inputs 4000 times as large or small: after a few steps the codes are of the same size again.
TEST(CfloatStorage, TheBiasFollowsTheData) {
  for (const float size : {1.0f / 4096, 1.0f, 4096.0f}) {
    StepRun run(lowering::sample::convolutions(6), lowering::FormatChoice::cfloat8, size);
    for (int step = 0; step < 4; ++step) run.step();
    const std::vector<std::string> names = scaled(run.graph);
    const std::vector<float>& scales = run.value(lowering::cfloat8_scales);
    ASSERT_EQ(names.size(), scales.size());
    run.interpreter.run();
    for (std::size_t k = 0; k < names.size(); ++k) {
      int exponent = 0;
      EXPECT_EQ(std::frexp(scales[k], &exponent), 0.5f) << names[k] << " " << scales[k];
      const double mean = mean_magnitude(run.value(names[k]));
      if (mean == 0) continue;  // no gradient flows
      const bool bounded =
          exponent - 1 == lowering::largest_cfloat8_scale || exponent - 1 == lowering::least_cfloat8_scale;
      EXPECT_TRUE(bounded || (mean > 1.5 && mean < 10)) << names[k] << " " << mean << " at size " << size;
    }
  }
}

// Against FP32: the gradients of all weights, after the scales have settled.
TEST(CfloatStorage, GradientsStayClose) {
  for (const auto make : {lowering::sample::convolutions, lowering::sample::residual}) {
    Graph step = make(12);
    for (const auto& [parameter, gradient] : step.gradient) step.outputs.push_back(gradient);
    Graph kept = step;
    kept.update.clear();  // the weights stay where they are; only the scales move
    StepRun exact(kept, lowering::FormatChoice::fp32, 1), narrow(step, lowering::FormatChoice::cfloat8, 1);
    const std::vector<float> scales = narrow.value(lowering::cfloat8_scales);
    for (int k = 0; k < 3; ++k) {
      narrow.interpreter.run();
      const TensorId state = narrow.graph.find(lowering::cfloat8_scales);
      narrow.interpreter.set(state,
                             std::vector<float>(narrow.interpreter.value(narrow.graph.update.at(state))));
    }
    EXPECT_NE(narrow.value(lowering::cfloat8_scales), scales);
    exact.interpreter.run();
    for (const auto& [parameter, gradient] : step.gradient) {
      const std::string& name = step.at(gradient).name;
      const std::vector<float>&a = exact.value(name), &b = narrow.value(name);
      double difference = 0, size = 0;
      for (std::size_t k = 0; k < a.size(); ++k) {
        difference += std::pow(static_cast<double>(a[k]) - b[k], 2);
        size += std::pow(static_cast<double>(a[k]), 2);
      }
      // Sums of cancelling terms: biases lose more than weights.
      const double bound = step.at(parameter).shape.size() > 1 ? 0.2 : 0.5;
      EXPECT_LT(std::sqrt(difference), bound * std::sqrt(size)) << name;
    }
  }
}

// The whole plan of a step, as if the node had any amount of SRAM.
PlannedProgram planned(const lowering::Lowered& lowered) {
  lowering::PersistentLayout persistent;
  persistent.mesh = lowered.program.mesh;
  persistent.begin = persistent.end = std::uint64_t{1} << 40;
  std::uint64_t offset = 0;
  for (const auto& [name, shard] : lowered.program.shards) {
    persistent.tensors.push_back({name, {}, shard, offset});
    offset += static_cast<std::uint64_t>(shard.shard_elements()) * 4;
  }
  return plan_program(lowered.program, persistent, default_panel_bytes);
}

TEST(CfloatStorage, HalvesWhatIsSavedForTheBackwardPass) {
  std::uint64_t peak[2] = {};
  std::int64_t saved[2] = {};
  for (const lowering::FormatChoice formats :
       {lowering::FormatChoice::bf16, lowering::FormatChoice::cfloat8}) {
    const std::size_t which = formats == lowering::FormatChoice::bf16 ? 0 : 1;
    const Graph graph = assign_formats(lowering::sample::pilotnet(32), formats);
    const lowering::Lowered lowered = lowering::lower(graph, 8);
    const PlannedProgram plan = planned(lowered);
    peak[which] = plan.memory.peak_bytes;
    // Alive over most of the step, and not the pictures themselves.
    const auto steps = static_cast<std::int64_t>(lowered.program.steps.size());
    for (std::size_t b = 0; b < lowered.program.buffers.size(); ++b) {
      const lowering::Buffer& buffer = lowered.program.buffers[b];
      const Lifetime& life = plan.memory.lifetime[b];
      const TensorId tensor = graph.find(buffer.name);
      if (tensor == graph::no_tensor || !graph.at(tensor).has_batch || buffer.view_of != lowering::no_buffer)
        continue;
      if (graph.at(tensor).role != graph::Role::value || life.last - life.first < steps / 4) continue;
      saved[which] += buffer.bytes();
    }
  }
  EXPECT_GT(saved[0], 4 * 150'000);
  EXPECT_NEAR(static_cast<double>(saved[1]) / static_cast<double>(saved[0]), 0.5, 0.05);
  EXPECT_LT(static_cast<double>(peak[1]), 0.85 * static_cast<double>(peak[0]));
}

}  // namespace
}  // namespace dojo::codegen
