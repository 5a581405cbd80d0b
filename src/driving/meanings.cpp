#include "driving/meanings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace dojo::driving {
namespace {

using Labels = std::vector<std::string>;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string place_of(const training::Signal& target) { return fmt::format("output '{}'", target.name); }

// Quantities that a car may measure: an output of that name is not given another label by its place.
bool speaks_of_something_else(std::string_view name) {
  const std::string text = lower(name);
  constexpr std::string_view quantities[] = {"speed", "brak", "veloc", "accel", "gyro", "distance"};
  return std::ranges::any_of(quantities, [&](auto word) { return text.find(word) != std::string::npos; });
}

std::int64_t values_of(const training::Signal& target) {
  std::int64_t values = 1;
  for (const std::int64_t extent : target.shape) values *= extent;
  return values;
}

training::Bins bins_of(const training::Signal& target, const std::string& label, const Labels& labels) {
  if (target.range) return {target.classes, target.range->first, target.range->second};
  if (label == labels.at(0)) return {target.classes, -1, 1};
  if (label == labels.at(1)) return {target.classes, 0, 1};
  refuse(place_of(target),
         "the classes of '{}' have no range; metadata 'opendojo.range.{}' = low:high gives it", label,
         target.name);
}

void check(const training::Signal& target, const Labels& labels) {
  if (target.classes != 0 && values_of(target) != 1)
    throw UserError(place_of(target), "classes at several places of a sample", Refusal::unsupported);
  if (target.classes != 0 && target.labels.size() > 1)
    refuse(place_of(target), "{} labels for one set of classes", target.labels.size());
  if (!target.labels.empty() && target.classes == 0 &&
      static_cast<std::int64_t>(target.labels.size()) != values_of(target))
    refuse(place_of(target), "{} labels for {} values a sample", target.labels.size(), values_of(target));
  if (target.labels.empty() && values_of(target) > 2)
    refuse(place_of(target), "has {} values a sample; without classes there are two to learn, '{}' and '{}'",
           values_of(target), labels.at(0), labels.at(1));
}

}  // namespace

std::optional<std::string> label_in(std::string_view name, const Labels& labels) {
  const std::string text = lower(name);
  for (const std::string& label : labels) {
    const std::string word = lower(label.substr(label.rfind('/') + 1));
    if (!word.empty() && text.find(word) != std::string::npos) return label;
  }
  if (text.find("steer") != std::string::npos) return labels.at(0);
  return std::nullopt;
}

std::vector<training::Meaning> meanings_of(const std::vector<training::Signal>& targets, const Labels& labels,
                                           std::vector<std::string>& notes) {
  DOJO_ENSURE(labels.size() >= 2);
  std::vector<training::Meaning> meanings;
  for (const training::Signal& target : targets) {
    check(target, labels);
    training::Meaning meaning;
    if (!target.labels.empty()) {
      meaning.labels = target.labels;
    } else if (target.classes == 0 && values_of(target) == 2) {
      meaning.labels = {labels[0], labels[1]};
    } else if (const auto named = label_in(target.name, labels)) {
      meaning.labels = {*named};
    }
    meanings.push_back(std::move(meaning));
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (meanings[i].labels.empty()) {
      const bool taken = i >= 2 || std::ranges::any_of(meanings, [&](const training::Meaning& other) {
                           return std::ranges::count(other.labels, labels[i]) != 0;
                         });
      if (taken || speaks_of_something_else(targets[i].name))
        refuse(place_of(targets[i]),
               "its name speaks of no label of the data ({}); metadata 'opendojo.label.{}' can name one",
               fmt::join(labels, ", "), targets[i].name);
      meanings[i].labels = {labels[i]};
      notes.push_back(fmt::format("output '{}' learns '{}'", targets[i].name, labels[i]));
    }
    if (targets[i].classes != 0) meanings[i].bins = bins_of(targets[i], meanings[i].labels[0], labels);
  }
  return meanings;
}

}  // namespace dojo::driving
