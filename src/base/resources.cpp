#include "base/resources.h"

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

fs::path resource(std::string_view inside) {
  return resource_of(fs::read_symlink("/proc/self/exe"), DOJO_SOURCE_DIR, inside);
}

}  // namespace dojo
