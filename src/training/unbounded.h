// Numbers of a training state that are infinite or not numbers.
#pragma once

#include <cstddef>
#include <vector>

namespace dojo::training {

// In the nodes' persistent regions, where all is FP32.
std::size_t unbounded_numbers(const std::vector<std::vector<std::byte>>& regions);

}  // namespace dojo::training
