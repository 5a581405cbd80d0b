#include "output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ranges>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "say.h"

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

// Each costs another process the making and removing of the folder.
constexpr int most_tries = 100;

// Whether the folder that is open is the one that has this path: not one that was removed since.
bool is_at(int descriptor, const fs::path& path) {
  struct stat open{}, there{};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &there) == 0 &&
         open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

// Whether another command has the folder for its own. It may be any that this one made on the way to its own.
bool is_locked(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return locked;
}

}  // namespace

// Between any two steps another process may take away what is empty: a step that finds nothing returns false,
// and all begins anew.
OutputFolder::OutputFolder(const fs::path& folder) {
  try {
    for (int tries = 1; !make(folder) || !lock(folder); ++tries)
      if (tries == most_tries) refuse(folder.string(), "cannot be made: {}", std::strerror(ENOENT));
  } catch (const UserError&) {
    remove_empty();
    throw;
  }
}

OutputFolder::~OutputFolder() {
  remove_empty();
  close();
}

bool OutputFolder::make(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> missing;
  for (fs::path above = fs::absolute(folder); !fs::exists(above, failure) && above != above.root_path();
       above = above.parent_path())
    missing.push_back(above);
  for (const fs::path& each : missing | std::views::reverse) {
    const bool made = fs::create_directory(each, failure);
    if (made) made_.insert(made_.begin(), each);
    if (made) sync_folder(each.parent_path());  // or a power cut takes it away with all that is in it
    if (failure == std::errc::no_such_file_or_directory) return false;
    if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
  }
  if (fs::exists(folder, failure) && !fs::is_directory(folder, failure))
    refuse(folder.string(), "cannot be made: {}", std::strerror(ENOTDIR));
  if (::access(folder.c_str(), W_OK) == 0) return true;
  if (errno == ENOENT) return false;
  refuse(folder.string(), "cannot be written: {}", std::strerror(errno));
}

// The folder itself is locked, so no file has to be there for it, nor to be removed afterwards. Who had it
// before may have removed it while it was being opened here: then a lock on it holds nobody off.
bool OutputFolder::lock(const fs::path& folder) {
  descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0 && errno == ENOENT) return false;
  if (descriptor_ < 0) refuse(folder.string(), "cannot be opened: {}", std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
    if (is_at(descriptor_, folder)) return true;
    close();
    return false;
  }
  const int reason = errno;
  if (reason == EWOULDBLOCK) {
    close();
    refuse(folder.string(),
           "is being written by another run, which is still alive; wait for it, or choose another folder");
  }
  // Some network file systems know no locks on folders.
  say("warning: {} cannot be locked ({}): see to it that no second run writes there", folder.string(),
      std::strerror(reason));
  return true;
}

void OutputFolder::remove_empty() const {
  std::error_code full;
  for (const fs::path& folder : made_)
    if (is_at(descriptor_, folder) || !is_locked(folder)) fs::remove(folder, full);
}

void OutputFolder::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace dojo::tools
