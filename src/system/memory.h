// Large zeroed arrays that cost host memory only where they are touched: the HBM and SRAM of the emulated
// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace dojo::system {

class HostMemory {
public:
  HostMemory() = default;
  // Throws UserError naming `what` if the host has no room for it.
  HostMemory(std::uint64_t bytes, std::string_view what);
  ~HostMemory();
  HostMemory(HostMemory&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  HostMemory& operator=(HostMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::byte* data() const { return bytes_; }
  std::uint64_t size() const { return size_; }
  std::span<std::byte> range(std::uint64_t offset, std::uint64_t bytes) const {
    return {bytes_ + offset, bytes};
  }

private:
  std::byte* bytes_ = nullptr;
  std::uint64_t size_ = 0;
};

// Zeroes a part of a HostMemory; a large one costs no host memory afterwards.
void make_zero(std::span<std::byte> bytes);

}  // namespace dojo::system
