// Counter-based randomness: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011, DOI 10.1145/2063384.2063405). The same (key, counter) gives the same 128 bits on every machine and
// in every order of execution; nothing here has state that a thread could share by accident.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace dojo {

using PhiloxBlock = std::array<std::uint32_t, 4>;

PhiloxBlock philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high = 0);

// A stream over one (seed, stream) pair, for host-side work: shuffles, initial weights, scenes.
class Random {
public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  std::uint32_t bits();  // 32 uniform bits
  double uniform();      // in [0, 1), a multiple of 2^-32
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal();                           // mean 0, deviation 1 (Box-Muller)
  std::uint64_t below(std::uint64_t bound);  // in [0, bound), unbiased; bound > 0

private:
  std::uint64_t seed_, stream_, counter_ = 0;
  PhiloxBlock block_{};
  unsigned used_ = 4;
};

// A permutation of 0..count-1 (Fisher-Yates) that depends on seed and stream alone.
std::vector<std::uint32_t> permutation(std::uint32_t count, std::uint64_t seed, std::uint64_t stream);

}  // namespace dojo
