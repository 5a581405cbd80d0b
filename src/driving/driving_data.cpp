#include "driving/driving_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "data/joined_data.h"
#include "data/label_specification.h"
#include "data/recording.h"

namespace dojo::driving {
namespace {

std::unique_ptr<data::Dataset> open(const DrivingSource& source) {
  if (source.recordings.empty())
    return std::make_unique<RenderedDrives>(RenderedOptions{.seed = source.seed, .drives = source.drives});
  const data::RecordingOptions options{
      .strict = source.strict, .threads = source.threads, .interrupted = source.interrupted};
  std::vector<std::unique_ptr<data::Dataset>> opened;
  for (const std::string& folder : source.recordings) opened.push_back(data::open_recording(folder, options));
  return std::make_unique<data::JoinedData>(std::move(opened));
}

}  // namespace

DrivingData::DrivingData(const DrivingSource& source, DrivingWatcher watcher)
    : strict_(source.strict), watcher_(std::move(watcher)), data_(open(source)) {
  for (const std::string& warning : data_->warnings()) warn(warning);
}

void DrivingData::warn(const std::string& sentence) const {
  if (!said_) watcher_.warning(sentence);
}

std::vector<data::Source> DrivingData::sources_for(const std::vector<data::Signal>& inputs) const {
  std::vector<data::Source> sources;
  for (const data::Signal& input : inputs) sources.push_back(data::source_for(input, data_->label_names()));
  return sources;
}

void DrivingData::keep_frames(const std::vector<std::string>& needed) {
  frames_ = std::make_unique<data::MeasuredFrames>(*data_, needed, strict_);
  for (const std::string& warning : frames_->warnings()) warn(warning);
}

void DrivingData::split_frames() {
  const std::size_t frames = frames_->size();
  if (frames < 2) refuse(data_->name(), "has fewer than two usable frames");
  split_ = data::split_recordings(frames_->recordings());
  if (std::ranges::max(frames_->recordings()) < data::least_frames_for_blocks)
    warn(
        fmt::format("{}: {} usable frames are too few for blocks of their own to be held out; validation, "
                    "on {} of them, means nothing",
                    data_->name(), frames, split_.validation.size()));
}

training::TrainingData DrivingData::for_training(const training::TrainableNetwork& network) {
  std::vector<data::Source> sources = sources_for(network.inputs);
  std::vector<std::string> notes;
  std::vector<data::LabelSpecification> specifications =
      data::label_specifications(network.targets, data_->label_names(), notes);
  if (!said_)
    for (const std::string& note : notes) watcher_.note(note);
  keep_frames(data::labels_of(sources, specifications));
  examples_ = std::make_unique<data::CameraExamples>(*frames_, std::move(sources), specifications);
  split_frames();
  said_ = true;
  return {*examples_, split_, frames_->fingerprint(), std::move(specifications)};
}

PredictionData DrivingData::for_prediction(const training::ForwardNetwork& network, bool held_out) {
  std::vector<data::Source> sources = sources_for(network.inputs);
  std::vector<data::LabelSpecification> specifications =
      data::predicted_label_specifications(network.targets, data_->label_names());
  keep_frames(data::labels_of(sources, held_out ? specifications : std::vector<data::LabelSpecification>{}));
  examples_ = std::make_unique<data::CameraExamples>(*frames_, std::move(sources),
                                                     std::vector<data::LabelSpecification>{});
  std::vector<std::uint32_t> frames = data::all_frames(frames_->size());
  if (held_out) {
    split_frames();
    frames = split_.validation;
  }
  said_ = true;
  std::vector<float> known = measured(frames, specifications);
  return {*examples_, std::move(frames), std::move(specifications), std::move(known)};
}

std::vector<float> DrivingData::measured(const std::vector<std::uint32_t>& frames,
                                         const std::vector<data::LabelSpecification>& specifications) const {
  const std::vector<std::string>& names = frames_->label_names();
  std::vector<std::size_t> places;  // of each value, among the frame's labels
  for (const data::LabelSpecification& specification : specifications)
    for (const std::string& label : specification.labels)
      places.push_back(static_cast<std::size_t>(std::ranges::find(names, label) - names.begin()));
  std::vector<float> all;
  for (const std::uint32_t frame : frames) {
    const std::vector<float> labels = frames_->labels(frame);
    for (const std::size_t place : places)
      all.push_back(place < labels.size() ? labels[place] : std::numeric_limits<float>::quiet_NaN());
  }
  return all;
}

}  // namespace dojo::driving
