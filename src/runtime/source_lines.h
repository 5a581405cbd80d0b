// Where in its sources each instruction of a program was written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "system/profile.h"
#include "system/program.h"

namespace dojo::runtime {

struct SourceLine {
  std::string function, file;
  unsigned line = 0;

  std::string text() const;  // "a.c:7"; "??" where it is not known
};

using SourceLines = std::map<std::uint64_t, SourceLine>;  // by address

// Of all addresses of a profile, as llvm-symbolizer reads the DWARF of the program's file. An instruction
// counts for the function that holds it and for the line it was written on, be it inlined. Throws UserError
// where that tool is missing or does not answer.
SourceLines source_lines(const std::filesystem::path& file, const system::Program& program,
                         const system::Profile& profile);

}  // namespace dojo::runtime
