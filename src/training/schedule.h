// Schedules: the learning rate of every step.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dojo::training {

struct Schedule {
  std::string_view name, about;  // "cosine"; what it does, for people
  double (*rate)(double peak, double step, double steps);

  // Of step 0, 1, ... of so many.
  double at(double peak, std::uint64_t step, std::uint64_t steps) const;
};

// one-cycle (Smith and Topin, "Super-convergence", 2018), with the shape and defaults of PyTorch's
// OneCycleLR: cosine from peak / 25 up to `peak` over the first 30 % of the steps, then cosine down to peak /
// 250,000.
// cosine: the same for a run whose rise is of 40 steps and more, that is a run of 134 steps. A shorter one
// rises in a straight line as if over 40 steps, at most up to its half, and from there falls as a cosine to 0
// behind the last step; of less than 80 steps it never reaches `peak`. Adam's first steps move every weight
// by the learning rate, whatever the gradient (Ma and Yarats, "On the adequacy of untuned warmup for adaptive
// optimization", 2021): a steep rise makes the loss jump before it falls. The momentum is not cycled.
std::span<const Schedule> schedules();
const Schedule& schedule_named(std::string_view name);  // UserError for one that there is not

}  // namespace dojo::training
