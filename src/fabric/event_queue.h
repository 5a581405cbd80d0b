// What happens when: events by cycle, and within a cycle by key, so that the order never depends on who
// scheduled first.
//
// A wheel of buckets holds the near future, a heap the rest; in the steady state nothing is allocated. All
// events of a cycle are handed out together, and while they are handled new ones may be scheduled for later
// cycles only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

namespace dojo::fabric {

using Cycle = std::uint64_t;

struct Event {
  std::uint64_t key;   // order within the cycle
  std::uint32_t kind;  // meanings belong to whoever handles the events
  std::uint32_t item;
};

class EventQueue {
public:
  // `cycle` lies after the batch last taken.
  void schedule(Cycle cycle, const Event& event);

  // The next cycle with events, and all of them in order; empty when nothing is left. Valid until the next
  // call.
  std::span<const Event> take(Cycle& cycle);
  // The next cycle with events, if there is one.
  std::optional<Cycle> next() const;

private:
  static constexpr Cycle wheel_size = 1024;
  struct Far {
    Cycle cycle;
    Event event;
    bool operator<(const Far& other) const { return cycle > other.cycle; }
  };

  void place(Cycle cycle, const Event& event);
  Cycle first_near() const;

  Cycle begin_ = 0;  // events lie at or after this
  std::array<std::vector<Event>, wheel_size> wheel_;
  std::array<std::uint64_t, wheel_size / 64> occupied_{};
  std::uint64_t near_ = 0;  // events in the wheel
  std::priority_queue<Far> far_;
  std::vector<Event> batch_;
};

}  // namespace dojo::fabric
