#include "driving/rendered.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/random.h"
#include "base/sha256.h"

namespace dojo::driving {
namespace {

constexpr double frame_metres = 8.0 / 20;
constexpr std::uint64_t drive_stream = 0x64726976ull << 32;

Road random_road(Random& random) {
  Road road;
  road.lane_width = random.uniform(3.2, 3.8);
  for (const double wavelength : {random.uniform(35, 60), random.uniform(60, 120), random.uniform(120, 300)})
    road.waves.push_back({random.uniform(0, 0.018), 2 * std::numbers::pi / wavelength,
                          random.uniform(0, 2 * std::numbers::pi)});
  return road;
}

}  // namespace

RenderedDrives::RenderedDrives(const RenderedOptions& options) : options_(options) {
  if (options.drives == 0 || options.frames_per_drive == 0)
    refuse("rendered drives", "no frames were asked for");
  for (std::uint64_t number = 0; number < options.drives; ++number) add_drive(number);
}

void RenderedDrives::add_drive(std::uint64_t number) {
  Random random(options_.seed, drive_stream + number);
  roads_.push_back(random_road(random));
  looks_.push_back(random_look(options_.seed * 0x10001 + number));
  const Road& road = roads_.back();
  Pose pose{random.uniform(0, 1000), 0.5 * random.normal(), 0.08 * random.normal()};
  double disturbance = 0;  // of the steered curvature: a random walk that is drawn back to 0 within a second
  for (std::size_t frame = 0; frame < options_.frames_per_drive; ++frame) {
    pose.offset = std::clamp(pose.offset, -1.4, 1.4);
    pose.heading = std::clamp(pose.heading, -0.3, 0.3);
    poses_.push_back(pose);
    angles_.push_back(static_cast<float>(steering(road, pose)));
    disturbance += -0.05 * disturbance + 0.012 * random.normal();
    pose = drive(road, pose, angles_.back() / full_lock_radius + disturbance, frame_metres);
  }
}

std::string RenderedDrives::name() const {
  return fmt::format("{} rendered drives of {} frames, seed {}", options_.drives, options_.frames_per_drive,
                     options_.seed);
}

// Of all labels, and of one picture of each drive: another renderer shows in every picture.
std::string RenderedDrives::fingerprint() const {
  Sha256 all;
  const std::string row = "rendered " + name();
  all.add(std::as_bytes(std::span(row)));
  all.add(std::as_bytes(std::span(angles_)));
  for (std::size_t frame = 0; frame < size(); frame += options_.frames_per_drive) {
    const data::Image picture = image(frame);
    all.add(std::as_bytes(std::span(picture.rgb)));
  }
  return all.hex();
}

const std::vector<std::string>& RenderedDrives::label_names() const {
  static const std::vector<std::string> names = {"angle", "throttle"};
  return names;
}

data::Image RenderedDrives::image(std::size_t frame) const {
  return render(look(frame), road(frame), pose(frame), frame);
}

std::vector<float> RenderedDrives::labels(std::size_t frame) const {
  return {angles_[frame], static_cast<float>(throttle(angles_[frame]))};
}

}  // namespace dojo::driving
