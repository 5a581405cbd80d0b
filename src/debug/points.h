// Breakpoints and watchpoints. Addresses are local: a point holds on every node.
#pragma once

#include <cstdint>
#include <optional>
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

class Points {
public:
  // Removing what is not there changes nothing, as gdb expects.
  void insert(Point point, std::uint64_t address, std::uint64_t bytes);
  void remove(Point point, std::uint64_t address, std::uint64_t bytes);

  bool breaks_at(std::uint64_t pc) const { return !breaks_.empty() && breaks_.contains(pc); }
  bool watches() const { return !watches_.empty(); }
  // The first watchpoint that one of these accesses touches.
  std::optional<Watch> hit(const std::vector<MemoryAccess>& accesses) const;

private:
  std::set<std::uint64_t> breaks_;
  std::vector<Watch> watches_;
};

}  // namespace dojo::debug
