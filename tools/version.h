// Which OpenDojo this is: "0.1.0 (commit 72f332a9d1)", with "-dirty" behind a commit that was changed;
// without one where the sources lie in no checkout. Said by --version and in run.json, and nothing follows
// from it.
#pragma once

#include <string_view>

namespace dojo::tools {

std::string_view version();  // made by version.cmake, when the command is built

}  // namespace dojo::tools
