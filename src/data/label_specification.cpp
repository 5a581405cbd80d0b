#include "data/label_specification.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"

namespace dojo::data {
namespace {

using Labels = std::vector<std::string>;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string place_of(const Signal& target) { return fmt::format("output '{}'", target.name); }

// Quantities that a car may measure: an output of that name is not given another label by its place.
bool speaks_of_something_else(std::string_view name) {
  const std::string text = lower(name);
  constexpr std::string_view quantities[] = {"speed", "brak", "veloc", "accel", "gyro", "distance"};
  return std::ranges::any_of(quantities, [&](auto word) { return text.contains(word); });
}

std::int64_t values_of(const Signal& target) {
  std::int64_t values = 1;
  for (const std::int64_t extent : target.shape) values *= extent;
  return values;
}

// Of the classes of the first labels, the angle and the throttle.
constexpr std::array<std::pair<float, float>, 2> usual_ranges = {{{-1, 1}, {0, 1}}};

std::optional<graph::Bins> bins_of(const Signal& target, const std::string& label, const Labels& labels) {
  if (target.range) return graph::Bins{target.classes, target.range->first, target.range->second};
  for (std::size_t k = 0; k < usual_ranges.size(); ++k)
    if (label == labels.at(k))
      return graph::Bins{target.classes, usual_ranges[k].first, usual_ranges[k].second};
  return std::nullopt;
}

// What the metadata says of labels and classes.
void check(const Signal& target) {
  if (target.classes != 0 && values_of(target) != 1)
    throw UserError(place_of(target), "classes at several places of a sample", Refusal::unsupported);
  if (target.classes != 0 && target.labels.size() > 1)
    refuse(place_of(target), "{} labels for one set of classes", target.labels.size());
  if (!target.labels.empty() && target.classes == 0 &&
      static_cast<std::int64_t>(target.labels.size()) != values_of(target))
    refuse(place_of(target), "{} labels for {} values a sample", target.labels.size(), values_of(target));
}

// The labels that the metadata, the number of values or the name says; none where nothing does.
Labels said_labels(const Signal& target, const Labels& labels) {
  if (!target.labels.empty()) return target.labels;
  if (target.classes == 0 && values_of(target) == 2) return {labels[0], labels[1]};
  if (target.classes == 0 && values_of(target) > 2) return {};
  const auto named = label_in(target.name, labels);
  return named ? Labels{*named} : Labels{};
}

std::vector<LabelSpecification> stated_specifications(const std::vector<Signal>& targets,
                                                      const Labels& labels) {
  DOJO_ENSURE(labels.size() >= 2);
  std::vector<LabelSpecification> specifications;
  for (const Signal& target : targets) {
    check(target);
    specifications.push_back({said_labels(target, labels), {}, target.kind});
  }
  return specifications;
}

// Whether target i, of which nothing is said, has the label at its own place to itself.
bool may_take_its_place(std::size_t i, const std::vector<Signal>& targets,
                        const std::vector<LabelSpecification>& specifications, const Labels& labels) {
  const bool taken = i >= 2 || std::ranges::any_of(specifications, [&](const LabelSpecification& other) {
                       return std::ranges::count(other.labels, labels[i]) != 0;
                     });
  return !taken && !speaks_of_something_else(targets[i].name);
}

}  // namespace

std::optional<std::string> label_in(std::string_view name, const Labels& labels) {
  const std::string text = lower(name);
  for (const std::string& label : labels) {
    const std::string word = lower(label.substr(label.rfind('/') + 1));
    if (!word.empty() && text.contains(word)) return label;
  }
  if (text.contains("steer")) return labels.at(0);
  return std::nullopt;
}

std::vector<LabelSpecification> label_specifications(const std::vector<Signal>& targets, const Labels& labels,
                                                     std::vector<std::string>& notes) {
  std::vector<LabelSpecification> specifications = stated_specifications(targets, labels);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Signal& target = targets[i];
    if (specifications[i].labels.empty()) {
      if (values_of(target) > 2)
        refuse(place_of(target),
               "has {} values a sample; without classes there are two to learn, '{}' and '{}'",
               values_of(target), labels.at(0), labels.at(1));
      if (!may_take_its_place(i, targets, specifications, labels))
        refuse(place_of(target),
               "its name speaks of no label of the data ({}); metadata 'opendojo.label.{}' can name one",
               fmt::join(labels, ", "), target.name);
      specifications[i].labels = {labels[i]};
      notes.push_back(fmt::format("output '{}' learns '{}'", target.name, labels[i]));
    }
    if (target.classes == 0) continue;
    specifications[i].bins = bins_of(target, specifications[i].labels[0], labels);
    if (!specifications[i].bins)
      refuse(place_of(target),
             "the classes of '{}' have no range; metadata 'opendojo.range.{}' = low:high gives it",
             specifications[i].labels[0], target.name);
  }
  return specifications;
}

std::vector<LabelSpecification> predicted_label_specifications(const std::vector<Signal>& targets,
                                                               const Labels& labels) {
  std::vector<LabelSpecification> specifications = stated_specifications(targets, labels);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Signal& target = targets[i];
    Labels& names = specifications[i].labels;
    const std::int64_t values = values_of(target);
    if (names.empty() && values == 1)
      names = {may_take_its_place(i, targets, specifications, labels) ? labels[i] : target.name};
    for (std::int64_t k = 0; names.empty() || static_cast<std::int64_t>(names.size()) < values; ++k)
      names.push_back(fmt::format("{}", k));
    if (target.classes != 0)
      specifications[i].bins =
          bins_of(target, names[0], labels)
              .value_or(graph::Bins{target.classes, 0, static_cast<float>(target.classes - 1)});
  }
  return specifications;
}

}  // namespace dojo::data
