#include "training/unbounded.h"

#include <cstdint>
#include <cstring>

namespace dojo::training {

std::size_t unbounded_numbers(const std::vector<std::vector<std::byte>>& regions) {
  std::size_t count = 0;
  for (const auto& region : regions)
    for (std::size_t at = 0; at + 4 <= region.size(); at += 4) {
      std::uint32_t word;
      std::memcpy(&word, region.data() + at, sizeof word);
      count += (word & 0x7f800000) == 0x7f800000 ? 1 : 0;
    }
  return count;
}

}  // namespace dojo::training
