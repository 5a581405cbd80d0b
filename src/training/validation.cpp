#include "training/validation.h"

#include <cmath>
#include <span>

namespace dojo::training {
namespace {

// Value k of an output.
OutputQuality judge_value(const std::string& output, const data::LabelSpecification& specification,
                          std::size_t k, const std::vector<float>& said, std::vector<float> measured) {
  const graph::LabelKind& kind = *specification.kind;
  const graph::Bins bins = specification.bins.value_or(graph::Bins{});
  const std::size_t places = specification.places;
  const std::size_t count = said.size() * places / measured.size();  // of a frame
  OutputQuality result{.output = output,
                       .label = specification.labels[k],
                       .places = places,
                       .classes_are_names = specification.classes_are_names};
  std::vector<float> predictions, targets,
      scores(count / places);  // of the frames that are judged; of a place
  std::size_t right = 0;
  for (std::size_t f = 0; f < measured.size(); ++f) {
    const std::span<const float> all = std::span(said).subspan(f / places * count, count);
    const std::size_t place = f % places;
    const std::size_t first = specification.classes_last ? place * scores.size() : place;
    const std::size_t step = specification.classes_last ? 1 : places;
    if (kind.has_classes)
      for (std::size_t c = 0; c < scores.size(); ++c) scores[c] = all[first + c * step];
    const std::span<const float> answer =
        kind.has_classes ? std::span<const float>(scores) : all.subspan(k + place, 1);
    result.predicted.push_back(kind.value(answer, bins));
    if (std::isnan(measured[f])) continue;
    predictions.push_back(result.predicted.back());
    targets.push_back(measured[f]);
    right += kind.is_right != nullptr && kind.is_right(answer, measured[f], bins) ? 1 : 0;
  }
  result.measured = std::move(measured);
  result.judged = targets.size();
  if (targets.empty()) return result;
  if (!result.classes_are_names) result.quality = quality(predictions, targets);
  if (kind.is_right != nullptr)
    result.accuracy = static_cast<double>(right) / static_cast<double>(targets.size());
  return result;
}

}  // namespace

std::vector<float> measured_values(const data::Examples& examples, const std::vector<std::uint32_t>& frames) {
  const std::size_t values = examples.target_elements();
  std::vector<float> measured(frames.size() * values);
  for (std::size_t i = 0; i < frames.size(); ++i)
    examples.measured(frames[i], std::span(measured).subspan(i * values, values));
  return measured;
}

std::vector<OutputQuality> judge(const std::vector<data::Signal>& targets,
                                 const std::vector<data::LabelSpecification>& specifications,
                                 const std::vector<float>& measured,
                                 const std::vector<std::vector<float>>& outputs) {
  std::size_t values = 0, first = 0;  // of a frame; of them, those ahead
  for (const data::LabelSpecification& specification : specifications)
    values += specification.labels.size() * specification.places;
  std::vector<OutputQuality> qualities;
  for (std::size_t i = 0; i < targets.size(); ++i)
    for (std::size_t k = 0; k < specifications[i].labels.size(); ++k, first += specifications[i].places) {
      std::vector<float> truth;
      for (std::size_t at = first; at < measured.size(); at += values)
        truth.insert(truth.end(), measured.begin() + static_cast<std::ptrdiff_t>(at),
                     measured.begin() + static_cast<std::ptrdiff_t>(at + specifications[i].places));
      qualities.push_back(judge_value(targets[i].name, specifications[i], k, outputs[i], std::move(truth)));
    }
  return qualities;
}

std::string column(const OutputQuality& value) {
  return value.output == value.label ? value.label : value.output + "." + value.label;
}

bool Score::is_better_than(const Score& other) const {
  return merit > other.merit || (merit == other.merit && error < other.error);
}

Score score_of(const std::vector<OutputQuality>& values) {
  std::vector<double> merits, errors;
  for (const OutputQuality& value : values) {
    merits.push_back(value.merit());
    errors.push_back(value.error());
  }
  return score_of(merits, errors);
}

Score score_of(std::span<const double> merits, std::span<const double> errors) {
  Score score;
  double sum = 0, defined = 0;
  for (std::size_t i = 0; i < merits.size(); ++i) {
    score.error += errors[i];
    if (std::isnan(merits[i]) && !std::isnan(errors[i])) continue;  // the label is constant
    sum += merits[i];
    ++defined;
  }
  if (defined != 0) score.merit = sum / defined;
  return score;
}

}  // namespace dojo::training
