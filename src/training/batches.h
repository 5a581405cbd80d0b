// Which frames each step takes: an epoch's order (split.h), cut into whole batches.
#pragma once

#include <cstdint>
#include <vector>

namespace dojo::training {

class Batches {
public:
  // Keeps a reference to `frames`. At least one batch of them, batch >= 1.
  Batches(const std::vector<std::uint32_t>& frames, std::uint64_t seed, std::uint64_t batch);

  // What is left over waits for another epoch's order.
  std::uint64_t steps_per_epoch() const { return steps_per_epoch_; }
  // Of step 0, 1, ...: a function of the step alone.
  std::vector<std::uint32_t> of_step(std::uint64_t step);

private:
  const std::vector<std::uint32_t>& frames_;
  std::uint64_t seed_, batch_, steps_per_epoch_;
  std::vector<std::uint32_t> order_;  // of order_epoch_; empty: of none yet
  std::uint64_t order_epoch_ = 0;
};

}  // namespace dojo::training
