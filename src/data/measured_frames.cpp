#include "data/measured_frames.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/sha256.h"

namespace dojo::data {
namespace {

using Labels = std::vector<std::string>;

// Steering and throttle, the first two of every data set, lie in [-1, 1].
class RangeCheck {
public:
  void see(const std::string& label, float value, const std::string& place) {
    if (std::abs(value) <= 1) return;
    if (count_ == 0) first_ = fmt::format("{}: '{}' is {}", place, label, value);
    ++count_;
  }
  void warn(Labels& warnings) const {
    if (count_ != 0)
      warnings.push_back(fmt::format("{}, outside of -1 to 1; {}", first_,
                                     count_ == 1
                                         ? "it is learnt as it is"
                                         : fmt::format("{} such values are learnt as they are", count_)));
  }

private:
  std::string first_;
  std::size_t count_ = 0;
};

}  // namespace

MeasuredFrames::MeasuredFrames(const Dataset& data, const Labels& needed, bool strict) : data_(data) {
  const Labels& names = data.label_names();
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::ranges::count(needed, names[i]) != 0) columns.push_back(i);
  Faults faults(strict);
  RangeCheck range;
  std::size_t frame = 0;
  for (const std::size_t count : data.recordings()) {
    const std::size_t before = frames_.size();
    for (const std::size_t end = frame + count; frame < end; ++frame) {
      const std::vector<float> labels = data.labels(frame);
      const auto missing =
          std::ranges::find_if(columns, [&](std::size_t i) { return std::isnan(labels[i]); });
      if (missing != columns.end()) {
        faults.skip(data.place(frame),
                    fmt::format("has no number for '{}', which the network needs", names[*missing]));
        continue;
      }
      for (const std::size_t i : columns)
        if (i < 2) range.see(names[i], labels[i], data.place(frame));
      frames_.push_back(static_cast<std::uint32_t>(frame));
    }
    recordings_.push_back(frames_.size() - before);
  }
  skipped_ = faults.skipped();
  warnings_ = faults.sentences();
  if (frames_.empty()) refuse(data.name(), "holds no usable frame: {}", fmt::join(warnings_, ", "));
  range.warn(warnings_);
}

std::string MeasuredFrames::fingerprint() const {
  if (frames_.size() == data_.size()) return data_.fingerprint();
  Sha256 all;
  const std::string whole = data_.fingerprint();
  all.add(std::as_bytes(std::span(whole)));
  all.add(std::as_bytes(std::span(frames_)));
  return all.hex();
}

}  // namespace dojo::data
