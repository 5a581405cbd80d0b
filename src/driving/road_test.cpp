#include "driving/road.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/dataset_contract_for_tests.h"
#include "driving/rendered.h"

namespace dojo::driving {
namespace {

Road bend(double curvature) {
  Road road;
  road.constant = curvature;
  return road;
}

TEST(Road, ACarOnACircleIsToldTheCirclesOwnCurvature) {
  for (const double curvature : {-0.06, -0.02, -0.001, 0.0, 0.01, 0.05}) {
    EXPECT_NEAR(pursuit_curvature(bend(curvature), {37, 0, 0}), curvature, 2e-5);
    EXPECT_NEAR(steering(bend(curvature), {37, 0, 0}), full_lock_radius * curvature, 3e-4);
  }
}

// On a straight lane the point at distance L lies at asin(-offset / L) - heading from the car's axis.
TEST(Road, OnAStraightLaneTheLabelIsTheClosedForm) {
  for (const double offset : {-1.2, -0.3, 0.0, 0.8})
    for (const double heading : {-0.25, 0.0, 0.1}) {
      const double right = pursuit_distance * std::sin(std::asin(-offset / pursuit_distance) - heading);
      EXPECT_NEAR(pursuit_curvature(bend(0), {5, offset, heading}), 2 * right / 100, 1e-8)
          << offset << ' ' << heading;
    }
}

TEST(Road, TheHeadingIsTheIntegralOfTheCurvature) {
  Road road = bend(0.003);
  road.waves = {{0.02, 0.11, 0.7}, {-0.01, 0.04, 2.0}};
  double sum = 0;
  constexpr double step = 1e-3;
  for (int i = 0; i < 50000; ++i) sum += step * road.curvature((i + 0.5) * step);
  EXPECT_NEAR(road.heading(50), sum, 1e-8);
}

// A car that starts beside a circular lane and steers as told must end on the lane: the labels are a steering
// that works.
TEST(Road, FollowingTheLabelsBringsTheCarBackToItsLane) {
  for (const double curvature : {-0.03, 0.0, 0.03}) {
    Pose pose{0, 1.2, -0.2};
    for (int frame = 0; frame < 200; ++frame)
      pose = drive(bend(curvature), pose, steering(bend(curvature), pose) / full_lock_radius, 0.4);
    EXPECT_NEAR(pose.offset, 0, 0.02) << curvature;
    EXPECT_NEAR(pose.heading, 0, 0.01) << curvature;
  }
}

TEST(Road, DrivingAnArcOfTheLanesCurvatureKeepsThePose) {
  const Pose pose = drive(bend(0.02), {0, 0, 0}, 0.02, 10);
  EXPECT_NEAR(pose.s, 10, 1e-9);
  EXPECT_NEAR(pose.offset, 0, 1e-9);
  EXPECT_NEAR(pose.heading, 0, 1e-9);
}

// --- Pictures ---

Look plain() {
  Look look;
  look.asphalt = {60, 60, 60};
  look.verge = {20, 90, 20};
  look.marking = {240, 240, 240};
  look.centre_marking = {240, 240, 240};
  look.sky = {150, 180, 220};
  look.hills = {80, 90, 80};
  look.gap_metres = 0;
  look.haze_metres = 1e6;
  look.noise = 0;
  return look;
}

// Mean column of the bright pixels of one row within [from, to): where a marking is seen.
double bright_column(const data::Image& image, unsigned row, unsigned from, unsigned to) {
  double sum = 0, weight = 0;
  for (unsigned column = from; column < to; ++column) {
    const double excess = image.rgb[3 * (row * image.width + column)] - 100.0;
    if (excess > 0) sum += excess * (column + 0.5), weight += excess;
  }
  return weight > 0 ? sum / weight : -1;
}

// The pinhole camera in closed form: a ground point d to the right of the axis at depth z is seen f d / z'
// right of the centre, with depth along the axis z' = h / sin(pitch + angle below the axis) * cos(angle),
// which for a row v below the centre is h / (v / f cos p + sin p).
TEST(Scene, MarkingsAreSeenWhereTheGeometrySays) {
  const Look look = plain();
  for (const double offset : {-0.6, 0.0, 0.9}) {
    const data::Image image = render(look, bend(0), {0, offset, 0}, 0);
    ASSERT_EQ(image.rgb.size(), 3u * 160 * 120);
    for (const unsigned row : {70u, 80u, 90u}) {
      const double below = (row + 0.5 - 60) / look.focal_pixels;
      const double depth = look.height_metres / (below * std::cos(look.pitch) + std::sin(look.pitch));
      const double right_line = 80 + look.focal_pixels * (1.75 - offset) / depth;
      const double left_line = 80 + look.focal_pixels * (-1.75 - offset) / depth;
      if (right_line < 155) {
        EXPECT_NEAR(bright_column(image, row, 80, 160), right_line, 1.0) << offset << ' ' << row;
      }
      if (left_line > 5) {
        EXPECT_NEAR(bright_column(image, row, static_cast<unsigned>(left_line - 5), 80), left_line, 1.0)
            << offset << ' ' << row;
      }
    }
  }
}

TEST(Scene, ABendToTheRightIsSeenToTheRight) {
  const auto far_line = [](double curvature) {
    return bright_column(render(plain(), bend(curvature), {0, 0, 0}, 0), 52, 0, 160);
  };
  EXPECT_GT(far_line(0.03), far_line(0) + 5);
  EXPECT_LT(far_line(-0.03), far_line(0) - 5);
}

TEST(Scene, TheSkyIsAboveTheRoad) {
  const data::Image image = render(plain(), bend(0), {0, 0, 0}, 0);
  EXPECT_GT(image.rgb[3 * (5 * 160 + 80) + 2], 130);    // blue
  EXPECT_LT(image.rgb[3 * (110 * 160 + 80) + 2], 100);  // asphalt
}

// --- The data set ---

TEST(RenderedDrives, AreAFunctionOfTheSeed) {
  const RenderedOptions options{3, 4, 10};
  const RenderedDrives one(options), same(options), other({4, 4, 10});
  EXPECT_EQ(one.fingerprint(), same.fingerprint());
  EXPECT_NE(one.fingerprint(), other.fingerprint());
  for (const std::size_t frame : {std::size_t{0}, std::size_t{17}, std::size_t{39}}) {
    EXPECT_EQ(one.image(frame).rgb, same.image(frame).rgb);
    EXPECT_NE(one.image(frame).rgb, other.image(frame).rgb);
    EXPECT_EQ(one.labels(frame), same.labels(frame));
  }
}

TEST(RenderedDrives, KeepWhatADatasetPromises) {
  data::expect_contract([] { return std::make_unique<RenderedDrives>(RenderedOptions{1, 2, 10}); });
}

TEST(RenderedDrives, LabelsAreThoseOfTheGeometryAndVaried) {
  const RenderedDrives data({1, 80, 50});
  double sum = 0, squares = 0, largest = 0;
  for (std::size_t frame = 0; frame < data.size(); ++frame) {
    const std::vector<float> labels = data.labels(frame);
    ASSERT_EQ(labels[0], static_cast<float>(steering(data.road(frame), data.pose(frame))));
    ASSERT_FLOAT_EQ(labels[1], 0.8f - 0.5f * std::fabs(labels[0]));
    sum += labels[0];
    squares += labels[0] * labels[0];
    largest = std::max(largest, std::fabs(data.pose(frame).offset));
  }
  const double mean = sum / static_cast<double>(data.size());
  EXPECT_NEAR(mean, 0, 0.1);
  EXPECT_GT(std::sqrt(squares / static_cast<double>(data.size())), 0.3);
  EXPECT_GT(largest, 1.0);
  EXPECT_LT(largest, 1.5);
}

TEST(RenderedDrives, NeighbouringFramesAreNearlyEqual) {
  const RenderedDrives data({1, 2, 20});
  const auto difference = [&](std::size_t a, std::size_t b) {
    return std::fabs(data.pose(a).offset - data.pose(b).offset) +
           std::fabs(data.pose(a).heading - data.pose(b).heading);
  };
  for (std::size_t frame = 1; frame < 20; ++frame) {
    EXPECT_LT(difference(frame, frame - 1), 0.25);
    EXPECT_NEAR(data.pose(frame).s - data.pose(frame - 1).s, 0.4, 0.05);
  }
}

}  // namespace
}  // namespace dojo::driving
