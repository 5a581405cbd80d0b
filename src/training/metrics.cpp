#include "training/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace dojo::training {

Quality quality(std::span<const float> predictions, std::span<const float> targets) {
  DOJO_ENSURE(!targets.empty() && predictions.size() == targets.size());
  const double count = static_cast<double>(targets.size());
  double mean = 0;
  for (const float target : targets) mean += target;
  mean /= count;

  double error_squares = 0, error_sizes = 0, deviation_squares = 0, deviation_sizes = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double error = static_cast<double>(predictions[i]) - targets[i], deviation = targets[i] - mean;
    error_squares += error * error;
    error_sizes += std::abs(error);
    deviation_squares += deviation * deviation;
    deviation_sizes += std::abs(deviation);
  }
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  return {.r2 = deviation_squares > 0 ? 1 - error_squares / deviation_squares : undefined,
          .rmse = std::sqrt(error_squares / count),
          .mae = error_sizes / count,
          .constant_rmse = std::sqrt(deviation_squares / count),
          .constant_mae = deviation_sizes / count};
}

std::string r2_text(double r2) { return std::isnan(r2) ? "-" : fmt::format("{:.4f}", r2); }

}  // namespace dojo::training
