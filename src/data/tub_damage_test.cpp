// Tubs as a power cut, a full card or a careless copy leaves them.
#include <gtest/gtest.h>

#include <algorithm>

#include "data/tub_for_tests.h"

namespace dojo::data {
namespace {

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
  EXPECT_EQ(refusal_of(folder_, true), "/manifest.json:5: names no catalogs");
  fs::remove(folder_ / "manifest.json");
  EXPECT_EQ(Tub(folder_).size(), 6u);
  EXPECT_EQ(
      Tub(folder_).warnings(),
      std::vector<std::string>{
          (folder_ / "manifest.json: is missing; the folder's catalogs are read, only angle and throttle "
                     "count as labels, and no frame as deleted")
              .string()});
  EXPECT_EQ(refusal_of(folder_, true), "/manifest.json: is missing");
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

}  // namespace
}  // namespace dojo::data
