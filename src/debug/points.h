// Breakpoints and watchpoints. Addresses are local: a point holds on every node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "debug/accesses.h"
#include "debug/request.h"

namespace dojo::debug {

struct Watch {
  Point point = Point::write_watch;
  std::uint64_t address = 0, bytes = 0;
  bool operator==(const Watch&) const = default;
};

// Empty if it cannot be read.
std::vector<std::byte> contents_of(const Watch& watch, const isa::Memory& memory);

class Points {
public:
  // Removing what is not there changes nothing, as gdb expects.
  void insert(Point point, std::uint64_t address, std::uint64_t bytes);
  void remove(Point point, std::uint64_t address, std::uint64_t bytes);

  bool breaks_at(std::uint64_t pc) const { return !breaks_.empty() && breaks_.contains(pc); }
  bool watches() const { return !watches_.empty(); }
  bool watches(const Watch& watch) const;
  // The watchpoints that one of these accesses touches, in the order in which they were set.
  std::vector<Watch> hit(const std::vector<MemoryAccess>& accesses) const;

  // What is watched, as it is; and the watchpoints, not those for reads, of which that is no longer so.
  using Contents = std::vector<std::vector<std::byte>>;
  Contents contents(const isa::Memory& memory) const;
  std::vector<Watch> changed(const isa::Memory& memory, const Contents& before) const;

private:
  std::set<std::uint64_t> breaks_;
  std::vector<Watch> watches_;
};

}  // namespace dojo::debug
