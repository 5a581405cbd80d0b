#include "data/picture.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "driving/rendered.h"

namespace dojo::driving {
namespace {

data::Image painted(unsigned width, unsigned height, auto colour) {
  data::Image image{width, height, {}};
  for (unsigned row = 0; row < height; ++row)
    for (unsigned column = 0; column < width; ++column)
      for (unsigned c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>(colour(row, column, c)));
  return image;
}

TEST(Picture, ColoursAreThoseOfJfif) {
  struct Case {
    int red, green, blue;
    float y, cb, cr;
  };
  // Y, Cb - 128 and Cr - 128 in units of 127.5, from the standard's equations worked by hand.
  for (const Case& c : {Case{0, 0, 0, -1, 0, 0}, Case{255, 255, 255, 1, 0, 0},
                        Case{255, 0, 0, -0.402f, -0.337472f, 1}, Case{0, 0, 255, -0.772f, 1, -0.162624f}}) {
    const auto image = painted(8, 6, [&](unsigned, unsigned, unsigned k) {
      return k == 0 ? c.red : k == 1 ? c.green : c.blue;
    });
    std::vector<float> out(3 * 2 * 3);
    see(image, {3, 2, 3}, out);
    for (int i = 0; i < 6; ++i) {
      EXPECT_NEAR(out[i], c.y, 1e-5);
      EXPECT_NEAR(out[6 + i], c.cb, 1e-5);
      EXPECT_NEAR(out[12 + i], c.cr, 1e-5);
    }
  }
}

// Bilinear interpolation reproduces a linear ramp exactly away from the edges, at pixel centres.
TEST(Picture, ShowsRowsFrom40To120ResizedBilinearly) {
  const auto image = painted(160, 120, [](unsigned row, unsigned, unsigned) { return row; });
  std::vector<float> out(66 * 200);
  see(image, {1, 66, 200}, out);
  for (int row = 1; row < 65; ++row) {
    const double source = 40 + (row + 0.5) * 80 / 66 - 0.5;
    for (int column = 0; column < 200; ++column)
      ASSERT_NEAR(out[row * 200 + column], source / 127.5 - 1, 1e-5) << row;
  }
  EXPECT_NEAR(out[0], (40 + 0.5 * 80 / 66 - 0.5) / 127.5 - 1, 1e-5);
}

TEST(Picture, LeftStaysLeft) {
  const auto image = painted(160, 120, [](unsigned, unsigned column, unsigned) { return column; });
  std::vector<float> out(66 * 200);
  see(image, {1, 66, 200}, out);
  EXPECT_LT(out[10], out[100]);
  EXPECT_NEAR(out[100], (100.5 * 0.8 - 0.5) / 127.5 - 1, 1e-5);
}

TEST(Picture, ChannelsLastAndBytesShowTheSamePicture) {
  const auto image =
      painted(160, 120, [](unsigned row, unsigned column, unsigned k) { return row + column / 4 + 30 * k; });
  std::vector<float> first(3 * 80 * 160), last(first.size()), bytes(first.size());
  see(image, data::view_for("x", {1, 3, 80, 160}), first);
  const data::View channels_last = data::view_for("x", {1, 80, 160, 3});
  see(image, channels_last, last);
  see(image, {3, 80, 160, true, true}, bytes);
  for (std::size_t pixel = 0; pixel < 80 * 160; ++pixel)
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(last[pixel * 3 + c], first[c * 80 * 160 + pixel]);
      ASSERT_EQ(bytes[pixel * 3 + c], static_cast<float>(image.rgb[(40 * 160 + pixel) * 3 + c]));
    }
  EXPECT_EQ(data::view_for("x", {1, 60, 90}).width, 90);
}

TEST(Picture, TheViewFollowsFromTheInputsShape) {
  const data::View camera = data::view_for("image", {354, 3, 66, 200});
  EXPECT_EQ(camera.channels, 3);
  EXPECT_EQ(camera.elements(), 3 * 66 * 200);
  const data::View features = data::view_for("x", {8, 128});
  EXPECT_EQ(features.channels, 1);
  EXPECT_EQ(features.height, 8);
  EXPECT_EQ(features.width, 16);
  EXPECT_EQ(data::view_for("x", {8, 13}).elements(), 13);
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{8, 4, 66, 200}, {8}, {8, 3, 4, 5, 6}}) {
    try {
      data::view_for("x", shape);
      ADD_FAILURE();
    } catch (const UserError& error) {
      EXPECT_EQ(error.refusal(), Refusal::unsupported);
      EXPECT_TRUE(std::string(error.what()).starts_with("input 'x': shape ["));
    }
  }
}

}  // namespace
}  // namespace dojo::driving
