// What the compiler made, for people to read: source, ELF and plan of each program of a run.
#pragma once

#include <filesystem>

#include "codegen/compile.h"

namespace dojo::training {

// The folder appears whole, in place of an older one; only if others' files lie in that, which stay, it is
// filled file by file. Throws UserError, and then leaves nothing behind.
void write_program(const std::filesystem::path& folder, const codegen::CompiledNetwork& compiled);

// Takes away what write_program() wrote, and the folder if nothing else is in it.
void remove_program(const std::filesystem::path& folder);

}  // namespace dojo::training
