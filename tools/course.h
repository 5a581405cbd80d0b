// The data set a command line names, split and seen through a network's eyes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "driving/examples.h"
#include "training/split.h"
#include "training/trainer.h"

namespace dojo::tools {

class DrivingCourse {
public:
  // `data`: a tub's folder, or empty for rendered drives made from `seed`. Prints the data set's warnings to
  // stderr.
  DrivingCourse(const std::string& data, std::uint64_t seed, unsigned threads);

  const training::Dataset& data() const { return *data_; }
  const training::Split& split() const { return split_; }
  // Refuses inputs that are neither pictures nor labels and outputs that no label fits; says on stderr what
  // an output learns whose name doesn't. Valid while this object lives.
  training::Course for_network(const training::TrainableNetwork& network);

private:
  std::unique_ptr<training::Dataset> data_;
  training::Split split_;
  std::unique_ptr<driving::CameraExamples> examples_;
};

}  // namespace dojo::tools
