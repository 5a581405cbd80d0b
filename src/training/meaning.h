// What a network's output says about the data: which measured values it is to learn, and how a class number
// stands for one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dojo::training {

// `count` classes for a measured value: their middles lie evenly from `low` to `high`, both included, as
// Donkeycar's categorical pilot has them (15 for the angle, from -1 to 1). A value belongs to the nearest
// middle; values beyond the ends to the first or last class. count >= 2, low < high.
struct Bins {
  std::int64_t count = 2;
  float low = -1, high = 1;

  float middle(std::int64_t bin) const {
    return low + (high - low) * static_cast<float>(bin) / static_cast<float>(count - 1);
  }
  std::int64_t of(float value) const {
    const float place = std::round((value - low) / (high - low) * static_cast<float>(count - 1));
    return static_cast<std::int64_t>(std::clamp(place, 0.0f, static_cast<float>(count - 1)));
  }
};

// One output: the label of each of its values, in order; or one label and its classes.
struct Meaning {
  std::vector<std::string> labels;
  std::optional<Bins> bins;
};

}  // namespace dojo::training
