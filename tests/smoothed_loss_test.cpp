// Does a run that leaves schedule and learning rate as they are begin by learning?
#include <cmath>

#include "training/history.h"
#include "training_command.h"

namespace dojo {
namespace {

// Pictures of height x width through two hidden layers, as deep as it takes for too large first steps to
// show.
onnx::Model deep_network(std::int64_t height, std::int64_t width) {
  constexpr std::int64_t hidden = 48;
  onnx::Model model = network("Identity", height, width, 1, "angle");
  model.graph.initialisers.clear();
  model.graph.nodes = {{"flatten", "Flatten", "", {"image"}, {"flat"}, {}, ""}};
  std::string from = "flat";
  std::int64_t in = height * width;
  for (const std::int64_t out : {hidden, hidden, std::int64_t{1}}) {
    const std::string number = std::to_string(model.graph.initialisers.size());
    const bool last = out == 1;
    Random random(2, model.graph.initialisers.size());
    const double bound = std::sqrt(6.0 / static_cast<double>(in));
    std::vector<float> weights;
    for (std::int64_t i = 0; i < in * out; ++i)
      weights.push_back(static_cast<float>(random.uniform(-bound, bound)));
    model.graph.initialisers.push_back(
        onnx::make_tensor("w" + number, {in, out}, std::span<const float>(weights)));
    const std::string sum = last ? "angle" : "sum" + number;
    model.graph.nodes.push_back({"dense" + number, "MatMul", "", {from, "w" + number}, {sum}, {}, ""});
    from = "bent" + number;
    if (!last) model.graph.nodes.push_back({"relu" + number, "Relu", "", {sum}, {from}, {}, ""});
    in = out;
  }
  return model;
}

class SmoothedLoss : public TrainingCommand {
protected:
  // The losses' exponential mean after each step, as the report's picture smooths them.
  std::vector<double> smoothed_losses() const {
    constexpr double keep = 0.9;
    constexpr std::size_t loss = 2;
    const training::HistoryTable history = training::read_history(folder_ / "out/history.csv");
    EXPECT_EQ(history.columns.at(loss), "loss");
    std::vector<double> means;
    for (const auto& row : history.rows)
      means.push_back(means.empty() ? row[loss] : keep * means.back() + (1 - keep) * row[loss]);
    return means;
  }
};

// A short run, in which one-cycle's rise would be steep: with it, this one's doubles.
TEST_F(SmoothedLoss, NeverRisesAboveItsStart) {
  write_model("deep", deep_network(48, 96));
  const Said said = dojo("{} train deep.onnx --machine test6 --drives 4 --batch 48 --threads 1 --out out");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  const std::vector<double> losses = smoothed_losses();
  ASSERT_EQ(losses.size(), 24u);
  EXPECT_EQ(std::ranges::max(losses), losses.front());
  EXPECT_LT(losses.back(), losses.front() / 2);
}

}  // namespace
}  // namespace dojo
