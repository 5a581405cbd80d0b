#include "translate/code_store.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace dojo::translate {

CodeStore::CodeStore(std::size_t capacity) {
  const int file = memfd_create("translated code", MFD_CLOEXEC);
  if (file < 0) return;
  if (ftruncate(file, static_cast<off_t>(capacity)) == 0) {
    void* writable = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void* executable = mmap(nullptr, capacity, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable != MAP_FAILED && executable != MAP_FAILED) {
      writable_ = static_cast<std::byte*>(writable);
      executable_ = static_cast<std::byte*>(executable);
      capacity_ = capacity;
    } else {
      if (writable != MAP_FAILED) munmap(writable, capacity);
      if (executable != MAP_FAILED) munmap(executable, capacity);
    }
  }
  close(file);
}

CodeStore::~CodeStore() {
  if (writable_ == nullptr) return;
  munmap(writable_, capacity_);
  munmap(executable_, capacity_);
}

const void* CodeStore::add(std::span<const std::uint8_t> code) {
  constexpr std::size_t line = 64;
  const std::size_t begin = (used_ + line - 1) / line * line;
  is_full_ |= begin > capacity_ || code.size() > capacity_ - begin;
  if (is_full_) return nullptr;
  std::memcpy(writable_ + begin, code.data(), code.size());
  used_ = begin + code.size();
  return executable_ + begin;
}

}  // namespace dojo::translate
