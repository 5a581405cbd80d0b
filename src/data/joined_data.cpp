#include "data/joined_data.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/sha256.h"

namespace dojo::data {

JoinedData::JoinedData(std::vector<std::unique_ptr<Dataset>> parts) : parts_(std::move(parts)) {
  DOJO_ENSURE(!parts_.empty());
  refuse_twins();
  for (const auto& part : parts_) {
    first_.push_back(first_.back() + part->size());
    warnings_.insert(warnings_.end(), part->warnings().begin(), part->warnings().end());
    std::vector<std::size_t>& columns = columns_.emplace_back();
    for (const std::string& label : part->label_names()) {
      const auto found = std::ranges::find(label_names_, label);
      columns.push_back(static_cast<std::size_t>(found - label_names_.begin()));
      if (found == label_names_.end()) label_names_.push_back(label);
    }
  }
}

void JoinedData::refuse_twins() const {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (parts_[i]->fingerprint() == parts_[j]->fingerprint()) {
        if (parts_[i]->name() == parts_[j]->name()) refuse(parts_[i]->name(), "is given twice");
        refuse(parts_[i]->name(), "holds the same frames as {}; a recording is given once",
               parts_[j]->name());
      }
}

std::string JoinedData::name() const {
  std::vector<std::string> names;
  for (const auto& part : parts_) names.push_back(part->name());
  return fmt::format("{}", fmt::join(names, " + "));
}

std::string JoinedData::fingerprint() const {
  if (parts_.size() == 1) return parts_.front()->fingerprint();
  Sha256 all;
  for (const auto& part : parts_) {
    const std::string row = part->fingerprint() + "\n";
    all.add(std::as_bytes(std::span(row)));
  }
  return all.hex();
}

std::pair<std::size_t, std::size_t> JoinedData::find(std::size_t frame) const {
  DOJO_ENSURE(frame < size());
  const auto next = std::ranges::upper_bound(first_, frame);
  return {static_cast<std::size_t>(next - first_.begin()) - 1, frame - *(next - 1)};
}

Image JoinedData::image(std::size_t frame) const {
  const auto [part, own] = find(frame);
  return parts_[part]->image(own);
}

std::vector<float> JoinedData::labels(std::size_t frame) const {
  const auto [part, own] = find(frame);
  std::vector<float> all(label_names_.size(), std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> labels = parts_[part]->labels(own);
  for (std::size_t i = 0; i < labels.size(); ++i) all[columns_[part][i]] = labels[i];
  return all;
}

std::string JoinedData::place(std::size_t frame) const {
  const auto [part, own] = find(frame);
  return parts_[part]->place(own);
}

std::string JoinedData::recording(std::size_t frame) const {
  const auto [part, own] = find(frame);
  return parts_[part]->recording(own);
}

std::int64_t JoinedData::record(std::size_t frame) const {
  const auto [part, own] = find(frame);
  return parts_[part]->record(own);
}

std::vector<std::size_t> JoinedData::recordings() const {
  std::vector<std::size_t> all;
  for (const auto& part : parts_)
    for (const std::size_t frames : part->recordings()) all.push_back(frames);
  return all;
}

std::size_t JoinedData::skipped() const {
  std::size_t count = 0;
  for (const auto& part : parts_) count += part->skipped();
  return count;
}

}  // namespace dojo::data
