#include "training/batches.h"

#include "base/error.h"
#include "data/split.h"

namespace dojo::training {

Batches::Batches(const std::vector<std::uint32_t>& frames, std::uint64_t seed, std::uint64_t batch)
    : frames_(frames), seed_(seed), batch_(batch), steps_per_epoch_(frames.size() / batch) {
  DOJO_ENSURE(steps_per_epoch_ != 0);
}

std::vector<std::uint32_t> Batches::of_step(std::uint64_t step) {
  const std::uint64_t epoch = step / steps_per_epoch_;
  if (order_.empty() || epoch != order_epoch_) {
    order_ = data::shuffled(frames_, seed_, epoch);
    order_epoch_ = epoch;
  }
  const auto first = order_.begin() + static_cast<std::ptrdiff_t>(step % steps_per_epoch_ * batch_);
  return {first, first + static_cast<std::ptrdiff_t>(batch_)};
}

}  // namespace dojo::training
