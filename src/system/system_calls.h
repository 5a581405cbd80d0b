// What the system calls share: errors, arguments, answers.
#pragma once

#include <cstdint>
#include <cstring>

#include "system/execution.h"

namespace dojo::system {

// What is returned for an error: the negative of Linux's number.
// clang-format off
constexpr std::int64_t
    no_entry = -2,              // ENOENT
    bad_file = -9,              // EBADF
    no_memory = -12,            // ENOMEM
    bad_address = -14,          // EFAULT
    bad_argument = -22,         // EINVAL
    no_terminal = -25,          // ENOTTY
    no_seek = -29,              // ESPIPE
    name_too_long = -36,        // ENAMETOOLONG
    not_implemented = -38;      // ENOSYS
// clang-format on

// What a call answers that needs the file of this name: that there is none, if the name can be read.
std::int64_t error_of_path(const Thread& thread, std::uint64_t address);

constexpr unsigned a0 = 10, a7 = 17;

// Argument `index` of the call a thread stopped for.
inline std::uint64_t argument(const Thread& thread, unsigned index) { return thread.hart.x[a0 + index]; }

// The object at an address of the node; false if it cannot be read.
template <typename Object>
bool take(const Thread& thread, std::uint64_t address, Object& object) {
  const std::byte* from = thread.hart.memory.readable(address, sizeof object);
  if (from != nullptr) std::memcpy(&object, from, sizeof object);
  return from != nullptr;
}

template <typename Object>
std::int64_t give(Thread& thread, std::uint64_t address, const Object& object) {
  std::byte* to = thread.hart.memory.writable(address, sizeof object);
  if (to == nullptr) return bad_address;
  std::memcpy(to, &object, sizeof object);
  return 0;
}

}  // namespace dojo::system
