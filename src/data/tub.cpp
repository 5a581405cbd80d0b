#include "data/tub.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"
#include "data/image_file.h"
#include "data/picture_check.h"
#include "data/tub_manifest.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace

bool Tub::is_in(const fs::path& folder) { return has_tub_contents(folder); }

Tub::Tub(fs::path folder, const RecordingOptions& options) : folder_(std::move(folder)) {
  Faults faults(options.strict);
  TubManifest manifest = read_tub_manifest(folder_, faults);
  catalogs_ = std::move(manifest.catalogs);
  label_names_.insert(label_names_.end(), manifest.keys.begin() + 2, manifest.keys.end());
  for (std::size_t i = 0; i < catalogs_.size(); ++i)
    read_tub_catalog(folder_ / catalogs_[i], i, manifest.keys, manifest.deleted, records_, faults);
  for (const TubRecord& record : records_) recorded_.push_back(file_name(record.image));
  drop_deleted();
  drop_overwritten(faults);
  drop_broken_images(options, faults);
  skipped_ += faults.skipped();
  for (std::string& sentence : faults.sentences()) warnings_.push_back(std::move(sentence));
  if (records_.empty()) {
    if (warnings_.empty()) warnings_.push_back("its catalogs hold no record");
    refuse(folder_.string(), "holds no usable frame: {}", fmt::join(warnings_, ", "));
  }
  mention_images_without_record();
}

std::string Tub::place_of(const TubRecord& record) const {
  return fmt::format("{}:{}", (folder_ / catalogs_.at(record.catalog)).string(), record.line);
}

// Names are meant from images/. One from the root is where the recording computer had it: the picture of that
// name in images/, wherever the tub lies now, or else that file. Empty if it leaves the tub otherwise.
fs::path Tub::image_path(const std::string& name) const {
  const fs::path path(name);
  if (path.is_absolute()) {
    const fs::path here = folder_ / "images" / path.filename();
    std::error_code error;
    return fs::exists(here, error) ? here : path;
  }
  const bool outside =
      name.contains('\0') || std::ranges::any_of(path, [](const fs::path& part) { return part == ".."; });
  return outside || !path.has_filename() ? fs::path() : folder_ / "images" / path;
}

void Tub::drop_deleted() {
  if (const std::size_t count = std::erase_if(records_, [](const TubRecord& r) { return r.deleted; });
      count != 0) {
    warnings_.push_back(fmt::format(
        "{}: {} skipped", folder_.string(),
        count == 1 ? "1 frame marked as deleted is" : fmt::format("{} frames marked as deleted are", count)));
    skipped_ += count;
  }
}

// A car that lost its power before the manifest was written counts on from an older number: new pictures take
// the names of old ones.
void Tub::drop_overwritten(Faults& faults) {
  std::map<std::pair<long long, std::string_view>, std::size_t> last;
  for (std::size_t i = 0; i < records_.size(); ++i) last[{records_[i].index, records_[i].image}] = i;
  std::vector<bool> stale(records_.size());
  for (std::size_t i = 0; i < records_.size(); ++i)
    stale[i] = last.at({records_[i].index, records_[i].image}) != i;
  std::vector<TubRecord> usable;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (stale[i]) {
      faults.skip(place_of(records_[i]), "has the number and the picture of a later record");
    } else {
      usable.push_back(std::move(records_[i]));
    }
  }
  records_ = std::move(usable);
}

// Decodes every image once, so that a broken one is known before training starts, and takes the fingerprint
// on the way.
void Tub::drop_broken_images(const RecordingOptions& options, Faults& faults) {
  std::vector<fs::path> paths;
  for (const TubRecord& record : records_) paths.push_back(image_path(record.image));
  const std::vector<PictureCheck> checks = check_pictures(folder_.string(), paths, options);
  Sha256 all;
  std::vector<TubRecord> usable;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const std::string place = place_of(records_[i]);
    if (paths[i].empty()) {
      faults.skip(place, "names an image that is no file of images/");
      continue;
    }
    if (!checks[i].problem.empty()) {
      faults.skip(fmt::format("{} ({})", paths[i].string(), file_name(place)), checks[i].problem);
      continue;
    }
    const std::string row =
        fmt::format("{} {} {}\n", records_[i].index, fmt::join(records_[i].labels, " "), checks[i].sha256);
    all.add(std::as_bytes(std::span(row)));
    usable.push_back(std::move(records_[i]));
  }
  records_ = std::move(usable);
  fingerprint_ = all.hex();
}

void Tub::mention_images_without_record() {
  std::ranges::sort(recorded_);
  std::error_code error;
  std::vector<std::string> empty;
  std::size_t others = 0;
  for (fs::directory_iterator entry(folder_ / "images", error), end; !error && entry != end;
       entry.increment(error)) {
    if (std::ranges::binary_search(recorded_, entry->path().filename().string())) continue;
    std::error_code unknown;
    if (entry->is_regular_file(unknown) && entry->file_size(unknown) == 0) {
      empty.push_back(entry->path().string());
    } else {
      ++others;
    }
  }
  std::ranges::sort(empty);
  Faults unrecorded(false);
  for (const std::string& path : empty) unrecorded.skip(path, "is empty and has no record");
  for (std::string& sentence : unrecorded.sentences()) warnings_.push_back(std::move(sentence));
  if (others != 0)
    warnings_.push_back(fmt::format("{}: {} no record; skipped", (folder_ / "images").string(),
                                    others == 1 ? "1 image has" : fmt::format("{} images have", others)));
}

Image Tub::image(std::size_t frame) const {
  const fs::path path = image_path(records_.at(frame).image);
  ImageFile file = read_image_file(path);
  if (!file.image) refuse(path.string(), "changed since it was checked: {}", file.problem);
  return std::move(*file.image);
}

std::vector<float> Tub::labels(std::size_t frame) const { return records_.at(frame).labels; }

}  // namespace dojo::data
