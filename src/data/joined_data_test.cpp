#include "data/joined_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "data/dataset_contract_for_tests.h"
#include "data/examples.h"
#include "data/measured_frames.h"

namespace dojo::data {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

// Frames that are told from others by their labels.
class Made final : public Dataset {
public:
  Made(std::string name, std::vector<std::string> label_names, std::vector<std::vector<float>> labels)
      : name_(std::move(name)), label_names_(std::move(label_names)), labels_(std::move(labels)) {}
  std::string name() const override { return name_; }
  std::string fingerprint() const override { return fmt::format("{}", fmt::join(labels_.front(), " ")); }
  std::size_t size() const override { return labels_.size(); }
  const std::vector<std::string>& label_names() const override { return label_names_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  Image image(std::size_t frame) const override {
    return {1, 1, std::vector<std::uint8_t>(3, static_cast<std::uint8_t>(frame))};
  }
  std::vector<float> labels(std::size_t frame) const override { return labels_[frame]; }
  std::string place(std::size_t frame) const override { return fmt::format("{}:{}", name_, frame); }

private:
  std::string name_;
  std::vector<std::string> label_names_, warnings_ = {"of one"};
  std::vector<std::vector<float>> labels_;
};

std::unique_ptr<Dataset> a() {
  return std::make_unique<Made>("a", std::vector<std::string>{"angle", "throttle", "speed"},
                                std::vector<std::vector<float>>{{1, 2, 3}, {4, 5, 6}, {7, 8, missing}});
}
std::unique_ptr<Dataset> b() {
  return std::make_unique<Made>("b", std::vector<std::string>{"angle", "throttle", "gyro", "speed"},
                                std::vector<std::vector<float>>{{-1, -2, -3, -4}, {0, missing, 0, 0.5f}});
}
template <typename... Part>
JoinedData joined(Part... parts) {
  std::vector<std::unique_ptr<Dataset>> all;
  (all.push_back(std::move(parts)), ...);
  return JoinedData(std::move(all));
}

TEST(JoinedData, NumbersFramesOnAndPutsLabelsInCommonColumns) {
  const JoinedData data = joined(a(), b());
  EXPECT_EQ(data.size(), 5u);
  EXPECT_EQ(data.name(), "a + b");
  EXPECT_EQ(data.label_names(), (std::vector<std::string>{"angle", "throttle", "speed", "gyro"}));
  EXPECT_EQ(data.recordings(), (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(data.labels(3), (std::vector<float>{-1, -2, -4, -3}));
  EXPECT_TRUE(std::isnan(data.labels(0)[3]));
  EXPECT_EQ(data.place(4), "b:1");
  EXPECT_EQ(data.image(4).rgb[0], 1);
  EXPECT_EQ(data.warnings().size(), 2u);
}

TEST(JoinedData, KeepsWhatADatasetPromises) {
  expect_contract([] { return std::make_unique<JoinedData>(joined(a(), b())); });
}

TEST(JoinedData, HasAFingerprintOfItsPartsInTheirOrder) {
  EXPECT_EQ(joined(a()).fingerprint(), a()->fingerprint());
  EXPECT_NE(joined(a(), b()).fingerprint(), joined(b(), a()).fingerprint());
  EXPECT_NE(joined(a(), b()).fingerprint(), joined(a()).fingerprint());
}

TEST(JoinedData, RefusesARecordingThatIsThereTwice) {
  try {
    joined(a(), b(), a());
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "a: is given twice");
  }
}

TEST(MeasuredFrames, LeavesOutFramesWithoutALabelThatTheNetworkNeedsAndNoOthers) {
  const JoinedData data = joined(a(), b());
  const MeasuredFrames angle(data, {"angle"}, true);
  EXPECT_EQ(angle.size(), 5u);
  EXPECT_EQ(angle.fingerprint(), data.fingerprint());

  const MeasuredFrames both(data, {"throttle", "speed"}, false);
  EXPECT_EQ(both.recordings(), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(both.labels(2), data.labels(3));
  EXPECT_EQ(both.place(2), "b:0");
  EXPECT_NE(both.fingerprint(), data.fingerprint());
  EXPECT_EQ(both.warnings(),
            (std::vector<std::string>{
                "a:2: has no number for 'speed', which the network needs; skipped",
                "b:1: has no number for 'throttle', which the network needs; skipped",
                "a:0: 'throttle' is 2, outside of -1 to 1; 3 such values are learnt as they are"}));
}

TEST(MeasuredFrames, StrictlyRefusesTheFirstAndAlwaysWhenNoneIsLeft) {
  const JoinedData data = joined(a(), b());
  try {
    const MeasuredFrames frames(data, {"speed"}, true);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "a:2: has no number for 'speed', which the network needs");
  }
  try {
    const MeasuredFrames frames(data, {"speed", "gyro", "throttle"}, false);
    EXPECT_EQ(frames.size(), 1u);
    Made none("none", {"angle", "throttle"}, {{missing, 0}, {missing, 1}});
    const MeasuredFrames nothing(none, {"angle"}, false);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "none: holds no usable frame: none:0: has no number for 'angle', which the network needs; "
                 "skipped, with 1 more like it");
  }
}

}  // namespace
}  // namespace dojo::data
