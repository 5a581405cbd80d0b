#include "data/not_a_tub.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

bool is_tub(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "manifest.json", error);
}

// Names in a folder, in order; none if it cannot be read.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

// At most three tubs in the folder, or in its folder `data`.
std::vector<std::string> tubs_below(const fs::path& folder) {
  std::vector<std::string> tubs;
  for (const fs::path& above : {folder, folder / "data"})
    for (const std::string& name : names_in(above))
      if (tubs.size() < 3 && is_tub(above / name)) tubs.push_back((above / name).string());
  return tubs;
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
  if (const std::vector<std::string> tubs = tubs_below(folder); !tubs.empty())
    refuse(folder.string(), "holds no manifest.json, but {} does; give that", fmt::join(tubs, ", or "));
  if (is_tub(fs::absolute(folder).lexically_normal().parent_path()) && pictures != 0)
    refuse(folder.string(), "holds the pictures of a tub; give the folder above, with manifest.json");
  if (pictures != 0)
    refuse(folder.string(),
           "holds {} pictures and no manifest.json; a Donkeycar 4 tub has its pictures in images/ and their "
           "labels in catalog_N.catalog",
           pictures);
  refuse(folder.string(), "holds no manifest.json; it is no Donkeycar 4 tub");
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

void refuse_as_tub(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) refuse_folder(path);
  if (!fs::exists(path, error)) refuse(path.string(), "does not exist; a Donkeycar tub was expected");
  const std::string name = path.filename().string();
  if (name == "manifest.json" || name.ends_with(".catalog"))
    refuse(path.string(), "is a file of a tub; give its folder");
  if (const std::string_view kind = fs::is_regular_file(path, error) ? archive_kind(path) : ""; !kind.empty())
    refuse(path.string(), "is a {} archive; unpack it and give the tub's folder", kind);
  refuse(path.string(), "is no folder; a Donkeycar tub was expected");
}

}  // namespace dojo::data
