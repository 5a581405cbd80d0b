// A drive recorded by Donkeycar 4 or 5 (docs.donkeycar.com, "tub"): a folder with
//
//   manifest.json       what is recorded, which catalogs there are, which records were deleted
//   (tub_manifest.h) catalog_N.catalog   one JSON record a line (tub_catalog.h): "_index", "cam/image_array"
//   (a file name),
//                       "user/angle" in [-1, 1], positive to the right, "user/throttle", and what else the
//                       manifest declares as float ("enc/speed"): these become labels, too
//   images/             the frames, JPEG or PNG (image_file.h)
//
// A tub is read as far as it goes. Records that were deleted, and those that are damaged or have no picture,
// are skipped with a warning; strictly, the first damage is refused. A label that a record lacks is no
// damage: the writer leaves out what wasn't measured.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/faults.h"
#include "data/recording.h"
#include "data/tub_catalog.h"

namespace dojo::data {

class Tub final : public Dataset {
public:
  // Whether it holds a manifest or a catalog.
  static bool is_in(const std::filesystem::path& folder);
  // Reads the records and checks every image. Throws UserError if no frame can be used, and where
  // interrupted.
  explicit Tub(std::filesystem::path folder, const RecordingOptions& options = {});

  std::string name() const override { return folder_.string(); }
  std::string fingerprint() const override { return fingerprint_; }
  std::size_t size() const override { return records_.size(); }
  const std::vector<std::string>& label_names() const override { return label_names_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  Image image(std::size_t frame) const override;
  std::vector<float> labels(std::size_t frame) const override;
  std::string place(std::size_t frame) const override { return place_of(records_.at(frame)); }
  std::int64_t record(std::size_t frame) const override { return records_.at(frame).index; }
  std::size_t skipped() const override { return skipped_; }

private:
  std::string place_of(const TubRecord& record) const;
  std::filesystem::path image_path(const std::string& name) const;
  void drop_deleted();
  void drop_overwritten(Faults& faults);
  void drop_broken_images(const RecordingOptions& options, Faults& faults);
  void mention_images_without_record();

  std::filesystem::path folder_;
  std::vector<std::string> catalogs_;
  std::vector<TubRecord> records_;
  std::vector<std::string> recorded_;  // images that any record names, deleted ones too
  std::vector<std::string> label_names_ = {"angle", "throttle"};
  std::vector<std::string> warnings_;
  std::string fingerprint_;
  std::size_t skipped_ = 0;
};

}  // namespace dojo::data
