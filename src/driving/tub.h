// A drive recorded by Donkeycar 4 (docs.donkeycar.com, "tub"): a folder with
//
//   manifest.json       five JSON values, one a line; the fifth names the catalogs and the deleted records
//   catalog_N.catalog   one JSON record a line: "_index", "_session_id", "cam/image_array" (a file name),
//                       "user/angle" in [-1, 1], positive to the right, "user/throttle", and what else the
//                       manifest's first two lines declare as float ("enc/speed"): these become labels, too
//   images/             the frames, JPEG
//
// Records that were deleted, and images that are empty or broken, are skipped with a warning. Anything else
// that is missing or malformed is refused with file and line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "training/dataset.h"

namespace dojo::driving {

class Tub final : public training::Dataset {
public:
  // Reads the records and checks every image, on `threads` host threads (0: one per core).
  explicit Tub(std::filesystem::path folder, unsigned threads = 0);

  std::string name() const override { return folder_.string(); }
  std::string fingerprint() const override { return fingerprint_; }
  std::size_t size() const override { return records_.size(); }
  const std::vector<std::string>& label_names() const override { return label_names_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  training::Image image(std::size_t frame) const override;
  std::vector<float> labels(std::size_t frame) const override;

private:
  struct Record {
    long long index = 0;
    std::string image;
    std::vector<float> labels;
  };

  void find_labels(const std::filesystem::path& manifest, const std::vector<std::string>& lines);
  void read_catalog(const std::filesystem::path& path, const std::vector<long long>& deleted);
  void drop_broken_images(unsigned threads);
  void mention_images_without_record();

  std::filesystem::path folder_;
  std::vector<Record> records_;
  std::vector<std::string> recorded_;  // images that any record names, deleted ones too
  std::vector<std::string> label_names_ = {"angle", "throttle"}, keys_ = {"user/angle", "user/throttle"};
  std::vector<std::string> warnings_;
  std::string fingerprint_;
  std::size_t deleted_ = 0;
};

}  // namespace dojo::driving
