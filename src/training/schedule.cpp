#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/portable_math.h"

namespace dojo::training {
namespace {

constexpr double rise = 0.3;          // of all steps
constexpr double gentle_rise = 40.0;  // steps

double cosine_between(double from, double to, double fraction) {
  return to + (from - to) / 2 * (1 + cosine(std::numbers::pi * fraction));
}

}  // namespace

ScheduleKind schedule_named(std::string_view name) {
  if (name == "one-cycle") return ScheduleKind::one_cycle;
  if (name == "cosine") return ScheduleKind::cosine;
  refuse("--schedule", "'{}' is none of one-cycle, cosine", name);
}

std::string_view name(ScheduleKind kind) { return kind == ScheduleKind::one_cycle ? "one-cycle" : "cosine"; }

double Schedule::at(std::uint64_t step) const {
  DOJO_ENSURE(step < steps_);
  const double now = static_cast<double>(step), steps = static_cast<double>(steps_);
  return kind_ == ScheduleKind::one_cycle || rise * steps >= gentle_rise ? one_cycle(now, steps)
                                                                         : short_cycle(now, steps);
}

double Schedule::one_cycle(double now, double steps) const {
  const double first = peak_ / 25, last = first / 1e4;
  const double top = rise * steps - 1;  // the step at which the peak is reached
  const double end = steps - 1;
  if (now <= top) return cosine_between(first, peak_, now / top);
  return cosine_between(peak_, last, end > top ? (now - top) / (end - top) : 1.0);
}

double Schedule::short_cycle(double now, double steps) const {
  const auto line = [&](double step) { return peak_ / 25 * (1 + 24 * step / gentle_rise); };
  const double top = std::floor(std::min(steps / 2, gentle_rise));
  if (now <= top) return line(now);
  return cosine_between(line(top), 0, (now - top) / (steps - top));
}

}  // namespace dojo::training
