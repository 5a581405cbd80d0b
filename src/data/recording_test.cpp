// What lies in a folder decides who reads it; what is no recording is told by its name.
#include "data/recording.h"

#include <gtest/gtest.h>

#include "data/dataset_contract_for_tests.h"
#include "data/tub_for_tests.h"

namespace dojo::data {
namespace {

TEST_F(TubFolder, IsKnownByItsManifestOrACatalog) {
  EXPECT_EQ(recording_kind(folder_)->name, std::string("a Donkeycar 4 or 5 tub"));
  EXPECT_EQ(recording_kind(folder_ / "images"), nullptr);
  EXPECT_NE(kind_with_pictures_in(folder_ / "images"), nullptr);
  EXPECT_EQ(kind_with_pictures_in(folder_), nullptr);
  fs::remove(folder_ / "manifest.json");
  EXPECT_NE(recording_kind(folder_), nullptr) << "its catalogs are there";
  EXPECT_EQ(recording_kind(folder_ / "nowhere"), nullptr);
}

TEST_F(TubFolder, KeepsWhatADatasetPromises) {
  expect_contract([&] { return open_recording(folder_, {.threads = 1}); });
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
  EXPECT_EQ(refusal_of(other / "mycar"),
            "/other/mycar: is no recording; " + recording_names() + " was expected");
  write_text(other / "mycar/data/manifest.json", manifest());
  EXPECT_EQ(refusal_of(other / "mycar"),
            "/other/mycar: is no recording itself, but /other/mycar/data is; give that");
  EXPECT_NE(refusal_of(folder_ / "images").find("give the folder above"), std::string::npos);
  EXPECT_NE(refusal_of(folder_ / "manifest.json").find("give its folder"), std::string::npos);
  write_text(other / "tub.bin", "PK\3\4 and so on");
  EXPECT_EQ(refusal_of(other / "tub.bin"),
            "/other/tub.bin: is a zip archive; unpack it and give the folder inside");
  write_text(other / "tar", std::string(257, 'a') + "ustar" + std::string(300, '\0'));
  EXPECT_NE(refusal_of(other / "tar").find("is a tar archive"), std::string::npos);
  fs::create_directories(other / "pictures");
  write_text(other / "pictures/1.JPG", jpeg(1, 2));
  EXPECT_NE(refusal_of(other / "pictures").find("holds 1 picture and no labels"), std::string::npos);
  EXPECT_EQ(refusal_of(folder_ / "nowhere"),
            "/nowhere: does not exist; " + recording_names() + " was expected");
  write_text(other / "text", "hello");
  EXPECT_EQ(refusal_of(other / "text"), "/other/text: is no folder; " + recording_names() + " was expected");
}

}  // namespace
}  // namespace dojo::data
