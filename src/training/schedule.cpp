#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace dojo::training {
namespace {

double cosine_between(double from, double to, double fraction) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * fraction));
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
  const double now = static_cast<double>(step);
  return kind_ == ScheduleKind::one_cycle ? one_cycle(now) : cosine(now);
}

double Schedule::one_cycle(double now) const {
  const double first = peak_ / 25, last = first / 1e4;
  const double top = 0.3 * static_cast<double>(steps_) - 1;  // the step at which the peak is reached
  const double end = static_cast<double>(steps_) - 1;
  if (now <= top) return cosine_between(first, peak_, now / top);
  return cosine_between(peak_, last, end > top ? (now - top) / (end - top) : 1.0);
}

double Schedule::cosine(double now) const {
  const double all = static_cast<double>(steps_), warm_up = std::max(1.0, std::floor(all / 2));
  if (now < warm_up) return peak_ * (now + 1) / warm_up;
  return cosine_between(peak_, 0, (now - warm_up) / (all - warm_up));
}

}  // namespace dojo::training
