// The geometry of a road and of a car on it: what the steering label is computed from.
//
// Lengths in metres, angles in radians. s is the distance along the middle of the driving lane. Right is
// positive: offsets, headings and curvatures (a positive curvature bends to the right), as in Donkeycar's
// steering.
#pragma once

#include <cstdint>
#include <vector>

namespace dojo::driving {

// Curvature as a constant and a few waves: curvature(s) = constant + sum of amplitude * sin(frequency * s +
// phase).
struct Wave {
  double amplitude = 0, frequency = 0, phase = 0;
};

struct Road {
  double constant = 0;
  std::vector<Wave> waves;
  double lane_width = 3.5;

  double curvature(double s) const;
  double heading(double s) const;  // the integral of the curvature from 0 to s
};

// Where the car is: at s, `offset` to the right of the lane's middle, turned by `heading` against the lane's
// direction.
struct Pose {
  double s = 0, offset = 0, heading = 0;
};

// A point of the lane's middle as the car sees it.
struct PathPoint {
  double s = 0;
  double forward = 0, right = 0;  // from the car
  double heading = 0;             // of the lane, against the car's
};

// The lane's middle from `behind` before the car to `ahead` after it, a point every `step`.
std::vector<PathPoint> path_seen(const Road& road, const Pose& pose, double behind, double ahead,
                                 double step);

// The curvature of the arc that leads the car, tangentially, to the point of the lane's middle that is
// `pursuit_distance` away and ahead: pure pursuit (Coulter, "Implementation of the Pure Pursuit Path Tracking
// Algorithm", CMU-RI-TR-92-01). On a circle it is the circle's own.
constexpr double pursuit_distance = 10;
double pursuit_curvature(const Road& road, const Pose& pose);

// The labels. Full lock (1) turns on a circle of 15 m.
constexpr double full_lock_radius = 15;
double steering(const Road& road, const Pose& pose);  // in [-1, 1]
double throttle(double steering);                     // 0.8 straight on, 0.3 at full lock

// The pose after `distance` driven on an arc of `curvature`.
Pose drive(const Road& road, const Pose& pose, double curvature, double distance);

}  // namespace dojo::driving
