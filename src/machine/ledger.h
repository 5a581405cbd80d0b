// What each part did: counts by (part, op, event). Everything reported later (time, energy, pages) is
// computed from these.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "machine/events.h"

namespace dojo::machine {

// Keys: docs/notes/004. A part is a node, a link or an interface processor; op is the plan's op id (0:
// start-up).
class Ledger {
public:
  struct Key {
    std::string part;  // "nodes" for the sum over nodes, "node.17", "mesh", "hbm.0"...
    std::uint32_t op = 0;
    std::string event;  // "matrix.macs", "cycles.network"...
    auto operator<=>(const Key&) const = default;
  };

  void add(std::string_view part, std::uint32_t op, std::string_view event, std::uint64_t count);
  // Of an event's own part; `interface` of the HBM's.
  void add(std::uint32_t op, const Event& event, std::uint64_t count, unsigned interface = 0);
  void add(const Ledger& other);
  std::uint64_t total(const Event& event) const;                             // over ops and interfaces
  std::uint64_t total(std::string_view part, std::string_view event) const;  // over ops
  std::uint64_t total(std::string_view part, std::uint32_t op, std::string_view event) const;  // 0 if absent
  const std::map<Key, std::uint64_t>& rows() const { return rows_; }

private:
  std::map<Key, std::uint64_t> rows_;
};

}  // namespace dojo::machine
