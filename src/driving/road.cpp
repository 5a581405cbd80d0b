#include "driving/road.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"

namespace dojo::driving {

double Road::curvature(double s) const {
  double sum = constant;
  for (const Wave& wave : waves) sum += wave.amplitude * sine(wave.frequency * s + wave.phase);
  return sum;
}

double Road::heading(double s) const {
  double sum = constant * s;
  for (const Wave& wave : waves)
    sum += wave.amplitude / wave.frequency * (cosine(wave.phase) - cosine(wave.frequency * s + wave.phase));
  return sum;
}

std::vector<PathPoint> path_seen(const Road& road, const Pose& pose, double behind, double ahead,
                                 double step) {
  const double lane = road.heading(pose.s);
  // Integrates the lane's direction from the car's s outwards, the heading in the middle of a step standing
  // for the step.
  const auto walk = [&](double direction, double length, std::vector<PathPoint>& points) {
    const auto steps = static_cast<int>(length / step);
    double x = 0, y = -pose.offset;
    for (int i = 0; i <= steps; ++i) {
      const double s = pose.s + direction * i * step;
      if (i > 0) {
        const double middle = road.heading(s - direction * step / 2) - lane;
        x += direction * step * cosine(middle);
        y += direction * step * sine(middle);
      }
      const double forward = x * cosine(pose.heading) + y * sine(pose.heading);
      const double right = -x * sine(pose.heading) + y * cosine(pose.heading);
      points.push_back({s, forward, right, road.heading(s) - lane - pose.heading});
    }
  };
  std::vector<PathPoint> before, after;
  walk(-1, behind, before);
  walk(+1, ahead, after);
  std::vector<PathPoint> points(before.rbegin(), before.rend());
  points.insert(points.end(), after.begin() + 1, after.end());
  return points;
}

double pursuit_curvature(const Road& road, const Pose& pose) {
  const std::vector<PathPoint> path = path_seen(road, pose, 0, 2 * pursuit_distance, 0.1);
  for (std::size_t i = 1; i < path.size(); ++i) {
    const double here = hypotenuse(path[i].forward, path[i].right);
    if (here < pursuit_distance) continue;
    const double last = hypotenuse(path[i - 1].forward, path[i - 1].right);
    const double part = (pursuit_distance - last) / (here - last);
    const double right = path[i - 1].right + part * (path[i].right - path[i - 1].right);
    return 2 * right / (pursuit_distance * pursuit_distance);
  }
  return 2 * path.back().right /
         (pursuit_distance * pursuit_distance);  // a lane that curls up before the car
}

double steering(const Road& road, const Pose& pose) {
  return std::clamp(full_lock_radius * pursuit_curvature(road, pose), -1.0, 1.0);
}

double throttle(double steering) { return 0.8 - 0.5 * std::fabs(steering); }

Pose drive(const Road& road, const Pose& pose, double curvature, double distance) {
  constexpr int parts = 8;
  const double step = distance / parts;
  Pose next = pose;
  for (int i = 0; i < parts; ++i) {
    const double bend = road.curvature(next.s);
    const double along = step * cosine(next.heading) / (1 - bend * next.offset);
    next.offset += step * sine(next.heading);
    next.heading += curvature * step - bend * along;
    next.s += along;
  }
  return next;
}

}  // namespace dojo::driving
