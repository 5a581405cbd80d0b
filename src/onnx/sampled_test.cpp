// Elements between places: GridSample against loops over pixels, convolutions that look aside where an
// unmoved one is known, regions of a plane, grids, blocks, and what picks and writes along an axis.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/for_tests.h"
#include "onnx/one_node_for_tests.h"

namespace dojo::onnx::sampling {  // names of its own
namespace {

constexpr std::int64_t height = 3, width = 4;

double pixel(const std::vector<float>& image, double row, double column, const std::string& padding) {
  auto y = static_cast<std::int64_t>(row), x = static_cast<std::int64_t>(column);
  if (padding == "zeros" && (y < 0 || y >= height || x < 0 || x >= width)) return 0;
  const auto mirrored = [](std::int64_t i, std::int64_t extent) {
    while (i < 0 || i >= extent) i = i < 0 ? -1 - i : 2 * extent - 1 - i;
    return i;
  };
  if (padding == "reflection") y = mirrored(y, height), x = mirrored(x, width);
  y = std::clamp<std::int64_t>(y, 0, height - 1), x = std::clamp<std::int64_t>(x, 0, width - 1);
  return static_cast<double>(image[static_cast<std::size_t>(y * width + x)]);
}

// The place of a pixel's centre, counted in pixels, mirrored at the image's edges.
double place_of(double normal, std::int64_t extent, const std::string& padding) {
  double place = ((normal + 1) * static_cast<double>(extent) - 1) / 2;
  const double last = static_cast<double>(extent) - 0.5;
  while (padding == "reflection" && (place < -0.5 || place > last))
    place = place < -0.5 ? -1 - place : 2 * last - place;
  return place;
}

OneNode grid_sample(const std::string& padding, float reach) {
  OneNode one{
      node("GridSample", "it", {"x", "grid"}, {"y"}),
      {{"x", {1, 1, height, width}, scattered_numbers(height * width, -1, 1), DataType::float32, true},
       {"grid", {1, 2, 5, 2}, scattered_numbers(20, -reach, reach, 1), DataType::float32, true}}};
  one.node.attributes = {words("padding_mode", padding)};
  return one;
}

TEST(GridSample, MixesTheFourPixelsAroundEachPoint) {
  for (const char* padding : {"zeros", "border", "reflection"}) {
    const OneNode one = grid_sample(padding, 1.7f);
    const std::vector<float>&image = one.operands[0].values, &grid = one.operands[1].values;
    const auto got = one.results().at(0);
    for (std::size_t p = 0; p < 10; ++p) {
      const double x = place_of(static_cast<double>(grid[2 * p]), width, padding),
                   y = place_of(static_cast<double>(grid[2 * p + 1]), height, padding);
      const double left = std::floor(x), top = std::floor(y), right = x - left, down = y - top;
      const double expected = (1 - down) * ((1 - right) * pixel(image, top, left, padding) +
                                            right * pixel(image, top, left + 1, padding)) +
                              down * ((1 - right) * pixel(image, top + 1, left, padding) +
                                      right * pixel(image, top + 1, left + 1, padding));
      EXPECT_NEAR(static_cast<double>(got[p]), expected, 1e-5) << padding << "[" << p << "]";
    }
  }
}

TEST(GridSample, GradientsAreThoseOfTheLoss) {
  // Points away from pixels' centres, where the slope has a kink.
  OneNode one = grid_sample("zeros", 1);
  for (float& place : one.operands[1].values) {
    const std::int64_t extent = (&place - one.operands[1].values.data()) % 2 == 0 ? width : height;
    const double at = std::floor(place_of(static_cast<double>(place), extent, "zeros")) + 0.4;
    place = static_cast<float>((2 * at + 1) / static_cast<double>(extent) - 1);
  }
  expect_gradients(one);
}

TEST(DeformConv, WithoutOffsetsIsAConvolution) {
  const auto x = scattered_numbers(2 * 4 * 4, -1, 1), w = scattered_numbers(3 * 2 * 2 * 2, -1, 1, 1);
  OneNode plain{node("Conv", "it", {"x", "w"}, {"y"}), {{"x", {1, 2, 4, 4}, x}, {"w", {3, 2, 2, 2}, w}}};
  OneNode deformed{
      node("DeformConv", "it", {"x", "w", "o"}, {"y"}),
      {{"x", {1, 2, 4, 4}, x}, {"w", {3, 2, 2, 2}, w}, {"o", {1, 16, 3, 3}, std::vector<float>(144, 0.0f)}}};
  deformed.node.attributes = {whole("offset_group", 2)};
  const auto expected = plain.results().at(0), got = deformed.results().at(0);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5f) << i;
}

TEST(DeformConv, OffsetsOfAPixelMoveWhatATapSees) {
  OneNode one{node("DeformConv", "it", {"x", "w", "o", "", "m"}, {"y"}),
              {{"x", {1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}},
               {"w", {1, 1, 1, 1}, {10}},
               {"o", {1, 2, 2, 3}, {0, 0, 0, 0, -1, 0.5f, 0, 1, 0, 0, 0, -1}},
               {"m", {1, 1, 2, 3}, {1, 1, 1, 1, 1, 0.5f}}}};
  // Down by the first number, right by the second: 1, what is right of 2, 3, 4, what is above 5; half of 5
  // and nothing below.
  EXPECT_EQ(one.results().at(0), std::vector<float>({10, 30, 30, 40, 20, 12.5f}));
}

// The mean of a plane over a region is its value at the centre.
TEST(RoiAlign, OfAPlaneIsThePlane) {
  std::vector<float> plane;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) plane.push_back(static_cast<float>(10 * y + x));
  OneNode one{node("RoiAlign", "it", {"x", "r", "b"}, {"y"}),
              {{"x", {1, 1, 8, 8}, plane}, {"r", {1, 4}, {1, 2, 5, 6}}, {"b", {1}, {0}, DataType::int64}}};
  one.node.attributes = {whole("output_height", 2), whole("output_width", 2), whole("sampling_ratio", 2),
                         words("coordinate_transformation_mode", "output_half_pixel")};
  EXPECT_EQ(one.results().at(0), std::vector<float>({32, 34, 52, 54}));
}

TEST(AffineGrid, OfTheIdentityIsThePixelsCentres) {
  OneNode one{node("AffineGrid", "it", {"t", "s"}, {"y"}),
              {{"t", {1, 2, 3}, {1, 0, 0, 0, 1, 0}}, {"s", {4}, {1, 1, 2, 2}, DataType::int64}}};
  EXPECT_EQ(one.results().at(0), std::vector<float>({-0.5f, -0.5f, 0.5f, -0.5f, -0.5f, 0.5f, 0.5f, 0.5f}));
  one.node.attributes = {whole("align_corners", 1)};
  EXPECT_EQ(one.results().at(0), std::vector<float>({-1, -1, 1, -1, -1, 1, 1, 1}));
}

// Every block brings 1, 2, 3, 4 to its corners; the middle belongs to all four blocks.
TEST(Col2Im, AddsWhereBlocksOverlap) {
  OneNode one{node("Col2Im", "it", {"x", "i", "b"}, {"y"}),
              {{"x", {1, 4, 4}, {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4}},
               {"i", {2}, {3, 3}, DataType::int64},
               {"b", {2}, {2, 2}, DataType::int64}}};
  EXPECT_EQ(one.results().at(0), std::vector<float>({1, 3, 2, 4, 10, 6, 3, 7, 4}));
}

TEST(LpPool, IsTheNormOfEachWindow) {
  OneNode one{node("LpPool", "it", {"x"}, {"y"}),
              {{"x", {1, 1, 1, 4}, {3, -4, 0, 5}, DataType::float32, true}}};
  one.node.attributes = {wholes("kernel_shape", {1, 2}), whole("p", 2)};
  EXPECT_EQ(one.results().at(0), std::vector<float>({5, 4, 5}));
  one.node.attributes[1] = whole("p", 1);
  EXPECT_EQ(one.results().at(0), std::vector<float>({7, 4, 5}));
  one.node.attributes[1] = whole("p", 3);
  one.operands[0].values = {3, -4, 1, 5};
  expect_gradients(one);
}

TEST(TensorScatter, WritesBehindEachSamplesOwnPlaceAndRoundTheEnd) {
  OneNode one{node("TensorScatter", "it", {"c", "u", "i"}, {"y"}),
              {{"c", {2, 3, 1}, {1, 2, 3, 4, 5, 6}},
               {"u", {2, 2, 1}, {10, 20, 30, 40}},
               {"i", {2}, {2, 0}, DataType::int64}},
              24};
  one.node.attributes = {words("mode", "circular")};
  EXPECT_EQ(one.results().at(0), std::vector<float>({20, 2, 10, 30, 40, 6}));
}

TEST(CenterCropPad, LeavesTheOddElementAtTheEnd) {
  OneNode one{node("CenterCropPad", "it", {"x", "s"}, {"y"}),
              {{"x", {1, 5}, {1, 2, 3, 4, 5}}, {"s", {2}, {2, 2}, DataType::int64}}};
  EXPECT_EQ(one.results().at(0), std::vector<float>({2, 3, 0, 0}));
}

}  // namespace
}  // namespace dojo::onnx::sampling
