// Which frames train and which validate.
//
// Neighbouring frames are nearly equal, so frames drawn one by one would put near copies of the training set
// into the validation set. The frames are cut, in order of time, into equal blocks instead, and the end of
// each block is held out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace dojo::data {

struct Split {
  std::vector<std::uint32_t> train, validation;  // frame numbers, ascending
};

// Cuts 0..frames-1 into `blocks` equal parts (as far as integers allow: part b is [b * frames / blocks, (b +
// 1) * frames / blocks)) and holds out the last `1 / part` of each, rounded down. With fewer than blocks *
// part frames, the last frame alone validates. frames >= 2.
Split split_by_blocks(std::size_t frames, std::size_t blocks = 10, std::size_t part = 5);

// The same for each of several recordings, whose frames are numbered on: no block reaches from one into the
// next. A recording of a single frame trains; if all are of one, the last validates. At least 2 frames in
// all.
Split split_recordings(const std::vector<std::size_t>& recordings);

// 0..count-1.
std::vector<std::uint32_t> all_frames(std::size_t count);

// A recording of fewer frames has no blocks: its validation means nothing.
constexpr std::size_t least_frames_for_blocks = 50;

// The order in which epoch `epoch` visits `frames`: it depends on seed and epoch alone.
std::vector<std::uint32_t> shuffled(const std::vector<std::uint32_t>& frames, std::uint64_t seed,
                                    std::uint64_t epoch);

}  // namespace dojo::data
