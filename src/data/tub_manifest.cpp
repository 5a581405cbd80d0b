#include "data/tub_manifest.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "data/text_lines.h"

namespace dojo::data {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const std::vector<std::string> always_labels = {"user/angle", "user/throttle"};

// N of catalog_N.catalog.
std::optional<unsigned long> catalog_number(const std::string& name) {
  constexpr std::string_view front = "catalog_", back = ".catalog";
  if (!name.starts_with(front) || !name.ends_with(back) || name.size() <= front.size() + back.size())
    return std::nullopt;
  unsigned long number = 0;
  const char* last = name.data() + name.size() - back.size();
  const auto [end, failure] = std::from_chars(name.data() + front.size(), last, number);
  return failure == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

std::vector<std::string> catalogs_in(const fs::path& folder) {
  std::vector<std::pair<unsigned long, std::string>> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const auto number = catalog_number(name)) found.emplace_back(*number, name);
  }
  std::ranges::sort(found);
  std::vector<std::string> names;
  for (auto& [number, name] : found) names.push_back(std::move(name));
  return names;
}

json value_of(const std::vector<TextLine>& lines, std::size_t line) {
  return line < lines.size() ? json::parse(lines[line].text, nullptr, false) : json(json::value_t::discarded);
}

std::string place_of(const fs::path& manifest, std::size_t line) {
  return fmt::format("{}:{}", manifest.string(), line);
}

// Lines 1 and 2: the records' keys and their types.
std::vector<std::string> keys_of(const fs::path& manifest, const std::vector<TextLine>& lines,
                                 Faults& faults) {
  std::vector<std::string> result = always_labels;
  const json keys = value_of(lines, 0), types = value_of(lines, 1);
  if (!keys.is_array() || !types.is_array()) {
    faults.note(place_of(manifest, keys.is_array() ? 2 : 1), "is no JSON array",
                "only angle and throttle count as labels");
    return result;
  }
  for (std::size_t i = 0; i < std::min(keys.size(), types.size()); ++i)
    if (types[i] == "float" && keys[i].is_string() &&
        std::ranges::count(result, keys[i].get<std::string>()) == 0)
      result.push_back(keys[i].get<std::string>());
  return result;
}

// Line 5, where it is whole.
std::vector<std::string> named_catalogs(const fs::path& manifest, const json& paths, Faults& faults) {
  std::vector<std::string> names;
  for (const json& path : paths) {
    if (path.is_string() && is_bare_name(path.get<std::string>())) {
      names.push_back(path.get<std::string>());
    } else {
      faults.skip(place_of(manifest, 5), "names a catalog that is no file of this folder");
    }
  }
  for (const std::string& name : catalogs_in(manifest.parent_path()))
    if (std::ranges::count(names, name) == 0)
      faults.skip((manifest.parent_path() / name).string(), "is not named by the manifest");
  return names;
}

TubManifest without_manifest(const fs::path& folder, const fs::path& manifest, Faults& faults) {
  TubManifest contents{always_labels, catalogs_in(folder), {}};
  std::error_code error;
  faults.note(manifest.string(), fs::exists(manifest, error) ? "is no file" : "is missing",
              "the folder's catalogs are read, only angle and throttle count as labels, and no frame as "
              "deleted");
  return contents;
}

}  // namespace

bool is_bare_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') && !name.contains('\0');
}

bool has_tub_contents(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "manifest.json", error) || !catalogs_in(folder).empty();
}

TubManifest read_tub_manifest(const fs::path& folder, Faults& faults) {
  const fs::path manifest = folder / "manifest.json";
  std::error_code error;
  if (!fs::is_regular_file(manifest, error)) return without_manifest(folder, manifest, faults);
  const std::vector<TextLine> lines = lines_of(manifest, faults);
  TubManifest contents;
  contents.keys = keys_of(manifest, lines, faults);
  const json last = value_of(lines, 4);
  const json* paths = last.is_object() && last.contains("paths") ? &last["paths"] : nullptr;
  if (paths == nullptr || !paths->is_array()) {
    faults.note(place_of(manifest, 5), "names no catalogs",
                "those of the folder are read, and no frame counts as deleted");
    contents.catalogs = catalogs_in(folder);
    return contents;
  }
  contents.catalogs = named_catalogs(manifest, *paths, faults);
  const json deleted = last.value("deleted_indexes", json::array());
  if (!deleted.is_array())
    faults.note(place_of(manifest, 5), "'deleted_indexes' is no array", "no frame counts as deleted");
  for (const json& index : deleted)
    if (index.is_number_integer()) contents.deleted.push_back(index.get<long long>());
  std::ranges::sort(contents.deleted);
  return contents;
}

}  // namespace dojo::data
