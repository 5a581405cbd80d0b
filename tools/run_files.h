// The files of a run in its output folder (training/run_folder.h): which go when another begins or this one
// goes on, and how they are named at its end.
#pragma once

#include <filesystem>
#include <string>

namespace dojo::tools {

// Before a run writes its first file: takes away what would lie about an earlier one beside it. A run that
// goes on keeps checkpoint, history and best network. Says so on stderr where a finished run is replaced.
// Throws UserError if a file cannot be removed.
void clear_earlier_run(const std::filesystem::path& folder, bool goes_on);

// "out/{report.txt, ...}": all that is there behind a whole run.
std::string written_by_a_run(const std::filesystem::path& folder);

}  // namespace dojo::tools
