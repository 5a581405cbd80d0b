// How good predictions are, always beside those of a constant.
#pragma once

#include <span>
#include <string>

namespace dojo::training {

struct Quality {
  double r2 = 0, rmse = 0, mae = 0;
  double constant_rmse = 0, constant_mae = 0;  // of a predictor that always says the targets' mean
};

// Accumulated in double, in order. R2 = 1 - sum of squared errors / sum of squared deviations from the mean;
// NaN if the targets are all equal, for there is no such number. Both spans have the same length >= 1.
Quality quality(std::span<const float> predictions, std::span<const float> targets);

std::string r2_text(double r2);  // four places; "-" for none

}  // namespace dojo::training
