#include "base/resources.h"

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>

#include "base/error.h"

namespace dojo {

namespace fs = std::filesystem;

fs::path resource_of(const fs::path& program, const fs::path& sources, std::string_view inside) {
  const fs::path installed = program.parent_path().parent_path() / "share" / "opendojo";
  std::error_code absent;
  if (fs::is_directory(installed, absent)) return installed / inside;
  if (fs::is_directory(sources / "device", absent)) return sources / inside;
  refuse(installed.string(),
         "no such folder; it holds machines and the nodes' library and goes where bin goes");
}

namespace {

// The file that this code was loaded from: the program, or the shared library. The kernel's list of what is
// mapped gives its whole path, where the loader knows what it was called by.
fs::path own_file() {
  const auto here = reinterpret_cast<std::uintptr_t>(&own_file);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;  // "BEGIN-END mode offset device inode   /path"
    const char* const last = line.data() + line.size();
    const char* at = std::from_chars(line.data(), last, begin, 16).ptr;
    if (at != last) std::from_chars(at + 1, last, end, 16);
    const std::size_t path = line.find('/');
    if (begin <= here && here < end && path != line.npos) return line.substr(path);
  }
  return fs::read_symlink("/proc/self/exe");
}

}  // namespace

fs::path resource(std::string_view inside) { return resource_of(own_file(), DOJO_SOURCE_DIR, inside); }

}  // namespace dojo
