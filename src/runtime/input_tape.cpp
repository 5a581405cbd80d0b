#include "runtime/input_tape.h"

#include <algorithm>

namespace dojo::runtime {

InputSource InputTape::reader() {
  return [this, at = std::size_t{0}](std::span<std::byte> to) mutable {
    const std::size_t count = copy(at, to);
    at += count;
    return count;
  };
}

std::size_t InputTape::copy(std::size_t from, std::span<std::byte> to) {
  const std::lock_guard lock(lock_);
  if (from == held_.size() && !ended_ && !to.empty()) {
    held_.resize(from + to.size());
    const std::size_t got = source_(std::span(held_).subspan(from));
    held_.resize(from + got);
    ended_ = got == 0;
  }
  const std::size_t count = std::min(to.size(), held_.size() - from);
  std::ranges::copy(std::span(held_).subspan(from, count), to.begin());
  return count;
}

}  // namespace dojo::runtime
