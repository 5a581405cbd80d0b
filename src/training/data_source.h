// What a network is trained on, opened: of whatever kind, it is seen through one network's eyes.
#pragma once

#include "data/dataset.h"
#include "data/split.h"
#include "training/trainer.h"

namespace dojo::training {

class DataSource {
public:
  virtual ~DataSource() = default;
  // Of the whole, for people and run.json.
  virtual std::string name() const = 0;
  // Throws UserError for a network that it is not for. Valid while this object lives and until it is asked
  // again.
  virtual TrainingData for_training(const TrainableNetwork& network) = 0;
  // The frames (samples) that the network which was asked about last can use, and which of them are held out.
  virtual const data::Dataset& frames() const = 0;
  virtual const data::Split& split() const = 0;
};

}  // namespace dojo::training
