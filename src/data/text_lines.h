// A text file, line by line, as a car leaves it whose power was cut.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/faults.h"

namespace dojo::data {

struct TextLine {
  std::string text;      // without the NULs, spaces and carriage returns around it
  bool had_nul = false;  // among these
  bool ended = true;     // by a newline; false for a last line without one
};

// None, and a note, for what is no file or cannot be read.
std::vector<TextLine> lines_of(const std::filesystem::path& path, Faults& faults);

}  // namespace dojo::data
