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
  const std::size_t count = said.size() / measured.size();
  OutputQuality result{.output = output, .label = specification.labels[k]};
  std::vector<float> predictions, targets;  // of the frames that are judged
  std::size_t right = 0;
  for (std::size_t f = 0; f < measured.size(); ++f) {
    const std::span<const float> all = std::span(said).subspan(f * count, count);
    const std::span<const float> answer = kind.has_classes ? all : all.subspan(k, 1);
    result.predicted.push_back(kind.value(answer, bins));
    if (std::isnan(measured[f])) continue;
    predictions.push_back(result.predicted.back());
    targets.push_back(measured[f]);
    right += kind.is_right != nullptr && kind.is_right(answer, measured[f], bins) ? 1 : 0;
  }
  result.measured = std::move(measured);
  result.judged = targets.size();
  if (targets.empty()) return result;
  result.quality = quality(predictions, targets);
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
  std::size_t values = 0;
  for (const data::LabelSpecification& specification : specifications) values += specification.labels.size();
  std::vector<OutputQuality> qualities;
  for (std::size_t i = 0; i < targets.size(); ++i)
    for (std::size_t k = 0; k < specifications[i].labels.size(); ++k) {
      std::vector<float> truth;
      for (std::size_t at = qualities.size(); at < measured.size(); at += values)
        truth.push_back(measured[at]);
      qualities.push_back(judge_value(targets[i].name, specifications[i], k, outputs[i], std::move(truth)));
    }
  return qualities;
}

std::string column(const OutputQuality& value) {
  return value.output == value.label ? value.label : value.output + "." + value.label;
}

bool Score::is_better_than(const Score& other) const {
  return mean_r2 > other.mean_r2 || (mean_r2 == other.mean_r2 && rmse < other.rmse);
}

Score score_of(const std::vector<OutputQuality>& values) {
  std::vector<double> r2, rmse;
  for (const OutputQuality& value : values) {
    r2.push_back(value.quality.r2);
    rmse.push_back(value.quality.rmse);
  }
  return score_of(r2, rmse);
}

Score score_of(std::span<const double> r2, std::span<const double> rmse) {
  Score score;
  double sum = 0, defined = 0;
  for (std::size_t i = 0; i < r2.size(); ++i) {
    score.rmse += rmse[i];
    if (std::isnan(r2[i]) && !std::isnan(rmse[i])) continue;  // the label is constant
    sum += r2[i];
    ++defined;
  }
  if (defined != 0) score.mean_r2 = sum / defined;
  return score;
}

}  // namespace dojo::training
