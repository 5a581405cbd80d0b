// Rendered drives as a data set: the frames that the project makes itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "driving/road.h"
#include "driving/scene.h"

namespace dojo::driving {

struct RenderedOptions {
  std::uint64_t seed = 1;
  std::size_t drives = 80;            // each on its own road, with its own look
  std::size_t frames_per_drive = 50;  // 20 a second, at 8 m/s
};

// In each drive the car follows its lane by the label's own steering while disturbances push it off, so that
// frames show it beside the lane's middle and turned against it. Labels "angle" and "throttle" are exact:
// computed from the geometry that the picture shows. Frames are rendered when they are read.
class RenderedDrives final : public data::Dataset {
public:
  explicit RenderedDrives(const RenderedOptions& options);

  std::string name() const override;
  std::string fingerprint() const override;
  std::size_t size() const override { return poses_.size(); }
  const std::vector<std::string>& label_names() const override;
  const std::vector<std::string>& warnings() const override { return warnings_; }
  data::Image image(std::size_t frame) const override;
  std::vector<float> labels(std::size_t frame) const override;
  std::string place(std::size_t frame) const override { return name() + ":" + std::to_string(frame); }

  const Road& road(std::size_t frame) const { return roads_[frame / options_.frames_per_drive]; }
  const Pose& pose(std::size_t frame) const { return poses_[frame]; }
  const Look& look(std::size_t frame) const { return looks_[frame / options_.frames_per_drive]; }

private:
  void add_drive(std::uint64_t number);

  RenderedOptions options_;
  std::vector<Road> roads_;
  std::vector<Look> looks_;
  std::vector<Pose> poses_;
  std::vector<float> angles_;
  std::vector<std::string> warnings_;  // never any
};

}  // namespace dojo::driving
