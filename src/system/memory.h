// Large zeroed arrays that cost host memory only where they are touched, and addresses of the host once they
// are used at all: the HBM and SRAM of the emulated machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

namespace dojo::system {

// How much of a memory is touched: of the second kind all of it, so large pages cost nothing and spare the
// host most of the searching for pages.
enum class Touched : std::uint8_t { here_and_there, wholly };

class HostMemory {
public:
  // `what`, which must outlive it, is named where the host has no room.
  HostMemory(std::uint64_t bytes, std::string_view what, Touched touched = Touched::here_and_there)
      : size_(bytes), what_(what), touched_(touched) {}
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  std::uint64_t size() const { return size_; }
  // From any number of host threads at once. The first call reserves all of it: throws UserError if the host
  // has no room, and the next one tries again.
  std::byte* data() const {
    std::call_once(reserved_, [this] { reserve(); });
    return bytes_;
  }
  std::span<std::byte> range(std::uint64_t offset, std::uint64_t bytes) const {
    return {data() + offset, bytes};
  }

private:
  void reserve() const;

  std::uint64_t size_;
  std::string_view what_;
  Touched touched_;
  mutable std::once_flag reserved_;
  mutable std::byte* bytes_ = nullptr;
};

// Zeroes a part of a HostMemory; a large one costs no host memory afterwards.
void make_zero(std::span<std::byte> bytes);

}  // namespace dojo::system
