#include "training/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.h"
#include "base/portable_math.h"

namespace dojo::training {
namespace {

constexpr double rise = 0.3;          // of all steps
constexpr double gentle_rise = 40.0;  // steps

double cosine_between(double from, double to, double fraction) {
  return to + (from - to) / 2 * (1 + cosine(std::numbers::pi * fraction));
}

double one_cycle(double peak, double step, double steps) {
  const double first = peak / 25, last = first / 1e4;
  const double top = rise * steps - 1;  // the step at which the peak is reached
  const double end = steps - 1;
  if (step <= top) return cosine_between(first, peak, step / top);
  return cosine_between(peak, last, end > top ? (step - top) / (end - top) : 1.0);
}

double short_cycle(double peak, double step, double steps) {
  const auto line = [&](double at) { return peak / 25 * (1 + 24 * at / gentle_rise); };
  const double top = std::floor(std::min(steps / 2, gentle_rise));
  if (step <= top) return line(step);
  return cosine_between(line(top), 0, (step - top) / (steps - top));
}

double gentle_cycle(double peak, double step, double steps) {
  return rise * steps >= gentle_rise ? one_cycle(peak, step, steps) : short_cycle(peak, step, steps);
}

constexpr std::array schedule_rows = {
    Schedule{"one-cycle",
             "from 1/25 of the peak up to it at 30 % of the steps, then down; as PyTorch's OneCycleLR",
             one_cycle},
    Schedule{"cosine", "the same, but with a gentler rise in runs of less than 134 steps", gentle_cycle},
};

}  // namespace

double Schedule::at(double peak, std::uint64_t step, std::uint64_t steps) const {
  DOJO_ENSURE(step < steps);
  return rate(peak, static_cast<double>(step), static_cast<double>(steps));
}

std::span<const Schedule> schedules() { return schedule_rows; }

const Schedule& schedule_named(std::string_view name) {
  const auto row = std::ranges::find(schedule_rows, name, &Schedule::name);
  if (row != schedule_rows.end()) return *row;
  std::vector<std::string_view> names;
  for (const Schedule& known : schedule_rows) names.push_back(known.name);
  refuse(Settings{{"schedule"}}, "", "'{}' is no schedule; there are {}", name, fmt::join(names, ", "));
}

}  // namespace dojo::training
