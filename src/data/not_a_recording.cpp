#include "data/not_a_recording.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/recording.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

// Names in a folder, in order; none if it cannot be read.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

// At most three recordings in the folder, or in its folder `data`.
std::vector<std::string> recordings_below(const fs::path& folder) {
  std::vector<std::string> recordings;
  for (const fs::path& above : {folder, folder / "data"})
    for (const std::string& name : names_in(above))
      if (recordings.size() < 3 && recording_kind(above / name) != nullptr)
        recordings.push_back((above / name).string());
  return recordings;
}

bool ends_with_any(std::string name, std::initializer_list<std::string_view> endings) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

[[noreturn]] void refuse_folder(const fs::path& folder) {
  const std::vector<std::string> names = names_in(folder);
  const auto records = std::ranges::count_if(
      names, [](const std::string& name) { return name.starts_with("record_") && name.ends_with(".json"); });
  const auto pictures = std::ranges::count_if(
      names, [](const std::string& name) { return ends_with_any(name, {".jpg", ".jpeg", ".png"}); });
  if (records != 0)
    refuse(folder.string(),
           "is a tub of Donkeycar 3 or older ({} files record_*.json); Donkeycar's "
           "scripts/convert_to_tub_v2.py --tub={} --output=FOLDER makes one of Donkeycar 4 from it",
           records, folder.string());
  if (const std::vector<std::string> below = recordings_below(folder); !below.empty())
    refuse(folder.string(), "is no recording itself, but {} is; give that", fmt::join(below, ", or "));
  if (const RecordingKind* above = kind_with_pictures_in(folder); above != nullptr)
    refuse(folder.string(), "holds the pictures of {}; give the folder above", above->name);
  if (pictures != 0)
    refuse(
        folder.string(),
        "holds {} picture{} and no labels; a Donkeycar 4 tub has its pictures in images/ and their labels in "
        "catalog_N.catalog",
        pictures, pictures == 1 ? "" : "s");
  refuse(folder.string(), "is no recording; {} was expected", recording_names());
}

// By the first bytes: magic numbers of the formats' own specifications; tar's stands at byte 257.
std::string_view archive_kind(const fs::path& file) {
  std::string head(512, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  const auto at = [&](std::size_t place, std::string_view magic) {
    return head.compare(place, magic.size(), magic) == 0;
  };
  if (at(0, "PK\3\4")) return "zip";
  if (at(0, "\x1f\x8b")) return "gzip";
  if (at(0, "BZh")) return "bzip2";
  if (at(0,
         "\xfd"
         "7zXZ"))
    return "xz";
  if (at(0, "7z\xbc\xaf\x27\x1c")) return "7z";
  if (at(0, "\x28\xb5\x2f\xfd")) return "zstd";
  if (at(257, "ustar")) return "tar";
  return "";
}

}  // namespace

void refuse_as_recording(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) refuse_folder(path);
  if (!fs::exists(path, error)) refuse(path.string(), "does not exist; {} was expected", recording_names());
  const std::string name = path.filename().string();
  if (name == "manifest.json" || name.ends_with(".catalog"))
    refuse(path.string(), "is a file of a tub; give its folder");
  if (const std::string_view kind = fs::is_regular_file(path, error) ? archive_kind(path) : ""; !kind.empty())
    refuse(path.string(), "is a {} archive; unpack it and give the folder inside", kind);
  refuse(path.string(), "is no folder; {} was expected", recording_names());
}

}  // namespace dojo::data
