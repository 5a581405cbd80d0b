#include "course.h"

#include <fmt/format.h>

#include "base/error.h"
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
  std::vector<driving::View> views;
  for (const training::Signal& input : network.inputs) {
    std::vector<std::int64_t> shape = {1};
    shape.insert(shape.end(), input.shape.begin(), input.shape.end());
    views.push_back(driving::view_for(input.name, shape));
  }
  std::vector<driving::Target> targets;
  for (const training::Signal& target : network.targets) {
    if (target.is_class)
      throw UserError(
          fmt::format("output '{}'", target.name),
          fmt::format("its cross entropy needs class numbers, and the label '{}' is a measured value",
                      target.label),
          Refusal::not_yet);
    std::int64_t values = 1;
    for (const std::int64_t extent : target.shape) values *= extent;
    if (values != 1)
      refuse(fmt::format("output '{}'", target.name), "has {} values a sample, the label '{}' has one",
             values, target.label);
    targets.push_back({.label = target.label, .scale = 1});
  }
  examples_ = std::make_unique<driving::CameraExamples>(*data_, std::move(views), targets);
  return {*examples_, split_, data_->fingerprint()};
}

}  // namespace dojo::tools
