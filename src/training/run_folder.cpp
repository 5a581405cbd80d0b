#include "training/run_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace dojo::training {
namespace {

namespace fs = std::filesystem;

// Also a link that leads nowhere.
bool is_there(const fs::path& place) {
  std::error_code none;
  return fs::exists(fs::symlink_status(place, none));
}

std::vector<std::string_view> names_of_a_run() {
  std::vector<std::string_view> names;
  for (const RunFile& file : run_files) names.push_back(file.name);
  names.push_back(program_folder);
  return names;
}

}  // namespace

bool holds_a_run(const fs::path& folder) {
  return is_there(folder / checkpoint_file) || is_there(folder / run_file);
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
      refuse(Settings{{"out"}}, place.string(),
             "would be replaced, but is no run's: there is neither {} nor {} beside it; move it away or "
             "choose another folder",
             checkpoint_file, run_file);
    if (fs::equivalent(place, model, none))
      refuse(Settings{{"out"}}, model.string(),
             "would be removed with the earlier run in {}; copy it to another place or choose another folder",
             folder.string());
    const bool is_folder = fs::is_directory(place, none), due = name == program_folder;
    if (is_folder != due)
      refuse(Settings{{"out"}}, place.string(),
             "is {}, where a run writes {}; move it away or choose another folder",
             is_folder ? "a folder" : "no folder", due ? "one" : "a file");
  }
}

std::vector<std::string_view> clear_earlier_run(const fs::path& folder, bool goes_on) {
  std::vector<std::string_view> gone;
  for (const RunFile& file : run_files) {
    if (goes_on && !file.of_the_end) continue;
    std::error_code failure;
    const bool removed = fs::remove(folder / file.name, failure);
    if (failure) refuse((folder / file.name).string(), "cannot be replaced: {}", failure.message());
    if (removed) gone.push_back(file.name);
  }
  return gone;
}

std::string written_by_a_run(const fs::path& folder) {
  std::vector<std::string> names;
  for (const RunFile& file : run_files) names.emplace_back(file.name);
  names.push_back(fmt::format("{}/", program_folder));
  return (folder / fmt::format("{{{}}}", fmt::join(names, ", "))).string();
}

}  // namespace dojo::training
