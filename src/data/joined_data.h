// Several recordings as one data set: the frames of the first, then those of the second. A label that only
// some of them have is not measured in the others.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace dojo::data {

class JoinedData final : public Dataset {
public:
  // At least one. Refuses one that is there twice, also as a copy: its frames would count twice.
  explicit JoinedData(std::vector<std::unique_ptr<Dataset>> parts);

  std::string name() const override;
  // Of all fingerprints in their order; of a single part, its own.
  std::string fingerprint() const override;
  std::size_t size() const override { return first_.back(); }
  const std::vector<std::string>& label_names() const override { return label_names_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  Image image(std::size_t frame) const override;
  std::vector<float> labels(std::size_t frame) const override;
  std::string place(std::size_t frame) const override;
  std::string recording(std::size_t frame) const override;
  std::int64_t record(std::size_t frame) const override;
  std::vector<std::size_t> recordings() const override;
  std::size_t skipped() const override;

private:
  void refuse_twins() const;
  std::pair<std::size_t, std::size_t> find(std::size_t frame) const;  // a part and the frame's number in it

  std::vector<std::unique_ptr<Dataset>> parts_;
  std::vector<std::size_t> first_ = {0};  // the first frame of each part, and one behind the last frame
  std::vector<std::string> label_names_, warnings_;
  std::vector<std::vector<std::size_t>> columns_;  // for each part, where its labels go
};

}  // namespace dojo::data
