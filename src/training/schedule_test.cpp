#include "training/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dojo::training {
namespace {

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
  const Schedule schedule(ScheduleKind::one_cycle, 3e-3, 10);
  for (std::uint64_t step = 0; step < 10; ++step)
    EXPECT_NEAR(schedule.at(step), expected[step], 1e-15) << "step " << step;
}

TEST(Cosine, IsOneCycleInRunsOf134StepsAndMore) {
  for (const std::uint64_t steps : {134, 135, 236, 1000})
    for (std::uint64_t step = 0; step < steps; ++step)
      EXPECT_EQ(Schedule(ScheduleKind::cosine, 3e-3, steps).at(step),
                Schedule(ScheduleKind::one_cycle, 3e-3, steps).at(step))
          << step << " of " << steps;
}

TEST(Cosine, RisesStraightAsOver40StepsInShorterRunsAndTurnsAtTheirHalf) {
  for (const std::uint64_t steps : {2, 9, 36, 80, 100, 133}) {
    const Schedule schedule(ScheduleKind::cosine, 1e-3, steps);
    const std::uint64_t turn = std::min<std::uint64_t>(40, steps / 2);
    for (std::uint64_t step = 0; step <= turn; ++step)
      EXPECT_NEAR(schedule.at(step), 4e-5 + 9.6e-4 * static_cast<double>(step) / 40, 1e-15)
          << step << " of " << steps;
    for (std::uint64_t step = turn + 1; step < steps; ++step)
      EXPECT_LT(schedule.at(step), schedule.at(step - 1)) << step << " of " << steps;
    EXPECT_GT(schedule.at(steps - 1), 0) << steps;
  }
  const Schedule eighty(ScheduleKind::cosine, 1e-3, 80);
  EXPECT_NEAR(eighty.at(60), 5e-4, 1e-15);  // half way down
}

TEST(Cosine, SurvivesASingleStep) { EXPECT_EQ(Schedule(ScheduleKind::cosine, 1e-3, 1).at(0), 4e-5); }

TEST(OneCycle, SurvivesASingleStep) { EXPECT_GE(Schedule(ScheduleKind::one_cycle, 1e-3, 1).at(0), 0); }

}  // namespace
}  // namespace dojo::training
