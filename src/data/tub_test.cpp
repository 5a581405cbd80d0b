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

TEST_F(TubFolder, NamesWhatIsGivenInItsPlace) {
  const fs::path other = folder_ / "other";
  fs::create_directories(other / "old");
  write_text(other / "old/record_1.json", "{}");
  write_text(other / "old/meta.json", "{}");
  const std::string old = refusal_of(other / "old");
  for (const char* word :
       {"/other/old: is a tub of Donkeycar 3 or older", "convert_to_tub_v2.py", "--output"})
    EXPECT_NE(old.find(word), std::string::npos) << old;
  fs::create_directories(other / "mycar/data");
  EXPECT_EQ(refusal_of(other / "mycar"), "/other/mycar: holds no manifest.json; it is no Donkeycar 4 tub");
  write_text(other / "mycar/data/manifest.json", manifest());
  EXPECT_EQ(refusal_of(other / "mycar"),
            "/other/mycar: holds no manifest.json, but /other/mycar/data does; give that");
  EXPECT_NE(refusal_of(folder_ / "images").find("give the folder above"), std::string::npos);
  EXPECT_NE(refusal_of(folder_ / "manifest.json").find("give its folder"), std::string::npos);
  write_text(other / "tub.bin", "PK\3\4 and so on");
  EXPECT_EQ(refusal_of(other / "tub.bin"),
            "/other/tub.bin: is a zip archive; unpack it and give the tub's folder");
  write_text(other / "tar", std::string(257, 'a') + "ustar" + std::string(300, '\0'));
  EXPECT_NE(refusal_of(other / "tar").find("is a tar archive"), std::string::npos);
  fs::create_directories(other / "pictures");
  write_text(other / "pictures/1.JPG", jpeg(1, 2));
  EXPECT_NE(refusal_of(other / "pictures").find("holds 1 pictures and no manifest.json"), std::string::npos);
  EXPECT_EQ(refusal_of(folder_ / "nowhere"), "/nowhere: does not exist; a Donkeycar tub was expected");
  write_text(other / "text", "hello");
  EXPECT_EQ(refusal_of(other / "text"), "/other/text: is no folder; a Donkeycar tub was expected");
}

}  // namespace
}  // namespace dojo::data
