// What a thread asked of the fabric, in order: the only thing that crosses from executing to timing.
#pragma once

#include <cstdint>
#include <vector>

#include "isa/hart.h"

namespace dojo::system {

constexpr std::uint32_t no_semaphore = 0xffffffff;

struct TraceRecord {
  std::uint64_t cycles = 0;  // of the thread's own work since the record before it took effect
  std::uint64_t amount = 0;  // put, get: bytes; signal, wait: count
  std::uint32_t peer = 0;    // endpoint: put, signal: destination; get: source; otherwise the node itself
  std::uint32_t semaphore = no_semaphore;  // offset of the semaphore that is added to or waited for
  std::uint32_t op = 0;
  isa::TransferKind kind{};
};

// One started thread. A wait that was never satisfied has no record.
struct ThreadTrace {
  std::uint32_t node = 0;
  std::vector<TraceRecord> records;
  std::uint64_t last_cycles = 0;  // of work after the last record
  std::uint32_t last_op = 0;
};

}  // namespace dojo::system
