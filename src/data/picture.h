// What a network sees of a frame: the part that shows the road, in its own size, as numbers around 0.
//
//   crop     the rows from a third of the height down (40 to 120 of 120): below the horizon of both kinds
//            of frames
//   resize   bilinear, pixel centres at half integers, edges repeated
//   colour   Y, Cb, Cr of BT.601 at full range, each divided by 127.5; Y less 1. One channel: Y alone. An
//            input of bytes: red, green, blue (or Y) from 0 to 255, rounded to whole numbers
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace dojo::data {

struct View {
  std::int64_t channels = 3, height = 66, width = 200;
  bool channels_last = false;
  bool bytes = false;
  std::int64_t elements() const { return channels * height * width; }
};

// The view for an input of shape [batch, channels, height, width] or [batch, height, width, channels] with 3
// channels or 1, or [batch, height, width] (grey), or [batch, features]: then Y alone in height x width =
// features with the width nearest to twice the height. Refuses other shapes; `input` is named.
View view_for(std::string_view input, const std::vector<std::int64_t>& shape);

// Writes view.elements() numbers, channel by channel, row by row; or row by row, pixel by pixel.
void see(const Image& image, const View& view, std::span<float> out);

}  // namespace dojo::data
