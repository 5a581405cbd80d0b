// The files that a command line names: whether those to be written may be.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "machine/machine.h"

namespace dojo::tools {

struct NamedFile {
  std::string_view option;  // "--trace", "PROGRAM"
  std::string path;         // empty: not given
};

// The files that a machine was read from, as those of --machine.
std::vector<NamedFile> files_of(const machine::Machine& machine);

// Before any work: refuses to write a file that is also read or written twice, by whatever path, link or hard
// link, and what is no file or has no place. A device may be all at once.
void refuse_bad_outputs(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs);

}  // namespace dojo::tools
