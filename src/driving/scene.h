// Rendered frames of a road, as a small camera behind a windscreen would take them: surface, markings, verge,
// hills and sky, with light, texture, shadows and the camera's pose different from drive to drive, and noise
// from frame to frame.
//
// A picture is a function of (look, road, pose, frame) alone; every ray asks the geometry of road.h, so
// labels and pictures agree.
#pragma once

#include <array>
#include <cstdint>

#include "data/dataset.h"
#include "driving/road.h"

namespace dojo::driving {

using Colour = std::array<float, 3>;  // red, green, blue; 0 dark, 255 white

// How a drive looks.
struct Look {
  std::uint64_t seed = 0;  // of textures and noise
  Colour asphalt{}, verge{}, marking{}, centre_marking{}, sky{}, hills{};
  double asphalt_grain = 0, verge_grain = 0, marking_wear = 0;  // 0..1
  double dash_metres = 3, gap_metres = 5;                       // gap 0: the centre line is solid
  double light = 1;                                             // exposure
  double shadow_depth = 0;                                      // 0: none
  double haze_metres = 100;
  double noise = 2;  // standard deviation of the sensor's noise
  // The camera.
  double height_metres = 1.2;
  double pitch = 0.19, yaw = 0, roll = 0;  // down, right, clockwise
  double focal_pixels = 95;
};

Look random_look(std::uint64_t seed);

constexpr unsigned scene_width = 160, scene_height = 120;

data::Image render(const Look& look, const Road& road, const Pose& pose, std::uint64_t frame);

}  // namespace dojo::driving
