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

std::vector<std::byte> contents_of(const Watch& watch, const isa::Memory& memory) {
  const std::byte* bytes = memory.readable(watch.address, watch.bytes);
  return bytes == nullptr ? std::vector<std::byte>{} : std::vector<std::byte>(bytes, bytes + watch.bytes);
}

void Points::insert(Point point, std::uint64_t address, std::uint64_t bytes) {
  if (is_break(point)) {
    breaks_.insert(address);
    return;
  }
  const Watch watch{point, address, bytes};
  if (!watches(watch)) watches_.push_back(watch);
}

void Points::remove(Point point, std::uint64_t address, std::uint64_t bytes) {
  if (is_break(point))
    breaks_.erase(address);
  else
    std::erase(watches_, Watch{point, address, bytes});
}

bool Points::watches(const Watch& watch) const {
  return std::ranges::find(watches_, watch) != watches_.end();
}

std::vector<Watch> Points::hit(const std::vector<MemoryAccess>& accesses) const {
  std::vector<Watch> hits;
  for (const Watch& watch : watches_)
    if (std::ranges::any_of(accesses, [&](const MemoryAccess& access) { return concerns(watch, access); }))
      hits.push_back(watch);
  return hits;
}

Points::Contents Points::contents(const isa::Memory& memory) const {
  Contents contents;
  for (const Watch& watch : watches_) contents.push_back(contents_of(watch, memory));
  return contents;
}

std::vector<Watch> Points::changed(const isa::Memory& memory, const Contents& before) const {
  const Contents now = contents(memory);
  std::vector<Watch> hits;
  for (std::size_t i = 0; i < watches_.size(); ++i)
    if (watches_[i].point != Point::read_watch && now[i] != before[i]) hits.push_back(watches_[i]);
  return hits;
}

}  // namespace dojo::debug
