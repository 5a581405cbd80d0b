#include "training/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dojo::training {
namespace {

const Schedule& one_cycle = schedule_named("one-cycle");
const Schedule& cosine = schedule_named("cosine");

// torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=10), PyTorch 2.13.0, get_last_lr()
// before each step.
TEST(OneCycle, FollowsPyTorch) {
  const double expected[] = {0.00012,
                             0.00156,
                             0.003,
                             0.002851453896040421,
                             0.0024352369618492894,
                             0.0018337860658088677,
                             0.0011662259341911321,
                             0.0005647750381507109,
                             0.00014855810395957884,
                             1.2e-08};
  for (std::uint64_t step = 0; step < 10; ++step)
    EXPECT_NEAR(one_cycle.at(3e-3, step, 10), expected[step], 1e-15) << "step " << step;
}

TEST(Cosine, IsOneCycleInRunsOf134StepsAndMore) {
  for (const std::uint64_t steps : {134, 135, 236, 1000})
    for (std::uint64_t step = 0; step < steps; ++step)
      EXPECT_EQ(cosine.at(3e-3, step, steps), one_cycle.at(3e-3, step, steps)) << step << " of " << steps;
}

TEST(Cosine, RisesStraightAsOver40StepsInShorterRunsAndTurnsAtTheirHalf) {
  for (const std::uint64_t steps : {2, 9, 36, 80, 100, 133}) {
    const auto rate = [&](std::uint64_t step) { return cosine.at(1e-3, step, steps); };
    const std::uint64_t turn = std::min<std::uint64_t>(40, steps / 2);
    for (std::uint64_t step = 0; step <= turn; ++step)
      EXPECT_NEAR(rate(step), 4e-5 + 9.6e-4 * static_cast<double>(step) / 40, 1e-15)
          << step << " of " << steps;
    for (std::uint64_t step = turn + 1; step < steps; ++step)
      EXPECT_LT(rate(step), rate(step - 1)) << step << " of " << steps;
    EXPECT_GT(rate(steps - 1), 0) << steps;
  }
  EXPECT_NEAR(cosine.at(1e-3, 60, 80), 5e-4, 1e-15);  // half way down
}

TEST(Cosine, SurvivesASingleStep) { EXPECT_EQ(cosine.at(1e-3, 0, 1), 4e-5); }

TEST(OneCycle, SurvivesASingleStep) { EXPECT_GE(one_cycle.at(1e-3, 0, 1), 0); }

}  // namespace
}  // namespace dojo::training
