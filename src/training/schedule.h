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
// cosine (Loshchilov and Hutter, "SGDR", 2017, after the linear warm-up of Goyal et al., 2017): a straight
// line from peak / warm-up steps up to `peak` over the first half of the steps, then cosine down to 0 behind
// the last. So long a warm-up because Adam's first steps move every weight by the learning rate, whatever the
// gradient: a short one makes the loss jump before it falls.
// Step 0 is the first. The momentum is not cycled.
class Schedule {
public:
  Schedule(ScheduleKind kind, double peak, std::uint64_t steps) : kind_(kind), peak_(peak), steps_(steps) {}
  double at(std::uint64_t step) const;  // step < steps

private:
  double one_cycle(double step) const;
  double cosine(double step) const;

  ScheduleKind kind_;
  double peak_;
  std::uint64_t steps_;
};

}  // namespace dojo::training
