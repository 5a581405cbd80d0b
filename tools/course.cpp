#include "course.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "driving/joined_data.h"
#include "driving/meanings.h"
#include "driving/tub.h"
#include "path_argument.h"
#include "whole_number.h"

namespace dojo::tools {
namespace {

constexpr std::size_t most_drives = 20'000;  // a million frames

std::unique_ptr<training::Dataset> open(const DataArguments& arguments, std::uint64_t seed,
                                        unsigned threads) {
  if (arguments.tubs.empty()) {
    driving::RenderedOptions options;
    options.seed = seed;
    options.drives = arguments.drives;
    return std::make_unique<driving::RenderedDrives>(options);
  }
  std::vector<std::unique_ptr<training::Dataset>> tubs;
  for (const std::string& folder : arguments.tubs)
    tubs.push_back(std::make_unique<driving::Tub>(
        folder, driving::TubOptions{.strict = arguments.strict, .threads = threads}));
  return std::make_unique<driving::JoinedData>(std::move(tubs));
}

void warn(const std::string& sentence) { fmt::print(stderr, "warning: {}\n", sentence); }

}  // namespace

void add_data_options(CLI::App& command, DataArguments& arguments) {
  CLI::Option* tubs = command
                          .add_option("--data", arguments.tubs,
                                      "A Donkeycar 4 or 5 tub; given again, one more. Without it, rendered "
                                      "road scenes made from the seed")
                          ->expected(1)
                          ->take_all()
                          ->check(path_argument());
  command
      .add_option("--drives", arguments.drives,
                  fmt::format("Without --data: how many drives, of {} frames each, are rendered",
                              driving::RenderedOptions{}.frames_per_drive))
      ->check(whole_number(1, most_drives))
      ->excludes(tubs)
      ->capture_default_str();
  command.add_flag("--strict", arguments.strict,
                   "Refuse a tub at its first damaged record instead of leaving that out");
}

DrivingCourse::DrivingCourse(const DataArguments& arguments, std::uint64_t seed, unsigned threads)
    : strict_(arguments.strict), data_(open(arguments, seed, threads)) {
  for (const std::string& warning : data_->warnings()) warn(warning);
}

training::Course DrivingCourse::for_network(const training::TrainableNetwork& network) {
  const std::vector<std::string>& labels = data_->label_names();
  std::vector<driving::Source> sources;
  for (const training::Signal& input : network.inputs) sources.push_back(driving::source_for(input, labels));
  std::vector<std::string> notes;
  std::vector<training::Meaning> meanings = driving::meanings_of(network.targets, labels, notes);
  frames_ = std::make_unique<driving::MeasuredFrames>(*data_, driving::labels_of(sources, meanings), strict_);
  examples_ = std::make_unique<driving::CameraExamples>(*frames_, std::move(sources), meanings);
  const std::size_t frames = frames_->size();
  if (frames < 2) refuse(data_->name(), "has fewer than two usable frames");
  split_ = training::split_recordings(frames_->recordings());
  if (!said_) {
    for (const std::string& note : notes) fmt::print(stderr, "{}\n", note);
    for (const std::string& warning : frames_->warnings()) warn(warning);
    if (std::ranges::max(frames_->recordings()) < training::least_frames_for_blocks)
      warn(
          fmt::format("{}: {} usable frames are too few for blocks of their own to be held out; validation, "
                      "on {} of them, means nothing",
                      data_->name(), frames, split_.validation.size()));
  }
  said_ = true;
  return {*examples_, split_, frames_->fingerprint(), std::move(meanings)};
}

}  // namespace dojo::tools
