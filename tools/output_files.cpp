#include "output_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

// Files that are not there yet are the same by their places.
bool are_one(const NamedFile& one, const NamedFile& other) {
  if (one.path.empty() || other.path.empty()) return false;
  std::error_code none, astray;
  if (fs::is_other(one.path, none)) return false;
  if (fs::equivalent(one.path, other.path, none)) return true;
  const fs::path place = fs::weakly_canonical(fs::absolute(one.path), astray);
  return !astray && place == fs::weakly_canonical(fs::absolute(other.path), none);
}

void refuse_unwritable(const fs::path& path) {
  std::error_code none;
  if (path.empty() || fs::is_other(path, none)) return;
  if (fs::is_directory(path, none)) refuse(path.string(), "is a folder, not a file");
  if (::access(fs::absolute(path).parent_path().c_str(), W_OK | X_OK) != 0)
    refuse(path.string(), "cannot be written: {}", std::strerror(errno));
}

}  // namespace

std::vector<NamedFile> files_of(const machine::Machine& machine) {
  std::vector<NamedFile> files;
  for (const std::string& path : machine.files) files.push_back({"--machine", path});
  return files;
}

void refuse_bad_outputs(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const NamedFile& output = outputs[i];
    for (const NamedFile& input : inputs)
      if (are_one(output, input))
        refuse(output.path, "would be overwritten by {}, but is the file of {}; name another", output.option,
               input.option);
    for (const NamedFile& other : outputs.first(i))
      if (are_one(output, other))
        refuse(output.path, "is given to both {} and {}; name two files", other.option, output.option);
    refuse_unwritable(output.path);
  }
}

}  // namespace dojo::tools
