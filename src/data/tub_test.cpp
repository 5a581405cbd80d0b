#include "data/tub.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/tub_for_tests.h"

namespace dojo::data {
namespace {

TEST_F(TubFolder, GivesFramesAndLabelsWithoutTheDeleted) {
  const Tub tub(folder_, {.threads = 2});
  ASSERT_EQ(tub.size(), 5u);
  EXPECT_EQ(tub.label_names(), (std::vector<std::string>{"angle", "throttle"}));
  EXPECT_EQ(tub.labels(2), (std::vector<float>{0.375f, 0.5f}));  // record 3: 2 is deleted
  EXPECT_NEAR(tub.image(2).rgb[3 * (8 * 32 + 25)], 100, 2);
  EXPECT_EQ(tub.place(2), (folder_ / "catalog_0.catalog:4").string());
  EXPECT_EQ(warnings(), std::vector<std::string>{deleted_});
  EXPECT_EQ(refusal(true), "read");
}

TEST_F(TubFolder, GivesNaNForWhatARecordLeavesOutOrHasNoFiniteNumberFor) {
  head_ = R"(["user/angle", "pilot/angle", "user/throttle", "user/mode"])"
          "\n"
          R"(["float", "float", "float", "str"])"
          "\n{}\n{}\n";
  catalogs_[1] = record(4, "0.5", R"(, "pilot/angle": 0.25)") + "\n";
  int index = 5;
  for (const char* angle : {"null", "NaN", "-Infinity", "\"left\"", "1e300"}) {
    write_text(folder_ / "images" / image_name(index), jpeg(1, 2));
    catalogs_[1] += record(index++, angle, R"(, "note": "NaN \" NaN")") + "\n";
  }
  write();
  const Tub tub(folder_);
  ASSERT_EQ(tub.size(), 9u);
  EXPECT_EQ(tub.label_names(), (std::vector<std::string>{"angle", "throttle", "pilot/angle"}));
  EXPECT_TRUE(std::isnan(tub.labels(0)[2]));
  EXPECT_EQ(tub.labels(3), (std::vector<float>{0.5f, 0.5f, 0.25f}));
  for (std::size_t frame = 4; frame < 9; ++frame) {
    EXPECT_TRUE(std::isnan(tub.labels(frame)[0])) << frame;
    EXPECT_EQ(tub.labels(frame)[1], 0.5f) << frame;
  }
  EXPECT_EQ(refusal(true), "read");  // what was not measured is no damage
}

// A car that forgets its last numbers writes them again, pictures too.
TEST_F(TubFolder, ReadsDeletedRecordsThatHoldNothingElse) {
  catalogs_[1] += "{\"__empty__\": true, \"_index\": 7}\n";
  contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [7]})";
  EXPECT_EQ(warnings(), std::vector<std::string>{deleted_});
}

TEST_F(TubFolder, FindsImagesByNamesFromTheRootOrInFoldersAndOfAnySizeAndFormat) {
  fs::create_directories(folder_ / "images/more");
  write_text(folder_ / "images/more/a.jpg", png(AV_PIX_FMT_RGB24, 3));
  write_text(folder_ / "images/b.jpg", jpeg(1, 2, 64, 32));
  write_text(folder_ / "elsewhere.png", jpeg(1, 2, 48, 16));
  catalogs_[1].clear();
  int index = 10;
  for (const std::string& name :
       {std::string("more/a.jpg"), std::string("/home/pi/mycar/data/images/b.jpg"),
        (folder_ / "elsewhere.png").string(), std::string("/home/pi/mycar/data/images/c.jpg")})
    catalogs_[1] += fmt::format(R"({{"_index": {}, "cam/image_array": "{}"}})"
                                "\n",
                                index++, name);
  write();
  const Tub tub(folder_);
  ASSERT_EQ(tub.size(), 6u);
  EXPECT_EQ(tub.image(3).width, 24u);
  EXPECT_EQ(tub.image(4).width, 64u);
  EXPECT_EQ(tub.image(5).width, 48u);
}

}  // namespace
}  // namespace dojo::data
