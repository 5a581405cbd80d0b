// The files of a run in its output folder (training/run_folder.h): which go when another begins or this one
// goes on, and how they are named at its end.
#pragma once

#include <filesystem>
#include <string>

namespace dojo::tools {

bool holds_a_run(const std::filesystem::path& folder);

// Whether a run has a file of this name.
bool is_a_runs_name(const std::filesystem::path& name);

// Refuses a folder where a run would take away what no run made: it holds none, but something that has a
// run's name; or `model`, the network to be trained, is one of the files that go.
void refuse_to_lose(const std::filesystem::path& folder, const std::filesystem::path& model);

// Before a run writes its first file: takes away what would lie about an earlier one beside it. A run that
// goes on keeps checkpoint, history and best network. Says so on stderr where a finished run is replaced.
// Throws UserError if a file cannot be removed.
void clear_earlier_run(const std::filesystem::path& folder, bool goes_on);

// "out/{report.txt, ...}": all that is there behind a whole run.
std::string written_by_a_run(const std::filesystem::path& folder);

}  // namespace dojo::tools
