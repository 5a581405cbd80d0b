#include "driving_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "data/joined_data.h"
#include "data/label_specification.h"
#include "data/tub.h"
#include "say.h"
#include "stop_request.h"

namespace dojo::tools {
namespace {

constexpr std::size_t most_drives = 20'000;  // a million frames

std::unique_ptr<data::Dataset> open(const DataArguments& arguments, std::uint64_t seed, unsigned threads) {
  if (arguments.tubs.empty()) {
    driving::RenderedOptions options;
    options.seed = seed;
    options.drives = arguments.drives;
    return std::make_unique<driving::RenderedDrives>(options);
  }
  std::vector<std::unique_ptr<data::Dataset>> tubs;
  for (const std::string& folder : arguments.tubs)
    tubs.push_back(unless_stopped([&] {
      return std::make_unique<data::Tub>(
          folder,
          data::TubOptions{.strict = arguments.strict, .threads = threads, .interrupted = stop_was_asked});
    }));
  return std::make_unique<data::JoinedData>(std::move(tubs));
}

void warn(const std::string& sentence) { say("warning: {}", sentence); }

}  // namespace

std::vector<Option> data_options(DataArguments& arguments) {
  return {
      {.name = "--data",
       .into = &arguments.tubs,
       .help =
           "A Donkeycar 4 or 5 tub; given again, one more. Without it, rendered road scenes made from the "
           "seed",
       .is_path = true,
       .kept = Kept::as_file},
      {.name = "--drives",
       .into = &arguments.drives,
       .help = fmt::format("Without --data: how many drives, of {} frames each, are rendered",
                           driving::RenderedOptions{}.frames_per_drive),
       .least = 1,
       .most = most_drives,
       .excludes = {"--data"},
       .kept = Kept::as_given},
      {.name = "--strict",
       .into = &arguments.strict,
       .help = "Refuse a tub at its first damaged record instead of leaving that out"}};
}

DrivingData::DrivingData(const DataArguments& arguments, std::uint64_t seed, unsigned threads)
    : strict_(arguments.strict), data_(open(arguments, seed, threads)) {
  for (const std::string& warning : data_->warnings()) warn(warning);
}

std::vector<data::Source> DrivingData::sources_for(const std::vector<data::Signal>& inputs) const {
  std::vector<data::Source> sources;
  for (const data::Signal& input : inputs) sources.push_back(data::source_for(input, data_->label_names()));
  return sources;
}

void DrivingData::keep_frames(const std::vector<std::string>& needed) {
  frames_ = std::make_unique<data::MeasuredFrames>(*data_, needed, strict_);
  if (!said_)
    for (const std::string& warning : frames_->warnings()) warn(warning);
}

void DrivingData::split_frames() {
  const std::size_t frames = frames_->size();
  if (frames < 2) refuse(data_->name(), "has fewer than two usable frames");
  split_ = data::split_recordings(frames_->recordings());
  if (!said_ && std::ranges::max(frames_->recordings()) < data::least_frames_for_blocks)
    warn(
        fmt::format("{}: {} usable frames are too few for blocks of their own to be held out; validation, "
                    "on {} of them, means nothing",
                    data_->name(), frames, split_.validation.size()));
}

training::TrainingData DrivingData::for_network(const training::TrainableNetwork& network) {
  std::vector<data::Source> sources = sources_for(network.inputs);
  std::vector<std::string> notes;
  std::vector<data::LabelSpecification> specifications =
      data::label_specifications(network.targets, data_->label_names(), notes);
  if (!said_)
    for (const std::string& note : notes) say("{}", note);
  keep_frames(data::labels_of(sources, specifications));
  examples_ = std::make_unique<data::CameraExamples>(*frames_, std::move(sources), specifications);
  split_frames();
  said_ = true;
  return {*examples_, split_, frames_->fingerprint(), std::move(specifications)};
}

Questions DrivingData::for_prediction(const training::ForwardNetwork& network, bool held_out) {
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

}  // namespace dojo::tools
