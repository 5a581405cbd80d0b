// One input for many readers.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace dojo::runtime {

// Fills `to` from its beginning; how many bytes, 0 at the end.
using InputSource = std::function<std::size_t(std::span<std::byte> to)>;

// Reads a source once, as far as anybody asks, and plays it to any number of readers, on any host threads.
class InputTape {
public:
  explicit InputTape(InputSource source) : source_(std::move(source)) {}

  // A reader that starts at the beginning. The tape must outlive it.
  InputSource reader();

private:
  std::size_t copy(std::size_t from, std::span<std::byte> to);

  InputSource source_;
  std::mutex lock_;
  std::vector<std::byte> held_;
  bool ended_ = false;
};

}  // namespace dojo::runtime
