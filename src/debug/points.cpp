#include "debug/points.h"

#include <algorithm>

namespace dojo::debug {

namespace {

bool is_break(Point point) { return point == Point::software_break || point == Point::hardware_break; }

bool concerns(const Watch& watch, const MemoryAccess& access) {
  if (!access.touches(watch.address, watch.bytes)) return false;
  return watch.point == Point::access_watch || access.store == (watch.point == Point::write_watch);
}

}  // namespace

void Points::insert(Point point, std::uint64_t address, std::uint64_t bytes) {
  if (is_break(point)) {
    breaks_.insert(address);
    return;
  }
  const Watch watch{point, address, bytes};
  if (std::ranges::find(watches_, watch) == watches_.end()) watches_.push_back(watch);
}

void Points::remove(Point point, std::uint64_t address, std::uint64_t bytes) {
  if (is_break(point))
    breaks_.erase(address);
  else
    std::erase(watches_, Watch{point, address, bytes});
}

std::optional<Watch> Points::hit(const std::vector<MemoryAccess>& accesses) const {
  for (const Watch& watch : watches_)
    for (const MemoryAccess& access : accesses)
      if (concerns(watch, access)) return watch;
  return std::nullopt;
}

}  // namespace dojo::debug
