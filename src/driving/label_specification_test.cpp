#include "data/label_specification.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "data/examples.h"
#include "driving/rendered.h"

namespace dojo::driving {
namespace {

using data::LabelSpecification;
using data::Signal;
using graph::Bins;

const std::vector<std::string> labels = {"angle", "throttle", "enc/speed"};

Signal value(const std::string& name, std::vector<std::int64_t> shape = {1}) {
  Signal signal;
  signal.name = name;
  signal.shape = std::move(shape);
  return signal;
}

Signal classes(const std::string& name, std::int64_t count) {
  Signal signal = value(name, {});
  signal.classes = count;
  return signal;
}

std::vector<std::vector<std::string>> learnt(const std::vector<Signal>& targets) {
  std::vector<std::string> notes;
  std::vector<std::vector<std::string>> result;
  for (const LabelSpecification& specification : label_specifications(targets, labels, notes))
    result.push_back(specification.labels);
  return result;
}

std::string refusal(const std::vector<Signal>& targets) {
  try {
    learnt(targets);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(LabelSpecifications, ComeFromMetadataNamesAndPlaces) {
  using Names = std::vector<std::vector<std::string>>;
  EXPECT_EQ(learnt({value("throttle_out"), value("Angle_Out", {})}), (Names{{"throttle"}, {"angle"}}));
  EXPECT_EQ(learnt({value("steering"), value("speed")}), (Names{{"angle"}, {"enc/speed"}}));
  EXPECT_EQ(learnt({value("n_outputs0"), value("n_outputs1")}), (Names{{"angle"}, {"throttle"}}));
  EXPECT_EQ(learnt({value("out", {2})}), (Names{{"angle", "throttle"}}));
  Signal named = value("out", {2});
  named.labels = {"throttle", "angle"};
  EXPECT_EQ(learnt({named}), (Names{{"throttle", "angle"}}));
  EXPECT_EQ(refusal({value("a"), value("angle")}),
            "output 'a': its name speaks of no label of the data (angle, throttle, enc/speed); metadata "
            "'opendojo.label.a' can name one");
  EXPECT_TRUE(refusal({value("brake")}).starts_with("output 'brake': its name speaks of no label"));
  EXPECT_EQ(refusal({value("out", {2, 2})}),
            "output 'out': has 4 values a sample; without classes there are two to learn, 'angle' and "
            "'throttle'");
}

TEST(LabelSpecifications, OfWhatIsOnlyPredictedNeedNoLabel) {
  Signal named = value("out", {2});
  named.labels = {"brake", "angle"};
  const auto specifications = data::predicted_label_specifications(
      {value("x"), value("brake"), value("y"), named, value("way", {3}), classes("gear", 6)}, labels);
  std::vector<std::vector<std::string>> names;
  for (const LabelSpecification& specification : specifications) names.push_back(specification.labels);
  EXPECT_EQ(names, (std::vector<std::vector<std::string>>{
                       {"x"}, {"brake"}, {"y"}, {"brake", "angle"}, {"0", "1", "2"}, {"gear"}}));
  EXPECT_EQ(specifications[5].bins->middle(4), 4);
  EXPECT_EQ(data::predicted_label_specifications({value("x"), value("speed")}, labels)[0].labels[0], "angle");
  EXPECT_EQ(data::predicted_label_specifications({classes("angle", 15)}, labels)[0].bins->middle(0), -1);
}

TEST(LabelSpecifications, ClassesLieOverTheRangeOfTheirLabel) {
  std::vector<std::string> notes;
  Signal ranged = classes("speed", 11);
  ranged.range = {0, 5};
  const auto specifications = data::label_specifications(
      {classes("angle_out", 15), classes("throttle_out", 20), ranged}, labels, notes);
  EXPECT_EQ(specifications[0].bins->middle(0), -1);
  EXPECT_EQ(specifications[0].bins->middle(7), 0);
  EXPECT_EQ(specifications[0].bins->middle(14), 1);
  EXPECT_EQ(specifications[1].bins->middle(0), 0);
  EXPECT_EQ(specifications[1].bins->middle(19), 1);
  EXPECT_EQ(specifications[2].bins->middle(1), 0.5f);
  EXPECT_TRUE(refusal({classes("speed", 11)})
                  .starts_with("output 'speed': the classes of 'enc/speed' have no range"));
}

// Donkeycar's class of an angle is (angle + 1) / (2 / 14) of 15, rounded.
TEST(LabelSpecifications, AValueBelongsToTheNearestClass) {
  const graph::Bins bins{15, -1, 1};
  for (int i = -100; i <= 100; ++i) {
    const float angle = static_cast<float>(i) / 100;
    EXPECT_NEAR(static_cast<float>(bins.of(angle)), (angle + 1) / (2.0f / 14), 0.5f + 1e-4f) << angle;
    EXPECT_LE(std::fabs(bins.middle(bins.of(angle)) - angle), 1.0f / 14 + 1e-6f);
  }
  EXPECT_EQ(bins.of(7), 14);
  EXPECT_EQ(bins.of(-7), 0);
}

TEST(CameraExamples, GivePicturesReadingsLabelsAndClasses) {
  const RenderedDrives data({1, 2, 20});
  EXPECT_EQ(std::get<data::Reading>(source_for(value("throttle_in"), data.label_names())).label, "throttle");
  EXPECT_THROW(source_for(value("speed"), data.label_names()), UserError);
  const data::CameraExamples examples(
      data, {data::View{3, 6, 20}, data::Reading{"throttle"}, data::View{1, 2, 5}},
      {{{"throttle"}, {}}, {{"angle"}, graph::Bins{15, -1, 1}, &graph::label_kind("cross_entropy")}});
  ASSERT_EQ(examples.input_elements(), 371u);
  std::vector<float> inputs(371), targets(2), measured(2), first(360), second(10);
  examples.read(7, inputs, targets);
  examples.measured(7, measured);
  EXPECT_EQ(targets[0], data.labels(7)[1]);
  EXPECT_EQ(targets[1], std::lround((data.labels(7)[0] + 1) * 7));
  EXPECT_EQ(measured, (std::vector<float>{data.labels(7)[1], data.labels(7)[0]}));
  see(data.image(7), {3, 6, 20}, first);
  see(data.image(7), {1, 2, 5}, second);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), inputs.begin()));
  EXPECT_EQ(inputs[360], data.labels(7)[1]);
  EXPECT_TRUE(std::equal(second.begin(), second.end(), inputs.begin() + 361));
  try {
    data::CameraExamples(data, {}, {{{"brake"}, {}}});
    ADD_FAILURE();
  } catch (const UserError& error) {
    EXPECT_STREQ(
        error.what(),
        "2 rendered drives of 20 frames, seed 1: has no label 'brake', which an output of the network needs");
  }
}

}  // namespace
}  // namespace dojo::driving
