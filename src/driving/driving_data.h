// Drives as what networks are trained on and asked about: recordings or rendered scenes, split, and seen
// through one network's eyes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/examples.h"
#include "data/measured_frames.h"
#include "data/split.h"
#include "driving/rendered.h"
#include "training/data_source.h"

namespace dojo::driving {

// Where frames come from.
struct DrivingSource {
  std::vector<std::string> recordings = {};  // none: rendered drives
  std::size_t drives = RenderedOptions{}.drives;
  std::uint64_t seed = 1;                                    // of rendered drives
  bool strict = false;                                       // refuse a recording at its first damaged record
  unsigned threads = 0;                                      // of this computer
  std::function<bool()> interrupted = [] { return false; };  // then one is refused
};

// Sentences for people, each once, however often the data are asked for.
struct DrivingWatcher {
  std::function<void(const std::string&)> warning = [](const std::string&) {};  // left out, or doubtful
  std::function<void(const std::string&)> note = [](const std::string&) {};     // what an output learns
};

// What a network is asked, and what is known of the answers.
struct PredictionData {
  const data::Examples& examples;  // without targets, of all frames
  std::vector<std::uint32_t> frames;
  std::vector<data::LabelSpecification> specifications;  // one per output
  std::vector<float> measured;  // of `frames`, each with all values; NaN where there is no label
};

class DrivingData final : public training::DataSource {
public:
  // Opens the data set and warns of what it lacks. Throws UserError for what is none, and where interrupted.
  explicit DrivingData(const DrivingSource& source, DrivingWatcher watcher = {});

  const data::Dataset& data() const { return *data_; }
  std::string name() const override { return data_->name(); }
  const data::Dataset& frames() const override { return *frames_; }
  const data::Split& split() const override { return split_; }
  // Refuses inputs that are neither pictures nor labels, outputs that no label fits, and data of which no two
  // frames have all labels that the network needs.
  training::TrainingData for_training(const training::TrainableNetwork& network) override;
  // The same for what is predicted, where no label is needed but those that inputs take: all frames, or those
  // that a run which trains the network with this data would hold out.
  PredictionData for_prediction(const training::ForwardNetwork& network, bool held_out);

private:
  void warn(const std::string& sentence) const;
  void keep_frames(const std::vector<std::string>& needed);
  void split_frames();
  std::vector<data::Source> sources_for(const std::vector<data::Signal>& inputs) const;
  std::vector<float> measured(const std::vector<std::uint32_t>& frames,
                              const std::vector<data::LabelSpecification>& specifications) const;

  bool strict_, said_ = false;
  DrivingWatcher watcher_;
  std::unique_ptr<data::Dataset> data_;
  std::unique_ptr<data::MeasuredFrames> frames_;
  data::Split split_;
  std::unique_ptr<data::CameraExamples> examples_;
};

}  // namespace dojo::driving
