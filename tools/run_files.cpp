#include "run_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "say.h"
#include "training/run_folder.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

// Also a link that leads nowhere.
bool is_there(const fs::path& place) {
  std::error_code none;
  return fs::exists(fs::symlink_status(place, none));
}

std::vector<std::string_view> names_of_a_run() {
  std::vector<std::string_view> names;
  for (const training::RunFile& file : training::run_files) names.push_back(file.name);
  names.push_back(training::program_folder);
  return names;
}

}  // namespace

bool holds_a_run(const fs::path& folder) {
  return is_there(folder / training::checkpoint_file) || is_there(folder / training::run_file);
}

bool is_a_runs_name(const fs::path& name) {
  return std::ranges::any_of(names_of_a_run(), [&](std::string_view own) { return name == own; });
}

void refuse_to_lose(const fs::path& folder, const fs::path& model) {
  const bool runs = holds_a_run(folder);
  std::error_code none;
  for (const std::string_view name : names_of_a_run()) {
    const fs::path place = folder / name;
    if (!is_there(place)) continue;
    if (!runs)
      refuse(
          place.string(),
          "would be replaced, but is no run's: there is neither {} nor {} beside it; move it away or choose "
          "another --out",
          training::checkpoint_file, training::run_file);
    if (fs::equivalent(place, model, none))
      refuse(model.string(),
             "would be removed with the earlier run in {}; copy it to another place or choose another --out",
             folder.string());
    const bool is_folder = fs::is_directory(place, none), due = name == training::program_folder;
    if (is_folder != due)
      refuse(place.string(), "is {}, where a run writes {}; move it away or choose another --out",
             is_folder ? "a folder" : "no folder", due ? "one" : "a file");
  }
}

void clear_earlier_run(const fs::path& folder, bool goes_on) {
  std::string gone;
  for (const training::RunFile& file : training::run_files) {
    if (goes_on && !file.of_the_end) continue;
    std::error_code failure;
    const bool removed = fs::remove(folder / file.name, failure);
    if (failure) refuse((folder / file.name).string(), "cannot be replaced: {}", failure.message());
    if (removed) gone += (gone.empty() ? "" : ", ") + std::string(file.name);
  }
  if (!gone.empty() && !goes_on) say("{}: replaces an earlier run (removed: {})", folder.string(), gone);
}

std::string written_by_a_run(const fs::path& folder) {
  std::vector<std::string> names;
  for (const training::RunFile& file : training::run_files) names.emplace_back(file.name);
  names.push_back(fmt::format("{}/", training::program_folder));
  return (folder / fmt::format("{{{}}}", fmt::join(names, ", "))).string();
}

}  // namespace dojo::tools
