#include "training/validation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "training/predictions.h"
#include "training/table_text.h"

namespace dojo::training {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

// Two outputs of three frames: two values, and four classes from -1 to 2.
std::vector<OutputQuality> judged() {
  data::Signal pair, kind;
  pair.name = "pair";
  kind.name = "kind";
  kind.classes = 4;
  return judge(
      {pair, kind},
      {{{"angle", "speed"}, {}}, {{"kind"}, graph::Bins{4, -1, 2}, &graph::label_kind("cross_entropy")}},
      {0.5f, missing, 2, -0.5f, missing, missing, 1.5f, missing, 0},
      {{0.25f, 1, -0.5f, 2, 1, 3}, {0, 1, 3, 9, 5, 4, 3, 2, 0, 8, 7, 0}});
}

TEST(Validation, JudgesEachValueOnTheFramesThatHaveIt) {
  const auto values = judged();
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(training::column(values[0]), "pair.angle");
  EXPECT_EQ(values[0].judged, 3u);
  EXPECT_DOUBLE_EQ(values[0].quality.rmse, std::sqrt((0.0625 + 0.25) / 3));
  EXPECT_EQ(values[1].judged, 0u);
  EXPECT_EQ(values[1].predicted, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(values[2].judged, 2u);
  EXPECT_EQ(values[2].predicted, (std::vector<float>{2, -1, 0}));
  EXPECT_EQ(values[2].accuracy, 1.0);
  EXPECT_FALSE(values[0].accuracy);
}

class ThreeFrames final : public data::Dataset {
public:
  std::string name() const override { return "a \"drive\", mine"; }
  std::string fingerprint() const override { return ""; }
  std::size_t size() const override { return 3; }
  const std::vector<std::string>& label_names() const override { return none_; }
  const std::vector<std::string>& warnings() const override { return none_; }
  data::Image image(std::size_t) const override { return {}; }
  std::vector<float> labels(std::size_t) const override { return {}; }
  std::string place(std::size_t) const override { return ""; }
  std::int64_t record(std::size_t frame) const override { return 100 + static_cast<std::int64_t>(frame); }

private:
  std::vector<std::string> none_;
};

// A label that never changes says nothing of a network, and a broken network is never the best.
TEST(Score, IsOfTheValuesThatHaveAnR2) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(training::score_of(std::vector{0.5, none}, std::vector{1.0, 2.0}).merit, 0.5);
  EXPECT_EQ(training::score_of(std::vector{0.5, none}, std::vector{1.0, 2.0}).error, 3);
  EXPECT_EQ(training::score_of(std::vector{none}, std::vector{1.0}).merit, 0);
  EXPECT_TRUE(training::score_of(std::vector{none}, std::vector{1.0})
                  .is_better_than(score_of(std::vector{none}, std::vector{2.0})));
  EXPECT_FALSE(training::score_of(std::vector{none, none}, std::vector{1.0, none}).is_better_than({-5, 9}));
}

TEST(Predictions, AreATableWithEveryDigitAndNothingWhereNothingWasMeasured) {
  auto values = judged();
  values[0].predicted[0] = 0.1f + 0.2f;
  values[0].predicted[1] = missing;
  values[2].output = values[2].label = "a,b";
  EXPECT_EQ(training::predictions_csv(ThreeFrames(), {2, 0, 1}, values),
            "recording,record,true.pair.angle,predicted.pair.angle,true.pair.speed,predicted.pair.speed,"
            "true.a_b,predicted.a_b\n"
            "\"a \"\"drive\"\", mine\",102,0.5,0.3,,1,2,2\n"
            "\"a \"\"drive\"\", mine\",100,-0.5,nan,,2,,-1\n"
            "\"a \"\"drive\"\", mine\",101,1.5,1,,3,0,0\n");
}

}  // namespace
}  // namespace dojo::training
