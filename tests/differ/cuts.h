// What can be taken out of a random program.
#pragma once

#include <vector>

#include "program.h"

namespace dojo::differ {

// Every program that lacks one part of this one: whole items first, then single words, then what encloses
// others.
std::vector<Program> cuts_of(const Program& program);

}  // namespace dojo::differ
