// How good predictions are, always beside those of a constant.
#pragma once

#include <span>

namespace dojo::training {

struct Quality {
  double r2 = 0, rmse = 0, mae = 0;
  double constant_rmse = 0, constant_mae = 0;  // of a predictor that always says the targets' mean
};

// Accumulated in double, in order. R2 = 1 - sum of squared errors / sum of squared deviations from the mean;
// 0 if the targets are all equal. Both spans have the same length >= 1.
Quality quality(std::span<const float> predictions, std::span<const float> targets);

}  // namespace dojo::training
