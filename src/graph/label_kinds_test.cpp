#include "graph/label_kinds.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "graph/interpreter.h"

namespace dojo::graph {
namespace {

constexpr Bins bins{5, -1, 1};

// What a network says that is sure of a label: the label, or a score above those of the other classes.
std::vector<float> sure_answer(const LabelKind& kind, float label) {
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
      const std::vector<float> answer = sure_answer(kind, kind.target(measured, bins));
      EXPECT_NEAR(kind.value(answer, bins), measured, kind.has_classes ? 0.25 : 0) << kind.key;
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
    EXPECT_NEAR(loss_of(0.5f, 0.5f), 0, 1e-3) << kind.key;
    EXPECT_GT(loss_of(-0.5f, 0.5f), 0.1) << kind.key;
    EXPECT_GT(loss_of(1, 0.5f), 0.1) << kind.key;
  }
}

TEST(LabelKinds, AreAsTheNoteListsThem) {
  std::string keys;
  for (const LabelKind& kind : label_kinds()) keys += (keys.empty() ? "" : ", ") + std::string(kind.key);
  const std::string note =
      read_text(std::filesystem::path(DOJO_SOURCE_DIR) / "docs/notes/010-training-run.md");
  EXPECT_NE(note.find("`opendojo.loss.OUTPUT` (" + keys + ")"), std::string::npos) << keys;
}

}  // namespace
}  // namespace dojo::graph
