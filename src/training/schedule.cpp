#include "training/schedule.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace dojo::training {
namespace {

double cosine_between(double from, double to, double fraction) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

double OneCycle::at(std::uint64_t step) const {
  DOJO_ENSURE(step < steps_);
  const double first = peak_ / 25, last = first / 1e4;
  const double top = 0.3 * static_cast<double>(steps_) - 1;  // the step at which the peak is reached
  const double end = static_cast<double>(steps_) - 1, now = static_cast<double>(step);
  if (now <= top) return cosine_between(first, peak_, now / top);
  return cosine_between(peak_, last, end > top ? (now - top) / (end - top) : 1.0);
}

}  // namespace dojo::training
