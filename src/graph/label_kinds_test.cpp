#include "graph/label_kinds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "graph/interpreter.h"

namespace dojo::graph {
namespace {

constexpr Bins bins{5, -1, 1};

// What a network says that is sure of a label: the label, its logit, or a score above those of the other
// classes.
std::vector<float> sure_answer(const LabelKind& kind, float label) {
  if (kind.key.ends_with("with_logits")) return {(label - 0.5f) * 40};
  if (!kind.has_classes) return {label};
  std::vector<float> scores(static_cast<std::size_t>(bins.count), 0.0f);
  scores[static_cast<std::size_t>(label)] = 9;
  return scores;
}

float loss(const LabelKind& kind, const std::vector<float>& answer, float label) {
  Graph graph;
  Builder build(graph);
  const auto count = static_cast<std::int64_t>(answer.size());
  const TensorId output = build.input("x", {1, count});
  const TensorId wanted = build.label("label", kind.has_classes ? Shape{1} : Shape{1, 1});
  const TensorId made = kind.loss(build, output, wanted);
  Interpreter run(graph);
  run.set(output, answer);
  run.set(wanted, std::vector{label});
  run.run();
  return run.value(made).at(0);
}

TEST(LabelKinds, ASureAnswerStandsForWhatWasMeasured) {
  for (const LabelKind& kind : label_kinds())
    for (const float measured : {-1.0f, -0.3f, 0.0f, 0.7f, 1.0f}) {
      if (kind.is_probability && measured != 0 && measured != 1) continue;
      const std::vector<float> answer = sure_answer(kind, kind.target(measured, bins));
      EXPECT_NEAR(kind.value(answer, bins), measured,
                  kind.has_classes      ? 0.25
                  : kind.is_probability ? 1e-8
                                        : 0)
          << kind.key;
      if (kind.is_right == nullptr) continue;
      EXPECT_TRUE(kind.is_right(answer, measured, bins)) << kind.key;
      EXPECT_FALSE(kind.is_right(answer, measured > 0 ? -1.0f : 1.0f, bins)) << kind.key;
    }
}

TEST(LabelKinds, TheLossIsLeastForTheRightAnswer) {
  for (const LabelKind& kind : label_kinds()) {
    const auto loss_of = [&](float said, float measured) {
      return loss(kind, sure_answer(kind, kind.target(said, bins)), kind.target(measured, bins));
    };
    const float right = kind.is_probability ? 1 : 0.5f;
    EXPECT_NEAR(loss_of(right, right), 0, 1e-3) << kind.key;
    EXPECT_GT(loss_of(0, right), 0.1) << kind.key;
    if (kind.is_probability) continue;
    EXPECT_GT(loss_of(-0.5f, right), 0.1) << kind.key;
    EXPECT_GT(loss_of(1, right), 0.1) << kind.key;
  }
}

TEST(LabelKinds, AreAsTheNoteListsThem) {
  std::string keys;
  for (const LabelKind& kind : label_kinds()) keys += (keys.empty() ? "" : ", ") + std::string(kind.key);
  std::string note = read_text(std::filesystem::path(DOJO_SOURCE_DIR) / "docs/notes/010-training-run.md");
  std::ranges::replace(note, '\n', ' ');
  EXPECT_NE(note.find("`opendojo.loss.OUTPUT`, the kind (" + keys + ")"), std::string::npos) << keys;
}

}  // namespace
}  // namespace dojo::graph
