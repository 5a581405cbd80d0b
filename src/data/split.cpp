#include "data/split.h"

#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace dojo::data {

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

Split split_recordings(const std::vector<std::size_t>& recordings) {
  Split split;
  std::uint32_t first = 0;
  for (const std::size_t frames : recordings) {
    if (frames == 1) split.train.push_back(first);
    if (frames >= 2) {
      const Split one = split_by_blocks(frames);
      for (const std::uint32_t frame : one.train) split.train.push_back(first + frame);
      for (const std::uint32_t frame : one.validation) split.validation.push_back(first + frame);
    }
    first += static_cast<std::uint32_t>(frames);
  }
  DOJO_ENSURE(first >= 2);
  if (split.validation.empty()) {
    split.validation.push_back(split.train.back());
    split.train.pop_back();
  }
  return split;
}

std::vector<std::uint32_t> all_frames(std::size_t count) {
  std::vector<std::uint32_t> frames(count);
  std::iota(frames.begin(), frames.end(), 0u);
  return frames;
}

std::vector<std::uint32_t> shuffled(const std::vector<std::uint32_t>& frames, std::uint64_t seed,
                                    std::uint64_t epoch) {
  constexpr std::uint64_t shuffle_stream = 0x73687566ull << 32;  // away from the streams that other draws use
  const auto order = permutation(static_cast<std::uint32_t>(frames.size()), seed, shuffle_stream + epoch);
  std::vector<std::uint32_t> result(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) result[i] = frames[order[i]];
  return result;
}

}  // namespace dojo::data
