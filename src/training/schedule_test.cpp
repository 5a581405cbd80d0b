#include "training/schedule.h"

#include <gtest/gtest.h>

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

TEST(Cosine, RisesStraightOverHalfTheStepsAndEndsNearNothing) {
  const Schedule schedule(ScheduleKind::cosine, 1e-3, 10);
  for (std::uint64_t step = 0; step < 5; ++step)
    EXPECT_DOUBLE_EQ(schedule.at(step), 1e-3 * static_cast<double>(step + 1) / 5);
  EXPECT_DOUBLE_EQ(schedule.at(5), 1e-3);
  for (std::uint64_t step = 6; step < 10; ++step) EXPECT_LT(schedule.at(step), schedule.at(step - 1));
  EXPECT_GT(schedule.at(9), 0);
}

TEST(Cosine, SurvivesASingleStep) { EXPECT_EQ(Schedule(ScheduleKind::cosine, 1e-3, 1).at(0), 1e-3); }

TEST(OneCycle, SurvivesASingleStep) { EXPECT_GE(Schedule(ScheduleKind::one_cycle, 1e-3, 1).at(0), 0); }

}  // namespace
}  // namespace dojo::training
