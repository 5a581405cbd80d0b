#include "base/temporary_folder.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "base/error.h"

namespace dojo {

TemporaryFolder::TemporaryFolder(std::string_view name) {
  std::error_code none;
  const std::filesystem::path place = std::filesystem::temp_directory_path(none);
  if (none) refuse("TMPDIR", "names no folder for temporary files");
  std::string pattern = (place / fmt::format("{}-XXXXXX", name)).string();
  if (::mkdtemp(pattern.data()) == nullptr)
    refuse(place.string(), "cannot hold temporary files: {}", std::strerror(errno));
  path_ = pattern;
}

void TemporaryFolder::refuse_if_full(std::string_view failure) const {
  constexpr std::uint64_t hardly_any = 1 << 16;  // bytes; a tool may be too short of room to say so
  struct statvfs disk{};
  const bool full = ::statvfs(path_.c_str(), &disk) == 0 &&
                    (disk.f_bavail * disk.f_frsize < hardly_any || (disk.f_files != 0 && disk.f_favail == 0));
  if (full || failure.contains(std::strerror(ENOSPC)) || failure.contains(std::strerror(EDQUOT)))
    refuse(path_.parent_path().string(),
           "is full: the folder for temporary files, in which programs are built, has no room; free some or "
           "set TMPDIR to another folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace dojo
