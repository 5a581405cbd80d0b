// The files of a run in its output folder: which there are, and which go when another begins or this one goes
// on.
#pragma once

#include <filesystem>

namespace dojo::tools {

// Before a run writes its first file: takes away what would lie about an earlier one beside it. A run that
// goes on keeps checkpoint, history and best network. Says so on stderr where a finished run is replaced.
// Throws UserError if a file cannot be removed.
void clear_earlier_run(const std::filesystem::path& folder, bool goes_on);

}  // namespace dojo::tools
