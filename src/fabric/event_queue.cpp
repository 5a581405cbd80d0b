#include "fabric/event_queue.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace dojo::fabric {

void EventQueue::schedule(Cycle cycle, const Event& event) {
  DOJO_ENSURE(cycle >= begin_);
  if (cycle - begin_ < wheel_size)
    place(cycle, event);
  else
    far_.push({cycle, event});
}

void EventQueue::place(Cycle cycle, const Event& event) {
  const Cycle bucket = cycle % wheel_size;
  wheel_[bucket].push_back(event);
  occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
  ++near_;
}

// Distance from begin_ to the first occupied bucket; the wheel is not empty.
Cycle EventQueue::first_near() const {
  const Cycle start = begin_ % wheel_size;
  std::uint64_t word = start / 64;
  std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
  while (bits == 0) {
    word = (word + 1) % occupied_.size();
    bits = occupied_[word];
  }
  const Cycle bucket = word * 64 + static_cast<Cycle>(std::countr_zero(bits));
  return (bucket + wheel_size - start) % wheel_size;
}

std::optional<Cycle> EventQueue::next() const {
  if (near_ == 0 && far_.empty()) return std::nullopt;
  if (near_ == 0) return far_.top().cycle;
  const Cycle near = begin_ + first_near();
  return far_.empty() ? near : std::min(near, far_.top().cycle);
}

std::span<const Event> EventQueue::take(Cycle& cycle) {
  batch_.clear();
  if (near_ == 0 && far_.empty()) return {};
  if (near_ == 0) begin_ = far_.top().cycle;
  while (!far_.empty() && far_.top().cycle - begin_ < wheel_size) {
    place(far_.top().cycle, far_.top().event);
    far_.pop();
  }
  cycle = begin_ + first_near();
  const Cycle bucket = cycle % wheel_size;
  std::swap(batch_, wheel_[bucket]);
  occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
  near_ -= batch_.size();
  begin_ = cycle + 1;
  std::ranges::sort(batch_, {}, &Event::key);
  return batch_;
}

}  // namespace dojo::fabric
