// What a network sees of a frame: the part that shows the road, in its own size, as numbers around 0.
//
//   crop     the rows from a third of the height down (40 to 120 of 120): below the horizon of both kinds
//            of frames
//   resize   bilinear, pixel centres at half integers, edges repeated
//   colour   Y, Cb, Cr of BT.601 at full range, each divided by 127.5; Y less 1. One channel: Y alone
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/dataset.h"

namespace dojo::driving {

struct View {
  std::int64_t channels = 3, height = 66, width = 200;
  std::int64_t elements() const { return channels * height * width; }
};

// The view for an input of shape [batch, channels, height, width] with 3 channels or 1, or [batch, features]:
// then Y alone in height x width = features with the width nearest to twice the height. Refuses other shapes;
// `input` is named.
View view_for(std::string_view input, const std::vector<std::int64_t>& shape);

// Writes view.elements() numbers, channel by channel, row by row.
void see(const training::Image& image, const View& view, std::span<float> out);

// One output's target: a label of the data set in units of `scale`.
struct Target {
  std::string label;
  float scale = 1;
};

// The standard deviation of a label over `frames`; 1 if it is constant. Refuses a label that the data set
// doesn't have.
float label_deviation(const training::Dataset& data, std::string_view label,
                      std::span<const std::uint32_t> frames);

// A data set through the views of a network's inputs, with one target per output.
class CameraExamples final : public training::Examples {
public:
  // Keeps a reference to `data`.
  CameraExamples(const training::Dataset& data, std::vector<View> views, const std::vector<Target>& targets);

  std::size_t size() const override { return data_.size(); }
  std::size_t input_elements() const override;
  std::size_t target_elements() const override { return targets_.size(); }
  void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const override;

private:
  struct Column {
    std::size_t label;
    float scale;
  };
  const training::Dataset& data_;
  std::vector<View> views_;
  std::vector<Column> targets_;
};

}  // namespace dojo::driving
