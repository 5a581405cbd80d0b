#include "run_files.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "say.h"
#include "training/run_folder.h"

namespace dojo::tools {

void clear_earlier_run(const std::filesystem::path& folder, bool goes_on) {
  std::string gone;
  for (const training::RunFile& file : training::run_files) {
    if (goes_on && !file.of_the_end) continue;
    std::error_code failure;
    const bool removed = std::filesystem::remove(folder / file.name, failure);
    if (failure) refuse((folder / file.name).string(), "cannot be replaced: {}", failure.message());
    if (removed) gone += (gone.empty() ? "" : ", ") + std::string(file.name);
  }
  if (!gone.empty() && !goes_on) say("{}: replaces an earlier run (removed: {})", folder.string(), gone);
}

std::string written_by_a_run(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const training::RunFile& file : training::run_files) names.emplace_back(file.name);
  names.push_back(fmt::format("{}/", training::program_folder));
  return (folder / fmt::format("{{{}}}", fmt::join(names, ", "))).string();
}

}  // namespace dojo::tools
