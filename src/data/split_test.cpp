#include "data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace dojo::data {
namespace {

TEST(Split, HoldsOutTheLastFifthOfEachOfTenBlocks) {
  const Split split = split_by_blocks(13192);  // blocks of 1319 frames, but the fifth and the tenth have 1320
  EXPECT_EQ(split.validation.size(), 8u * 263 + 2 * 264);
  const auto held_out = [&](std::uint32_t frame) {
    return std::ranges::binary_search(split.validation, frame);
  };
  for (const auto& [first, last] : {std::pair{1056u, 1318u}, {2375u, 2637u}, {12928u, 13191u}}) {
    EXPECT_FALSE(held_out(first - 1)) << first;
    for (std::uint32_t frame = first; frame <= last; ++frame) ASSERT_TRUE(held_out(frame)) << frame;
    EXPECT_FALSE(held_out(last + 1)) << last;
  }
}

TEST(Split, PutsEveryFrameIntoExactlyOnePart) {
  for (std::size_t frames = 2; frames < 400; ++frames) {
    const Split split = split_by_blocks(frames);
    std::vector<std::uint32_t> all = split.train;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::ranges::sort(all);
    std::vector<std::uint32_t> expected(frames);
    std::iota(expected.begin(), expected.end(), 0u);
    ASSERT_EQ(all, expected) << frames;
    ASSERT_FALSE(split.train.empty()) << frames;
    ASSERT_FALSE(split.validation.empty()) << frames;
  }
}

TEST(Split, NeighboursOfHeldOutFramesAreHeldOutExceptAtTheEndsOfTheirBlock) {
  const Split split = split_by_blocks(1000);
  std::size_t borders = 0;
  for (const std::uint32_t frame : split.validation)
    for (const std::uint32_t neighbour : {frame - 1, frame + 1})
      borders += std::ranges::binary_search(split.train, neighbour);
  EXPECT_EQ(borders, 19u);  // two for each of ten blocks, none after the last frame
}

TEST(Split, OfRecordingsIsThatOfEachWithItsFramesNumberedOn) {
  const Split split = split_recordings({1000, 0, 1, 30});
  const Split first = split_by_blocks(1000), last = split_by_blocks(30);
  Split expected = first;
  expected.train.push_back(1000);
  for (const std::uint32_t frame : last.train) expected.train.push_back(1001 + frame);
  for (const std::uint32_t frame : last.validation) expected.validation.push_back(1001 + frame);
  EXPECT_EQ(split.train, expected.train);
  EXPECT_EQ(split.validation, expected.validation);
  EXPECT_EQ(split_recordings({1000}).train, first.train);
}

TEST(Split, OfRecordingsOfOneFrameHoldsOutTheLast) {
  const Split split = split_recordings({1, 1, 1});
  EXPECT_EQ(split.train, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(split.validation, (std::vector<std::uint32_t>{2}));
}

TEST(Shuffled, VisitsTheSameFramesInAnOrderOfSeedAndEpochAlone) {
  const std::vector<std::uint32_t> frames = split_by_blocks(500).train;
  const auto order = shuffled(frames, 7, 0);
  EXPECT_EQ(order, shuffled(frames, 7, 0));
  EXPECT_NE(order, shuffled(frames, 7, 1));
  EXPECT_NE(order, shuffled(frames, 8, 0));
  EXPECT_NE(order, frames);
  auto sorted = order;
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, frames);
}

}  // namespace
}  // namespace dojo::data
