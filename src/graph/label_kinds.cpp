#include "graph/label_kinds.h"

#include "base/error.h"

namespace dojo::graph {
namespace {

using Scores = std::span<const float>;

float as_measured(float measured, const Bins&) { return measured; }
float as_answered(Scores answer, const Bins&) { return answer.front(); }

std::int64_t likeliest(Scores scores) { return std::ranges::max_element(scores) - scores.begin(); }

// clang-format off
constexpr LabelKind kind_rows[] = {
    {.key = "mse", .has_classes = false, .is_probability = false,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.mean_squared_error(output, label); },
     .target = as_measured, .value = as_answered, .is_right = nullptr},
    {.key = "mae", .has_classes = false, .is_probability = false,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.mean_absolute_error(output, label); },
     .target = as_measured, .value = as_answered, .is_right = nullptr},
    {.key = "huber", .has_classes = false, .is_probability = false,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.huber(output, label, 1.0f); },
     .target = as_measured, .value = as_answered, .is_right = nullptr},
    {.key = "binary_cross_entropy", .has_classes = false, .is_probability = true,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.binary_cross_entropy(output, label); },
     .target = as_measured, .value = as_answered,
     .is_right = [](Scores answer, float measured, const Bins&) { return (answer.front() > 0.5f) == (measured > 0.5f); }},
    {.key = "binary_cross_entropy_with_logits", .has_classes = false, .is_probability = true,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.binary_cross_entropy_with_logits(output, label); },
     .target = as_measured,
     .value = [](Scores answer, const Bins&) { return 1 / (1 + std::exp(-answer.front())); },
     .is_right = [](Scores answer, float measured, const Bins&) { return (answer.front() > 0) == (measured > 0.5f); }},
    {.key = "cross_entropy", .has_classes = true, .is_probability = false,
     .loss = [](Builder& build, TensorId output, TensorId label) { return build.softmax_cross_entropy(output, label); },
     .target = [](float measured, const Bins& bins) { return static_cast<float>(bins.of(measured)); },
     .value = [](Scores scores, const Bins& bins) { return bins.middle(likeliest(scores)); },
     .is_right = [](Scores scores, float measured, const Bins& bins) { return likeliest(scores) == bins.of(measured); }},
};
// clang-format on

}  // namespace

std::span<const LabelKind> label_kinds() { return kind_rows; }

const LabelKind& label_kind(std::string_view key) {
  const auto* const row = std::ranges::find(kind_rows, key, &LabelKind::key);
  DOJO_ENSURE(row != std::end(kind_rows));
  return *row;
}

const LabelKind& usual_label_kind(const Shape& output) {
  return label_kind(output.size() == 2 && output[1] > 2 ? "cross_entropy" : "mse");
}

}  // namespace dojo::graph
