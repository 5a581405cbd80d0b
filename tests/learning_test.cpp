// Do networks of several kinds learn on the machine: larger than a node, with batch norm, of classes, with
// two losses?
#include <cmath>

#include "train_run.h"

namespace dojo::training {
namespace {

// 450,000 weights: 1.8 MB in FP32, where a node has 1.25 MB for everything.
onnx::Model wide_network() {
  return Net({100})
      .dense("wide1", 100, 900)
      .add("Relu", "relu1")
      .dense("wide2", 900, 400)
      .add("Relu", "relu2")
      .dense("head", 400, 1)
      .finish();
}

TEST_F(Train, LearnsAFewFramesByHeart) {
  TrainOptions wanted = options(write(small_network()), "out");
  wanted.steps = 60;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.05f * first);
}

TEST_F(Train, TrainsWeightsThatExceedANodesMemory) {
  TrainOptions wanted = options(write(wide_network()), "out");
  ASSERT_GT(fs::file_size(wanted.recipe.model), machine_.node.sram_bytes * 4 / 3);
  wanted.recipe.optimizer = graph::optimizer_named("sgd");
  wanted.learning_rate = 0.003;
  wanted.steps = 6;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.8f * first);
}

TEST_F(Train, TrainsAResidualNetworkWithBatchNormAndAveragePool) {
  TrainOptions wanted = options(fs::path(DOJO_SOURCE_DIR) / "models/resnet_small.onnx", "out");
  wanted.steps = 8;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.7f * first);
}

// One sample a step: five of the six nodes have nothing to do but to help summing.
TEST_F(Train, TrainsOnOneSampleAStep) {
  TrainOptions wanted = options(write(small_network()), "out");
  wanted.recipe.batch = 1;
  wanted.steps = 30;
  const auto [first, last] = losses(wanted, 2);
  EXPECT_LT(last, 0.2f * first);
}

TEST_F(Train, LearnsClassesAndJudgesTheValuesTheyStandFor) {
  const onnx::Model classes = Net({30}).dense("head", 30, 5).add("Softmax", "softmax").finish();
  TrainOptions wanted = options(write(classes), "out");
  wanted.steps = 60;
  const RunReport report = run(wanted, {}, 8);
  EXPECT_LT(report.losses[0], 0.1f * std::log(5.0f));
  ASSERT_EQ(report.validation.size(), 1u);
  ASSERT_TRUE(report.validation[0].accuracy.has_value());
  // One frame validates. What is measured is the middle of a class, so it is right or off by some classes.
  const double accuracy = *report.validation[0].accuracy, off = report.validation[0].quality.rmse;
  EXPECT_EQ(accuracy, off == 0 ? 1 : 0);
  EXPECT_TRUE(off == 0 || off == 0.5 || off == 1 || off == 1.5 || off == 2) << off;
}

TEST_F(Train, TrainsTwoOutputsWithTwoLosses) {
  TrainOptions wanted = options(fs::path(DOJO_SOURCE_DIR) / "models/two_heads.onnx", "out");
  wanted.steps = 5;
  wanted.learning_rate = 0.001;
  std::vector<float> seen;
  Watcher watcher;
  watcher.progress = [&](const Progress& progress) { seen.push_back(progress.loss); };
  const RunReport report = run(wanted, watcher, 8);
  ASSERT_EQ(report.losses.size(), 3u);  // in all, angle, throttle
  EXPECT_NEAR(report.losses[0], report.losses[1] + 0.5f * report.losses[2], 1e-5f * report.losses[0]);
  EXPECT_EQ(report.validation.size(), 2u);
  EXPECT_LT(seen.back(), 0.9f * seen.front());
}

}  // namespace
}  // namespace dojo::training
