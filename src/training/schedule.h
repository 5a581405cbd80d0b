// The learning rate of every step.
#pragma once

#include <cstdint>
#include <string_view>

namespace dojo::training {

enum class ScheduleKind : std::uint8_t { one_cycle, cosine };
ScheduleKind schedule_named(std::string_view name);  // "one-cycle" or "cosine"; UserError for anything else
std::string_view name(ScheduleKind kind);

// one_cycle (Smith and Topin, "Super-convergence", 2018), with the shape and defaults of PyTorch's
// OneCycleLR: cosine from peak / 25 up to `peak` over the first 30 % of the steps, then cosine down to peak /
// 250,000.
// cosine: the same for a run whose rise is of 40 steps and more, that is a run of 134 steps. A shorter one
// rises in a straight line as if over 40 steps, at most up to its half, and from there falls as a cosine to 0
// behind the last step; of less than 80 steps it never reaches `peak`. Adam's first steps move every weight
// by the learning rate, whatever the gradient (Ma and Yarats, "On the adequacy of untuned warmup for adaptive
// optimization", 2021): a steep rise makes the loss jump before it falls. Step 0 is the first. The momentum
// is not cycled.
class Schedule {
public:
  Schedule(ScheduleKind kind, double peak, std::uint64_t steps) : kind_(kind), peak_(peak), steps_(steps) {}
  double at(std::uint64_t step) const;  // step < steps

private:
  double one_cycle(double now, double steps) const;
  double short_cycle(double now, double steps) const;

  ScheduleKind kind_;
  double peak_;
  std::uint64_t steps_;
};

}  // namespace dojo::training
