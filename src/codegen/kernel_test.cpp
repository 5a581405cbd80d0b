// Do kernels say how much they multiply, and does a strided input gradient become sums without collisions?
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "codegen/kernel.h"
#include "lowering/access.h"
#include "lowering/formats.h"
#include "lowering/lower.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t samples = 3;

lowering::LoweredProgram pilotnet() {
  return lowering::lower(
             assign_formats(lowering::sample::pilotnet(2 * samples), lowering::FormatChoice::bf16), 2)
      .program;
}

// Every compute step, those in loops included.
template <typename Visit>
void for_each_compute(const std::vector<lowering::Step>& steps, Visit visit) {
  for (const lowering::Step& step : steps) {
    if (const auto* compute = std::get_if<lowering::ComputeStep>(&step)) visit(*compute);
    if (const auto* loop = std::get_if<lowering::LoopStep>(&step)) for_each_compute(loop->body, visit);
  }
}

// Sum over all pixels of a dimension of the points of a kernel that reach each: pixel h of the gradient has
// those k of 0 .. taps - 1 with k = h (mod stride), whether or not the output has a pixel there.
std::int64_t gathered(std::int64_t pixels, std::int64_t taps, std::int64_t stride) {
  std::int64_t sum = 0;
  for (std::int64_t h = 0; h < pixels; ++h) {
    for (std::int64_t k = 0; k < taps; ++k) sum += k % stride == h % stride;
  }
  return sum;
}

TEST(Kernels, count_their_multiplications_as_the_closed_forms_do) {
  // However small the blocks are that a kernel is cut into.
  for (const std::int64_t panel_bytes : {default_panel_bytes, default_panel_bytes / 16}) {
    const lowering::LoweredProgram program = pilotnet();
    std::map<std::string, std::int64_t> counted;
    for_each_compute(program.steps, [&](const lowering::ComputeStep& step) {
      const auto count = static_cast<std::int64_t>(plan_kernel(program, step, panel_bytes).multiply_adds);
      if (lowering::is_contraction(step.op)) {
        counted[step.op.name] += count;
      } else {
        EXPECT_EQ(count, 0) << step.op.name;
      }
    });
    const std::int64_t conv1 = 24 * 31 * 98 * 3 * 5 * 5, conv2 = 36 * 14 * 47 * 24 * 5 * 5,
                       conv4 = 64 * 3 * 20 * 48 * 3 * 3, conv5 = 64 * 1 * 18 * 64 * 3 * 3;
    const std::map<std::string, std::int64_t> expected = {
        {"conv1", conv1},
        {"conv2", conv2},
        {"conv4", conv4},
        {"conv5", conv5},
        {"conv1.grad.conv1.w", conv1},
        {"conv2.grad.conv2.w", conv2},
        {"conv4.grad.conv4.w", conv4},
        {"conv5.grad.conv5.w", conv5},
        {"conv2.grad.conv1.3", 36 * 24 * gathered(31, 5, 2) * gathered(98, 5, 2)},
        {"conv4.grad.conv3.3", 64 * 48 * gathered(5, 3, 1) * gathered(22, 3, 1)},
        // One row of conv5 reaches three, each by one point of its kernel.
        {"conv5.grad.conv4.3", 64 * 64 * 3 * gathered(20, 3, 1)},
        {"dense2", 100 * 50},
        {"dense2.grad.dense2.w", 100 * 50},
        {"dense2.grad.dense1.3", 100 * 50},
    };
    for (const auto& [name, count] : expected) EXPECT_EQ(counted[name], samples * count) << name;
  }
}

TEST(Kernels, make_the_gradient_of_a_strided_convolution_without_collisions) {
  const lowering::LoweredProgram program = pilotnet();
  std::set<std::string> kinds;
  std::size_t parts = 0;
  for_each_compute(program.steps, [&](const lowering::ComputeStep& step) {
    kinds.insert(kind_of(plan_kernel(program, step, default_panel_bytes)));
    parts += step.op.name == "conv2.grad.conv1.3";
  });
  EXPECT_EQ(parts, 4u);  // stride 2 both ways
  EXPECT_TRUE(kinds.contains("matrix"));
  EXPECT_FALSE(kinds.contains("scatter"));
  EXPECT_FALSE(kinds.contains("matrix scatter"));
}

}  // namespace
}  // namespace dojo::codegen
