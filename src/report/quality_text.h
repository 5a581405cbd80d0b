// How good predictions are, in words.
#pragma once

#include <string>
#include <vector>

#include "training/validation.h"

namespace dojo::report {

// A line for each value, one more for classes; of what has no label in any frame, that it hasn't.
std::string quality_text(const std::vector<training::OutputQuality>& values);

}  // namespace dojo::report
