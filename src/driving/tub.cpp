#include "driving/tub.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "driving/jpeg.h"

namespace dojo::driving {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(read_text(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

json parse_line(const fs::path& path, std::size_t line, const std::string& text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) refuse(fmt::format("{}:{}", path.string(), line), "is not JSON");
  return value;
}

const json& member(const json& record, const char* key, bool (json::*is)() const noexcept,
                   const fs::path& path, std::size_t line) {
  const auto found = record.is_object() ? record.find(key) : record.end();
  if (!record.is_object() || found == record.end() || !((*found).*is)())
    refuse(fmt::format("{}:{}", path.string(), line), "has no usable '{}'", key);
  return *found;
}

// A name that stays inside the folder it is looked up in.
bool is_bare_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

Tub::Tub(fs::path folder, unsigned threads) : folder_(std::move(folder)) {
  std::error_code error;
  if (!fs::is_directory(folder_, error))
    refuse(folder_.string(), "is no folder; a Donkeycar tub was expected");
  const fs::path manifest = folder_ / "manifest.json";
  if (!fs::exists(manifest, error))
    refuse(folder_.string(), "holds no manifest.json; it is no Donkeycar 4 tub");
  const std::vector<std::string> lines = lines_of(manifest);
  if (lines.size() < 5) refuse(manifest.string(), "has {} lines where a Donkeycar 4 tub has 5", lines.size());
  const json contents = parse_line(manifest, 5, lines[4]);
  std::vector<long long> deleted;
  if (contents.is_object() && contents.contains("deleted_indexes"))
    for (const json& index : member(contents, "deleted_indexes", &json::is_array, manifest, 5))
      if (index.is_number_integer()) deleted.push_back(index.get<long long>());
  std::ranges::sort(deleted);
  find_labels(manifest, lines);
  for (const json& catalog : member(contents, "paths", &json::is_array, manifest, 5)) {
    if (!catalog.is_string() || !is_bare_name(catalog.get<std::string>()))
      refuse(manifest.string() + ":5", "names a catalog that is no file of this folder");
    read_catalog(folder_ / catalog.get<std::string>(), deleted);
  }
  if (deleted_ != 0)
    warnings_.push_back(
        fmt::format("{}: {} frames marked as deleted are skipped", folder_.string(), deleted_));
  drop_broken_images(threads);
  mention_images_without_record();
  if (records_.empty()) refuse(folder_.string(), "holds no usable frame");
}

void Tub::find_labels(const fs::path& manifest, const std::vector<std::string>& lines) {
  const json keys = parse_line(manifest, 1, lines[0]), types = parse_line(manifest, 2, lines[1]);
  if (!keys.is_array() || !types.is_array()) return;
  for (std::size_t i = 0; i < std::min(keys.size(), types.size()); ++i) {
    if (types[i] != "float" || !keys[i].is_string() ||
        std::ranges::count(keys_, keys[i].get<std::string>()) != 0)
      continue;
    keys_.push_back(keys[i].get<std::string>());
    label_names_.push_back(keys_.back());
  }
}

void Tub::read_catalog(const fs::path& path, const std::vector<long long>& deleted) {
  const std::vector<std::string> lines = lines_of(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string text = lines[i].substr(0, lines[i].find_last_not_of(" \r") + 1);
    if (text.empty()) continue;
    const json line = parse_line(path, i + 1, text);
    Record record;
    record.index = member(line, "_index", &json::is_number_integer, path, i + 1).get<long long>();
    record.image = member(line, "cam/image_array", &json::is_string, path, i + 1).get<std::string>();
    for (const std::string& key : keys_)
      record.labels.push_back(member(line, key.c_str(), &json::is_number, path, i + 1).get<float>());
    if (!is_bare_name(record.image))
      refuse(fmt::format("{}:{}", path.string(), i + 1), "names an image that is no file of images/");
    if (!std::ranges::all_of(record.labels, [](float label) { return std::isfinite(label); }))
      refuse(fmt::format("{}:{}", path.string(), i + 1), "has a label that is no finite number");
    recorded_.push_back(record.image);
    if (std::ranges::binary_search(deleted, record.index)) {
      ++deleted_;
      continue;
    }
    records_.push_back(std::move(record));
  }
}

// Decodes every image once, so that a broken one is known before training starts, and takes the fingerprint
// on the way.
void Tub::drop_broken_images(unsigned threads) {
  std::vector<std::string> problems(records_.size()), hashes(records_.size());
  parallel_for(threads, records_.size(), [&](std::size_t i) {
    const fs::path path = folder_ / "images" / records_[i].image;
    if (!fs::exists(path)) {
      problems[i] = "is missing";
      return;
    }
    const std::vector<std::byte> bytes = read_file(path);
    if (bytes.empty()) {
      problems[i] = "is empty";
    } else if (!decode_jpeg(bytes)) {
      problems[i] = "is no complete JPEG picture";
    }
    hashes[i] = sha256_hex(bytes);
  });
  Sha256 all;
  std::vector<Record> usable;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (!problems[i].empty()) {
      warnings_.push_back(
          fmt::format("{}: {}; skipped", (folder_ / "images" / records_[i].image).string(), problems[i]));
      continue;
    }
    const std::string row =
        fmt::format("{} {} {}\n", records_[i].index, fmt::join(records_[i].labels, " "), hashes[i]);
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
  for (const auto& entry : fs::directory_iterator(folder_ / "images", error)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::binary_search(recorded_, name)) continue;
    if (entry.is_regular_file(error) && entry.file_size(error) == 0) {
      empty.push_back(entry.path().string());
    } else {
      ++others;
    }
  }
  std::ranges::sort(empty);
  for (const std::string& path : empty) warnings_.push_back(path + ": is empty and has no record; skipped");
  if (others != 0)
    warnings_.push_back(
        fmt::format("{}: {} images have no record; skipped", (folder_ / "images").string(), others));
}

training::Image Tub::image(std::size_t frame) const {
  const fs::path path = folder_ / "images" / records_.at(frame).image;
  auto image = decode_jpeg(read_file(path));
  if (!image) refuse(path.string(), "changed since it was checked: no complete JPEG picture");
  return std::move(*image);
}

std::vector<float> Tub::labels(std::size_t frame) const { return records_.at(frame).labels; }

}  // namespace dojo::driving
