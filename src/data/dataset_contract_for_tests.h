// What every Dataset promises (dataset.h), asked of one: each reader's test calls this.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <set>

#include "base/parallel.h"
#include "data/dataset.h"

namespace dojo::data {

// `open` opens the same recording at each call; it has at most some hundred frames.
inline void expect_contract(const std::function<std::unique_ptr<Dataset>()>& open) {
  const std::unique_ptr<Dataset> data = open();
  const std::size_t frames = data->size();
  ASSERT_GE(frames, 1u);
  EXPECT_FALSE(data->name().empty());
  EXPECT_FALSE(data->fingerprint().empty());
  EXPECT_EQ(open()->fingerprint(), data->fingerprint()) << "the same frames and labels";
  const std::set<std::string> labels(data->label_names().begin(), data->label_names().end());
  EXPECT_EQ(labels.size(), data->label_names().size()) << "a label twice";
  EXPECT_TRUE(labels.contains("angle") && labels.contains("throttle"));
  const std::vector<std::size_t> recordings = data->recordings();
  EXPECT_EQ(std::accumulate(recordings.begin(), recordings.end(), std::size_t{0}), frames);

  std::vector<Image> images(frames);
  std::vector<std::vector<float>> values(frames);
  std::set<std::string> places;
  std::set<std::pair<std::string, std::int64_t>> records;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    images[frame] = data->image(frame);
    values[frame] = data->labels(frame);
    EXPECT_GT(images[frame].width * images[frame].height, 0u) << frame;
    EXPECT_EQ(images[frame].rgb.size(), std::size_t{3} * images[frame].width * images[frame].height) << frame;
    EXPECT_EQ(values[frame].size(), labels.size()) << frame;
    EXPECT_TRUE(std::ranges::none_of(values[frame], [](float value) { return std::isinf(value); })) << frame;
    places.insert(data->place(frame));
    records.emplace(data->recording(frame), data->record(frame));
  }
  EXPECT_EQ(places.size(), frames) << "two frames at one place";
  EXPECT_EQ(records.size(), frames) << "two frames with one number";

  const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  parallel_for(4, 2 * frames, [&](std::size_t i) {
    const std::size_t frame = i % frames;
    EXPECT_EQ(data->image(frame).rgb, images[frame].rgb) << frame;
    EXPECT_TRUE(std::ranges::equal(data->labels(frame), values[frame], {}, bits, bits)) << frame;
  });
}

}  // namespace dojo::data
