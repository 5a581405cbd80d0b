#include "course.h"

#include <fmt/format.h>

#include "base/error.h"
#include "driving/meanings.h"
#include "driving/rendered.h"
#include "driving/tub.h"

namespace dojo::tools {
namespace {

std::unique_ptr<training::Dataset> open(const std::string& data, std::uint64_t seed, unsigned threads) {
  if (!data.empty()) return std::make_unique<driving::Tub>(data, threads);
  driving::RenderedOptions options;
  options.seed = seed;
  return std::make_unique<driving::RenderedDrives>(options);
}

}  // namespace

DrivingCourse::DrivingCourse(const std::string& data, std::uint64_t seed, unsigned threads)
    : data_(open(data, seed, threads)) {
  for (const std::string& warning : data_->warnings()) fmt::print(stderr, "warning: {}\n", warning);
  if (data_->size() < 2) refuse(data_->name(), "has fewer than two usable frames");
  split_ = training::split_by_blocks(data_->size());
}

training::Course DrivingCourse::for_network(const training::TrainableNetwork& network) {
  const std::vector<std::string>& labels = data_->label_names();
  std::vector<driving::Source> sources;
  for (const training::Signal& input : network.inputs) sources.push_back(driving::source_for(input, labels));
  std::vector<std::string> notes;
  std::vector<training::Meaning> meanings = driving::meanings_of(network.targets, labels, notes);
  examples_ = std::make_unique<driving::CameraExamples>(*data_, std::move(sources), meanings);
  for (const std::string& note : notes) fmt::print(stderr, "{}\n", note);
  return {*examples_, split_, data_->fingerprint(), std::move(meanings)};
}

}  // namespace dojo::tools
