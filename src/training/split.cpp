#include "training/split.h"

#include "base/error.h"
#include "base/random.h"

namespace dojo::training {

Split split_by_blocks(std::size_t frames, std::size_t blocks, std::size_t part) {
  DOJO_ENSURE(frames >= 2 && blocks >= 1 && part >= 2);
  if (frames < blocks * part) blocks = 1, part = frames;
  Split split;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t begin = block * frames / blocks;
    const std::size_t end = (block + 1) * frames / blocks;
    const std::size_t held_out = end - (end - begin) / part;
    for (std::size_t frame = begin; frame < end; ++frame)
      (frame < held_out ? split.train : split.validation).push_back(static_cast<std::uint32_t>(frame));
  }
  return split;
}

std::vector<std::uint32_t> shuffled(const std::vector<std::uint32_t>& frames, std::uint64_t seed,
                                    std::uint64_t epoch) {
  constexpr std::uint64_t shuffle_stream = 0x73687566ull << 32;  // away from the streams that other draws use
  const auto order = permutation(static_cast<std::uint32_t>(frames.size()), seed, shuffle_stream + epoch);
  std::vector<std::uint32_t> result(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) result[i] = frames[order[i]];
  return result;
}

}  // namespace dojo::training
