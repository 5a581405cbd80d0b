#include "report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/portable_math.h"

namespace dojo::report {
namespace {

constexpr double ln10 = 0x1.26bb1bbb55516p+1;
constexpr double most_value = 1e300;  // of what an axis tells apart

// 10^exponent, rounded once; an exponent of at most 301 either way.
double power_of_ten(int exponent) {
  const std::string text = fmt::format("1e{}", exponent);
  double power = 0;
  std::from_chars(text.data(), text.data() + text.size(), power);
  return power;
}

// Of the largest power of ten that is not above `value`, which is > 0 and at most `most_value`.
int decade_of(double value) {
  int decade = static_cast<int>(std::floor(logarithm(value) / ln10));
  while (power_of_ten(decade) > value) --decade;
  while (power_of_ten(decade + 1) <= value) ++decade;
  return decade;
}

Extent with_room(Extent extent) {
  if (extent.empty()) return {0, 1};
  // Beyond a double's range, and where the ends differ by rounding alone, there is nothing to tell apart.
  extent.low = std::max(extent.low, -most_value);
  extent.high = std::min(extent.high, most_value);
  const double size = std::max(std::abs(extent.low), std::abs(extent.high));
  if (extent.high - extent.low > std::max(1e-9 * size, 1e-290)) return extent;
  const double room = size < 1e-280 ? 1 : 0.1 * size;
  return {extent.low - room, extent.high + room};
}

double step_of(const Extent& extent, std::size_t ticks) {
  const double rough = (extent.high - extent.low) / static_cast<double>(ticks);
  const int decade = decade_of(rough);
  const double power = power_of_ten(decade);
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power * (1 + 1e-9)) return factor * power;
  return power_of_ten(decade + 1);
}

// Multiples, so that 0 is 0 and none is off by many roundings.
std::vector<double> multiples(double step, double low, double high) {
  std::vector<double> ticks;
  const double slack = 1e-9 * (high - low);
  for (double k = std::ceil((low - slack) / step); k * step <= high + slack; ++k)
    ticks.push_back(k == 0 ? 0 : k * step);
  return ticks;
}

}  // namespace

void Extent::see(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

double Axis::place(double value) const {
  const double clamped = std::clamp(value, low, high);
  if (scale == Scale::logarithmic) return logarithm(clamped / low) / logarithm(high / low);
  return (clamped - low) / (high - low);
}

std::string Axis::tick_text(std::size_t tick) const {
  const double value = ticks.at(tick);
  const double size = std::max(std::abs(ticks.front()), std::abs(ticks.back()));
  if (scale == Scale::logarithmic || ticks.size() < 2 || size >= 1e7 || size < 1e-3)
    return fmt::format("{:.4g}", value);
  const double step = ticks[1] - ticks[0];
  return fmt::format("{:.{}f}", value, std::max(0, -decade_of(step * (1 + 1e-9))));
}

Axis linear_axis(Extent extent, std::size_t ticks) {
  DOJO_ENSURE(ticks != 0);
  extent = with_room(extent);
  Axis axis;
  axis.ticks = multiples(step_of(extent, ticks), extent.low, extent.high);
  axis.low = extent.low;
  axis.high = extent.high;
  return axis;
}

Axis whole_axis(Extent extent, std::size_t ticks) {
  DOJO_ENSURE(ticks != 0);
  extent = with_room(extent);
  const double step = step_of(extent, ticks);
  Axis axis;
  axis.low = std::floor(extent.low / step + 1e-9) * step;
  axis.high = std::ceil(extent.high / step - 1e-9) * step;
  axis.ticks = multiples(step, axis.low, axis.high);
  return axis;
}

Axis logarithmic_axis(Extent extent) {
  DOJO_ENSURE(extent.empty() || extent.low > 0);
  if (extent.empty()) extent = {0.1, 1};
  Axis axis;
  axis.scale = Scale::logarithmic;
  constexpr double last = 1e150;  // so that the ratio of the two is a double, too
  axis.low = std::clamp(extent.low, 1 / last, last) / 1.15;
  axis.high = std::clamp(extent.high, 1 / last, last) * 1.15;
  const double decades = logarithm(axis.high / axis.low) / ln10;
  const int every = std::max(1, static_cast<int>(std::ceil(decades / 8)));
  for (int power = decade_of(axis.low); power_of_ten(power) <= axis.high; ++power)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * power_of_ten(power);
      const bool kept = factor == 1 ? power % every == 0 : decades < 3;
      if (kept && tick >= axis.low && tick <= axis.high) axis.ticks.push_back(tick);
    }
  return axis;
}

}  // namespace dojo::report
