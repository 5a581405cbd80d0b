// The semaphores of one node that are in use, by address.
//
// Every transfer asks for one, in the order in which nodes happen to run: so an entry is found with one
// access to memory. References hold until the next `find_or_add`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dojo::system {

struct Semaphore {
  std::uint64_t address = ~std::uint64_t{0};  // no semaphore lies there: entries that are free
  std::uint64_t first_value = 0;
  std::uint64_t waiter_pc = 0;
  int waiter = -1;  // the only thread that may wait for it, and where it did
};

class SemaphoreTable {
public:
  // What is known of the one at `address`, which held `first_value` if nobody asked for it before.
  Semaphore& find_or_add(std::uint64_t address, std::uint64_t first_value) {
    if (Semaphore& found = slot(address); found.address == address) return found;
    if (2 * (used_ + 1) > slots_.size()) grow();
    ++used_;
    return slot(address) = {.address = address, .first_value = first_value};
  }
  // nullptr: nobody asked for it.
  const Semaphore* find(std::uint64_t address) {
    const Semaphore& found = slot(address);
    return found.address == address ? &found : nullptr;
  }

private:
  // Where it is, or would be.
  Semaphore& slot(std::uint64_t address) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    const std::size_t last = slots_.size() - 1;
    std::size_t i = address * golden >> 32 & last;
    while (slots_[i].address != address && slots_[i].address != ~std::uint64_t{0}) i = (i + 1) & last;
    return slots_[i];
  }
  void grow() {
    std::vector<Semaphore> before(2 * slots_.size());
    before.swap(slots_);
    for (const Semaphore& one : before)
      if (one.address != ~std::uint64_t{0}) slot(one.address) = one;
  }

  std::vector<Semaphore> slots_ = std::vector<Semaphore>(16);  // a power of two, half of them free at least
  std::size_t used_ = 0;
};

}  // namespace dojo::system
