// The learning rate of every step.
#pragma once

#include <cstdint>

namespace dojo::training {

// One-cycle (Smith and Topin, "Super-convergence", 2018), with the shape and defaults of PyTorch's
// OneCycleLR: cosine from peak / 25 up to `peak` over the first 30 % of the steps, then cosine down to peak /
// 250,000. Step 0 is the first. The momentum is not cycled.
class OneCycle {
public:
  OneCycle(double peak, std::uint64_t steps) : peak_(peak), steps_(steps) {}
  double at(std::uint64_t step) const;  // step < steps

private:
  double peak_;
  std::uint64_t steps_;
};

}  // namespace dojo::training
