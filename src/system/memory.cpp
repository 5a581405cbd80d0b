#include "system/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"

namespace dojo::system {

void HostMemory::reserve() const {
  if (size_ == 0) return;
  void* address =
      mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) refuse(what_, "this computer cannot reserve {} bytes of memory for it", size_);
  bytes_ = static_cast<std::byte*>(address);
  if (touched_ == Touched::wholly) madvise(address, size_, MADV_HUGEPAGE);  // as far as the host can
}

HostMemory::~HostMemory() {
  if (bytes_ != nullptr) munmap(bytes_, size_);
}

void make_zero(std::span<std::byte> bytes) {
  constexpr std::size_t page = 4096, large = 16 * 1024 * 1024;
  if (bytes.size() < large) {
    std::fill(bytes.begin(), bytes.end(), std::byte{0});  // memset in every build, as ranges::fill is not
    return;
  }
  // Pages that the host takes back read as zero.
  const std::size_t edge = (page - reinterpret_cast<std::uintptr_t>(bytes.data()) % page) % page;
  const std::size_t pages = (bytes.size() - edge) / page * page;
  DOJO_ENSURE(madvise(bytes.data() + edge, pages, MADV_DONTNEED) == 0);
  std::ranges::fill(bytes.first(edge), std::byte{0});
  std::ranges::fill(bytes.subspan(edge + pages), std::byte{0});
}

}  // namespace dojo::system
