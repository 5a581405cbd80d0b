// The data set a command line names, split and seen through a network's eyes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "data/examples.h"
#include "data/measured_frames.h"
#include "data/split.h"
#include "driving/rendered.h"
#include "training/trainer.h"

namespace dojo::tools {

// What says where frames come from, the same for every command that takes some.
struct DataArguments {
  std::vector<std::string> tubs;  // none: rendered drives
  std::size_t drives = driving::RenderedOptions{}.drives;
  bool strict = false;
};
std::vector<Option> data_options(DataArguments& arguments);

// What a network is asked, and what is known of the answers.
struct Questions {
  const data::Examples& examples;  // without targets
  std::vector<std::uint32_t> frames;
  std::vector<data::LabelSpecification> specifications;  // one per output
  std::vector<float> measured;  // of `frames`, each with all values; NaN where there is no label
};

class DrivingData {
public:
  // Rendered drives are made from `seed`. Prints the data set's warnings to stderr.
  DrivingData(const DataArguments& arguments, std::uint64_t seed, unsigned threads);

  const data::Dataset& data() const { return *data_; }
  // Those of the network that was asked about last.
  const data::Dataset& frames() const { return *frames_; }
  const data::Split& split() const { return split_; }
  // Refuses inputs that are neither pictures nor labels, outputs that no label fits, and data of which no two
  // frames have all labels that the network needs. Says on stderr what an output learns whose name doesn't,
  // and what of the data is left out or doubtful; the first time, for it may be asked again. Valid while this
  // object lives and until it is asked again.
  training::TrainingData for_network(const training::TrainableNetwork& network);
  // The same for what is predicted, where no label is needed but those that inputs take: all frames, or those
  // that a run which trains the network with this data would hold out.
  Questions for_prediction(const training::ForwardNetwork& network, bool held_out);

private:
  void keep_frames(const std::vector<std::string>& needed);
  void split_frames();
  std::vector<data::Source> sources_for(const std::vector<data::Signal>& inputs) const;
  std::vector<float> measured(const std::vector<std::uint32_t>& frames,
                              const std::vector<data::LabelSpecification>& specifications) const;

  bool strict_, said_ = false;
  std::unique_ptr<data::Dataset> data_;
  std::unique_ptr<data::MeasuredFrames> frames_;
  data::Split split_;
  std::unique_ptr<data::CameraExamples> examples_;
};

}  // namespace dojo::tools
