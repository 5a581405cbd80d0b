// What the compiler made, for people to read: source, ELF and plan of each program of a run.
#pragma once

#include <filesystem>

#include "compiler/compile.h"

namespace dojo::training {

// The folder appears whole, in place of an older one. Throws UserError, and then leaves nothing behind.
void write_program(const std::filesystem::path& folder, const compiler::CompiledNetwork& compiled);

}  // namespace dojo::training
