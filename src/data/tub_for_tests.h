// Donkeycar tubs for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "data/images_for_tests.h"
#include "data/tub.h"

namespace dojo::data {

namespace fs = std::filesystem;

// One of `frames` frames: the brighter, the farther to the right.
inline void write_tub(const fs::path& folder, int frames) {
  fs::create_directories(folder / "images");
  std::string catalog;
  for (int i = 0; i < frames; ++i) {
    const int level = 30 + i * 53 % 200;
    write_text(folder / "images" / fmt::format("{}.jpg", i), jpeg(level, level, 160, 120));
    catalog += fmt::format(
        R"({{"_index": {0}, "_session_id": "s", "cam/image_array": "{0}.jpg", "user/angle": {1}, "user/throttle": 0.5}})"
        "\n",
        i, (level - 128) / 128.0);
  }
  write_text(folder / "catalog_0.catalog", catalog);
  write_text(folder / "manifest.json",
             "[]\n[]\n{}\n{}\n{\"paths\": [\"catalog_0.catalog\"], \"deleted_indexes\": []}\n");
}

// Writes a tub of six records into a fresh folder: four in its first catalog, two in its second.
class TubFolder : public ::testing::Test {
protected:
  void SetUp() override {
    fs::create_directories(folder_ / "images");
    for (int i = 0; i < 6; ++i) {
      write_text(folder_ / "images" / image_name(i), jpeg(40, 40 + 20 * i));
      catalogs_[i / 4] += record(i, fmt::format("{}", 0.125 * i)) + "\n";
    }
    write();
  }

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
      open_recording(folder, {.strict = strict, .threads = 1});
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

  const TemporaryFolder own_{"dojo-tub"};
  const fs::path folder_ = own_.path();
  std::string catalogs_[2];
  std::string head_ = "[]\n[]\n{}\n{}\n";
  std::string contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [2]})";
  const std::string deleted_ = ": 1 frame marked as deleted is skipped";
};

}  // namespace dojo::data
