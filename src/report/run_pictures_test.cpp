#include "report/run_pictures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/split.h"

namespace dojo::report {
namespace {

constexpr double none = NAN;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

void expect_shown(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

// Every tag is closed by its own, no number is none: what a browser asks of a file.
void expect_well_formed(const std::string& text) {
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
  std::vector<std::string> open;
  for (std::size_t at = text.find("?>"); (at = text.find('<', at)) != std::string::npos; ++at) {
    const std::size_t end = text.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = text.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find(' '));
    if (tag.starts_with('/')) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
}

training::HistoryTable table(std::vector<std::vector<double>> rows) {
  return {{"step", "epoch", "loss", "loss.angle", "learning_rate", "cycles", "frames_per_second", "r2.angle",
           "rmse.angle"},
          std::move(rows)};
}

TEST(LossPicture, ShowsEveryStepAndEveryValidation) {
  const std::string text = loss_picture(table({{1, 1, 4, 4, 0.1, 9, 9, none, none},
                                               {2, 1, 3, 3, 0.1, 9, 9, 0.5, 0.2},
                                               {3, 2, 1, 1, 0.1, 9, 9, none, none},
                                               {4, 2, 2, 2, 0.1, 9, 9, 0.25, 0.3}}));
  expect_well_formed(text);
  // 840 pixels for steps 1 to 4, 300 for a loss from 0 to 4.
  expect_shown(text, "d=\"M80 84L360 159L640 309L920 234\"");
  expect_shown(text, "step 2, epoch 1: R2 0.5000, RMSE 0.2000");
  expect_shown(text, "step 4, epoch 2: R2 0.2500, RMSE 0.3000");
  expect_shown(text, "<circle cx=\"360\" cy=\"605\" r=\"8\"/>");  // the best one's ring: of 190 pixels half
  EXPECT_EQ(text, loss_picture(table({{1, 1, 4, 4, 0.1, 9, 9, none, none},
                                      {2, 1, 3, 3, 0.1, 9, 9, 0.5, 0.2},
                                      {3, 2, 1, 1, 0.1, 9, 9, none, none},
                                      {4, 2, 2, 2, 0.1, 9, 9, 0.25, 0.3}})));
}

TEST(LossPicture, IsThereWhateverTheRun) {
  const std::string empty = loss_picture(table({}));
  expect_well_formed(empty);
  expect_shown(empty, "no step has been done");
  expect_shown(empty, "no epoch has ended yet");
  const std::string one = loss_picture(table({{1, 1, 0.5, 0.5, 0.1, 9, 9, none, none}}));
  expect_well_formed(one);
  expect_shown(one, "h0\"");
  std::vector<std::vector<double>> equal(30, {1, 1, 0.5, 0.5, 0.1, 9, 9, -70, 2});
  for (std::size_t i = 0; i < equal.size(); ++i) equal[i][0] = static_cast<double>(i + 1);
  const std::string constant = loss_picture(table(equal));
  expect_well_formed(constant);
  expect_shown(constant, "-1 or less at the bottom");
  EXPECT_EQ(count(constant, "R2 -70.0000"), 30u);
}

TEST(LossPicture, MarksStepsWhoseLossIsNoNumber) {
  const std::string text = loss_picture(table({{1, 1, 4, 4, 0.1, 9, 9, none, none},
                                               {2, 1, INFINITY, 3, 0.1, 9, 9, none, none},
                                               {3, 2, none, 1, 0.1, 9, 9, none, none}}));
  expect_shown(text, "not a finite number");
  expect_shown(text, "<title>step 2: inf</title>");
  expect_shown(text, "<title>step 3: nan</title>");
}

// So many steps are drawn by their extremes, so that the one that jumps is not lost.
TEST(LossPicture, OfALongRunStaysSmallAndKeepsTheJump) {
  std::vector<std::vector<double>> rows;
  for (int i = 1; i <= 50000; ++i) rows.push_back({double(i), 1, 1, 1, 0.1, 9, 9, none, none});
  rows[31234][2] = 3;
  const std::string text = loss_picture(table(std::move(rows)));
  EXPECT_LT(text.size(), 60000u);
  expect_well_formed(text);
  EXPECT_EQ(count(text, " 84L"), 1u);  // the top of the panel
}

training::OutputQuality value(std::vector<float> measured, std::vector<float> predicted) {
  training::OutputQuality one{.output = "angle", .label = "angle"};
  for (const float truth : measured) one.judged += std::isnan(truth) ? 0 : 1;
  one.measured = std::move(measured);
  one.predicted = std::move(predicted);
  return one;
}

// Of frames one after the other.
std::string picture(const std::vector<training::OutputQuality>& values, std::string_view what) {
  return predictions_picture(values, data::all_frames(values[0].predicted.size()), what);
}

TEST(PredictionsPicture, CutsWhereFramesAreLeftOut) {
  const std::string text = predictions_picture({value({0, 1, 0, 1}, {1, 1, 1, 1})}, {3, 4, 9, 10}, "frames");
  EXPECT_EQ(count(text, "d=\"M490 404L706.67 84M923.33 404L1140 84\""), 1u) << text;
  expect_shown(text, "dotted: others lie between");
}

TEST(PredictionsPicture, ShowsEveryFrame) {
  const std::string text = picture({value({-1, 0, 1}, {-1, 0.5f, 0})}, "held-out frames");
  expect_well_formed(text);
  // -1 to 1 on 320 pixels from (80, 404) to (400, 84).
  expect_shown(text,
               "<circle cx=\"80\" cy=\"404\" r=\"2.5\"/>\n<circle cx=\"240\" cy=\"164\" r=\"2.5\"/>\n"
               "<circle cx=\"400\" cy=\"244\" r=\"2.5\"/>");
  expect_shown(text, "d=\"M490 404L815 244L1140 84\"");   // true, in order
  expect_shown(text, "d=\"M490 404L815 164L1140 244\"");  // predicted
  expect_shown(text, "3 held-out frames");
}

TEST(PredictionsPicture, IsThereWhateverWasPredicted) {
  const float missing = NAN;
  for (const auto& one :
       {value({}, {}), value({0.5f}, {0.5f}), value({1, 1, 1}, {1, 1, 1}), value({missing, missing}, {1, 2}),
        value({1, 2}, {missing, INFINITY}), value({missing, 3}, {INFINITY, missing})})
    expect_well_formed(picture({one}, "frames"));
  expect_shown(picture({value({missing, missing}, {1, 2})}, "frames"), "no true value to compare with");
  expect_shown(picture({value({1, 2}, {1, missing})}, "frames"), "1 predictions are not finite");
  EXPECT_EQ(count(picture({value({1, missing, 2}, {1, 5, 2})}, "frames"), "r=\"2.5\"/>\n"), 2u + 1);
}

TEST(PredictionsPicture, OfManyFramesSaysWhatItLeavesOut) {
  const std::vector<float> many(12000, 0.5f);
  const std::string text = picture({value(many, many)}, "held-out frames");
  EXPECT_EQ(count(text, "<circle"), 4000u + 1);  // one more in the legend
  expect_shown(text, "1 of 3 frames");
  expect_shown(text, "the first 600 held-out frames");
}

}  // namespace
}  // namespace dojo::report
