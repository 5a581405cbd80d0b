// What a mask has set.
#pragma once

#include <bit>
#include <cstdint>

namespace dojo {

// Calls `visit` with the number of each bit that is set, the lowest first.
template <typename Visit>
void for_each_bit(std::uint32_t mask, Visit visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<unsigned>(std::countr_zero(mask)));
}

}  // namespace dojo
