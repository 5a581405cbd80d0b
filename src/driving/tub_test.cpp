#include "driving/tub.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "driving/written_images.h"

namespace dojo::driving {
namespace {

namespace fs = std::filesystem;

// Writes a tub of six records into a fresh folder: four in its first catalog, two in its second.
class TubFolder : public ::testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("dojo_tub_{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "images");
    for (int i = 0; i < 6; ++i) {
      write_text(folder_ / "images" / image_name(i), jpeg(40, 40 + 20 * i));
      catalogs_[i / 4] += record(i, fmt::format("{}", 0.125 * i)) + "\n";
    }
    write();
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string image_name(int index) { return fmt::format("{}_cam_image_array_.jpg", index); }
  static std::string record(int index, const std::string& angle, const std::string& more = "") {
    return fmt::format(
        R"({{"_index": {}, "_session_id": "a", "cam/image_array": "{}", "user/angle": {}, "user/mode": "user", "user/throttle": 0.5{}}})",
        index, image_name(index), angle, more);
  }

  void write() {
    write_text(folder_ / "catalog_0.catalog", catalogs_[0]);
    write_text(folder_ / "catalog_1.catalog", catalogs_[1]);
    write_text(folder_ / "manifest.json", manifest());
  }
  std::string manifest() const { return head_ + contents_ + "\n"; }
  std::string refusal(bool strict = false) {
    write();
    return refusal_of(folder_, strict);
  }
  std::string refusal_of(const fs::path& folder, bool strict = false) {
    try {
      Tub tub(folder, {.strict = strict, .threads = 1});
    } catch (const UserError& error) {
      return without_folder(error.what());
    }
    return "read";
  }
  // Warnings of the tub as it stands now.
  std::vector<std::string> warnings() {
    write();
    std::vector<std::string> all = Tub(folder_, {.threads = 2}).warnings();
    for (std::string& warning : all) warning = without_folder(warning);
    return all;
  }
  std::string without_folder(std::string text) const {
    const std::string folder = folder_.string();
    for (std::size_t at; (at = text.find(folder)) != std::string::npos;) text.erase(at, folder.size());
    return text;
  }

  fs::path folder_;
  std::string catalogs_[2];
  std::string head_ = "[]\n[]\n{}\n{}\n";
  std::string contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [2]})";
  const std::string deleted_ = ": 1 frames marked as deleted are skipped";
};

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

TEST_F(TubFolder, CountsImagesThatAreEmptyBrokenOrMissingAndNamesTheFirst) {
  const std::string before = Tub(folder_).fingerprint();
  write_text(folder_ / "images" / image_name(0), "");
  write_text(folder_ / "images" / image_name(1), "");
  write_text(folder_ / "images" / image_name(3), jpeg(1, 2).substr(0, 150));
  fs::remove(folder_ / "images" / image_name(5));
  write_text(folder_ / "images" / image_name(6), "");
  const Tub tub(folder_);
  EXPECT_EQ(tub.size(), 1u);
  EXPECT_NE(tub.fingerprint(), before);
  EXPECT_EQ(
      warnings(),
      (std::vector<std::string>{
          deleted_,
          "/images/0_cam_image_array_.jpg (catalog_0.catalog:1): is empty; skipped, with 1 more like it",
          "/images/3_cam_image_array_.jpg (catalog_0.catalog:4): is no complete JPEG picture; skipped",
          "/images/5_cam_image_array_.jpg (catalog_1.catalog:2): is missing; skipped",
          "/images/6_cam_image_array_.jpg: is empty and has no record; skipped"}));
  EXPECT_EQ(refusal(true), "/images/0_cam_image_array_.jpg (catalog_0.catalog:1): is empty");
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

TEST_F(TubFolder, SkipsWhatIsNoRecordAndStrictlyRefusesIt) {
  struct Damage {
    std::string line, reason;
  };
  const std::string whole = catalogs_[0];
  for (const auto& [line, reason] :
       std::vector<Damage>{{"{\"_index\": 9,\n", "is not JSON"},
                           {"{\"_index\": 9,", "is half a record, as after a power cut"},
                           {record(9, "1").substr(0, 40) + record(0, "0.75") + "\n",
                            "is half a record, as after a power cut"},
                           {std::string(700, '\0'), "holds NUL bytes, as after a power cut"},
                           {"{\"_index\": 9," + std::string(7, '\0') + "\"user/angle\": 1}\n",
                            "holds NUL bytes, as after a power cut"},
                           {"[1, 2]\n", "has no usable '_index'"},
                           {"{\"_index\": 9}\n", "has no usable 'cam/image_array'"},
                           {R"({"_index": 9, "cam/image_array": "../x.jpg"})",
                            "names an image that is no file of images/"}}) {
    catalogs_[0] = whole + line;
    const auto said = warnings();
    EXPECT_EQ(std::ranges::count(said, "/catalog_0.catalog:5: " + reason + "; skipped"), 1)
        << fmt::format("{}", fmt::join(said, "\n"));
    EXPECT_EQ(refusal(true), "/catalog_0.catalog:5: " + reason);
    EXPECT_EQ(Tub(folder_).size(), 5u) << line;
  }
}

TEST_F(TubFolder, ReadsTheRecordBehindHalfALineOrNULs) {
  for (const std::string& before : {record(9, "1").substr(0, 40), std::string(100, '\0')}) {
    catalogs_[1] = before + record(4, "0.75") + "\n" + record(5, "1") + "\r\n\n";
    write();
    const Tub tub(folder_);
    ASSERT_EQ(tub.size(), 5u);
    EXPECT_EQ(tub.labels(3)[0], 0.75f);
  }
}

// A car that forgets its last numbers writes them again, pictures too.
TEST_F(TubFolder, SkipsARecordWhosePictureALaterOneWroteOver) {
  catalogs_[1] += record(5, "-1") + "\n";
  EXPECT_EQ(
      warnings(),
      (std::vector<std::string>{
          deleted_, "/catalog_1.catalog:2: has the number and the picture of a later record; skipped"}));
  const Tub tub(folder_);
  ASSERT_EQ(tub.size(), 5u);
  EXPECT_EQ(tub.labels(4)[0], -1);
}

TEST_F(TubFolder, ReadsDeletedRecordsThatHoldNothingElse) {
  catalogs_[1] += "{\"__empty__\": true, \"_index\": 7}\n";
  contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [7]})";
  EXPECT_EQ(warnings(), std::vector<std::string>{deleted_});
}

TEST_F(TubFolder, ReadsEveryCatalogWhereTheManifestIsCut) {
  const std::string whole = manifest();
  for (std::size_t length = 0; length < whole.size() - 1; ++length) {
    write_text(folder_ / "manifest.json", whole.substr(0, length));
    const Tub tub(folder_);
    ASSERT_EQ(tub.size(), 6u) << length;  // what was deleted is not known
    const std::string& last = tub.warnings().back();
    EXPECT_NE(last.find("manifest.json:5: names no catalogs"), std::string::npos) << length << ": " << last;
    EXPECT_NE(refusal_of(folder_, true).find("/manifest.json:"), std::string::npos);
  }
  fs::remove(folder_ / "manifest.json");
  EXPECT_EQ(Tub(folder_).size(), 6u);
  write_text(folder_ / "manifest.json", std::string(whole.size(), '\0'));
  EXPECT_EQ(Tub(folder_).size(), 6u);
}

TEST_F(TubFolder, ReadsACatalogThatIsCutAtAnyByteAsFarAsItGoes) {
  const std::string whole = catalogs_[1];
  const std::size_t first = whole.find('\n');
  for (const bool nul : {false, true})
    for (std::size_t length = 0; length < whole.size(); ++length) {
      write_text(folder_ / "catalog_1.catalog",
                 whole.substr(0, length) + std::string(nul ? whole.size() - length : 0, '\0'));
      const Tub tub(folder_);
      const std::size_t records = std::size_t{length >= first} + std::size_t{length >= whole.size() - 1};
      ASSERT_EQ(tub.size(), 3 + records) << length;
      const bool at_an_end =
          length == 0 || length == first || length == first + 1 || length == whole.size() - 1;
      const bool lost = nul || !at_an_end;
      const auto damaged = std::ranges::count_if(tub.warnings(), [](const std::string& warning) {
        return warning.find("as after a power cut") != std::string::npos;
      });
      EXPECT_EQ(damaged, lost ? 1 : 0) << length;
    }
}

TEST_F(TubFolder, GoesOnWithoutCatalogsThatAreGoneOrNotItsOwn) {
  contents_ = R"({"paths": ["catalog_0.catalog", "catalog_7.catalog", 3, "../catalog_1.catalog"]})";
  EXPECT_EQ(warnings(),
            (std::vector<std::string>{
                "/manifest.json:5: names a catalog that is no file of this folder; skipped, with 1 "
                "more like it",
                "/catalog_1.catalog: is not named by the manifest; skipped",
                "/catalog_7.catalog: cannot be read: No such file or directory",
                "/images: 2 images have no record; skipped"}));
  EXPECT_EQ(refusal(true), "/manifest.json:5: names a catalog that is no file of this folder");
}

TEST_F(TubFolder, SaysWhyThereIsNoUsableFrame) {
  contents_ = R"({"paths": []})";
  fs::remove(folder_ / "catalog_0.catalog");
  catalogs_[0] = catalogs_[1] = "";
  EXPECT_NE(refusal().find(": holds no usable frame: "), std::string::npos);
  contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [0, 1]})";
  EXPECT_EQ(refusal(), ": holds no usable frame: its catalogs hold no record");
  catalogs_[0] = record(0, "0") + "\n" + record(1, "0") + "\n";
  EXPECT_EQ(refusal(), ": holds no usable frame: : 2 frames marked as deleted are skipped");
  contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"]})";
  for (int i : {0, 1}) write_text(folder_ / "images" / image_name(i), "");
  EXPECT_EQ(refusal(),
            ": holds no usable frame: /images/0_cam_image_array_.jpg (catalog_0.catalog:1): is empty; "
            "skipped, with 1 more like it");
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
}  // namespace dojo::driving
