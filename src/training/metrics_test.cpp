#include "training/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dojo::training {
namespace {

TEST(Quality, OfAPerfectPredictorIsOneAndZero) {
  const std::vector<float> targets = {1, 2, 4};
  const Quality result = quality(targets, targets);
  EXPECT_EQ(result.r2, 1);
  EXPECT_EQ(result.rmse, 0);
  EXPECT_EQ(result.mae, 0);
}

TEST(Quality, OfTheMeanIsThatOfAConstantPredictor) {
  const std::vector<float> targets = {0, 0, 3, 5}, mean = {2, 2, 2, 2};
  const Quality result = quality(mean, targets);
  EXPECT_EQ(result.r2, 0);
  EXPECT_DOUBLE_EQ(result.rmse, std::sqrt(18.0 / 4));
  EXPECT_DOUBLE_EQ(result.constant_rmse, result.rmse);
  EXPECT_DOUBLE_EQ(result.mae, 2);
  EXPECT_DOUBLE_EQ(result.constant_mae, 2);
}

// No predictor can be told from a constant by targets that are one.
TEST(Quality, HasNoR2OfTargetsThatAreAllEqual) {
  const Quality result = quality(std::vector<float>{0.5, 1, 0}, std::vector<float>{0.5, 0.5, 0.5});
  EXPECT_TRUE(std::isnan(result.r2));
  EXPECT_EQ(result.constant_rmse, 0);
  EXPECT_DOUBLE_EQ(result.mae, 1.0 / 3);
}

TEST(Quality, OfAWorsePredictorIsNegative) {
  EXPECT_LT(quality(std::vector<float>{3, 0}, std::vector<float>{0, 3}).r2, 0);
}

}  // namespace
}  // namespace dojo::training
