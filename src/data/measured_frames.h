// The frames of a data set that one network can use: those in which every label was measured that its inputs
// and outputs need. A car doesn't measure everything all the time, and what a network doesn't need may be
// missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/faults.h"

namespace dojo::data {

class MeasuredFrames final : public Dataset {
public:
  // Keeps a reference to `data`. `needed`: names of labels; those that the data set doesn't have are left to
  // CameraExamples to refuse. A frame without one is a fault. Refuses if no frame is left.
  MeasuredFrames(const Dataset& data, const std::vector<std::string>& needed, bool strict);

  std::string name() const override { return data_.name(); }
  // The data set's own if all its frames are here: else also of which are.
  std::string fingerprint() const override;
  std::size_t size() const override { return frames_.size(); }
  const std::vector<std::string>& label_names() const override { return data_.label_names(); }
  // Of what was left out here, and labels beyond the range of a steering wheel and a pedal.
  const std::vector<std::string>& warnings() const override { return warnings_; }
  Image image(std::size_t frame) const override { return data_.image(frames_.at(frame)); }
  std::vector<float> labels(std::size_t frame) const override { return data_.labels(frames_.at(frame)); }
  std::string place(std::size_t frame) const override { return data_.place(frames_.at(frame)); }
  std::string recording(std::size_t frame) const override { return data_.recording(frames_.at(frame)); }
  std::int64_t record(std::size_t frame) const override { return data_.record(frames_.at(frame)); }
  std::vector<std::size_t> recordings() const override { return recordings_; }
  std::size_t skipped() const override { return data_.skipped() + skipped_; }

private:
  const Dataset& data_;
  std::vector<std::uint32_t> frames_;
  std::vector<std::size_t> recordings_;
  std::size_t skipped_ = 0;  // here
  std::vector<std::string> warnings_;
};

}  // namespace dojo::data
