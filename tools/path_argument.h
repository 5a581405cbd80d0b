// The check of an option's text that is to name a file or a folder.
#pragma once

#include <CLI/CLI.hpp>

namespace dojo::tools {

// Anything but '', which the system takes for "here" in one place and for "nowhere" in another.
inline CLI::Validator path_argument() {
  return {[](const std::string& text) { return text.empty() ? "'' names no file" : ""; }, ""};
}

}  // namespace dojo::tools
