#include "system/memory.h"

#include <sys/mman.h>

#include "base/error.h"

namespace dojo::system {

HostMemory::HostMemory(std::uint64_t bytes, std::string_view what) : size_(bytes) {
  if (bytes == 0) return;
  void* address =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) refuse(what, "this computer cannot reserve {} bytes of memory for it", bytes);
  bytes_ = static_cast<std::byte*>(address);
}

HostMemory::~HostMemory() {
  if (bytes_ != nullptr) munmap(bytes_, size_);
}

}  // namespace dojo::system
