#include "output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "data/recording.h"
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

[[noreturn]] void refuse_locked(const fs::path& folder) {
  refuse(folder.string(),
         "is being written by another run, which is still alive; wait for it, or choose another folder");
}

[[noreturn]] void cannot_be_made(const fs::path& folder, int reason) {
  refuse(folder.string(), "cannot be made: {}", std::strerror(reason));
}

// A recording, or the pictures of one: who made it goes on with it, and nothing of ours belongs there.
void refuse_recordings(const fs::path& folder) {
  std::error_code none;
  const fs::path real = fs::weakly_canonical(fs::absolute(folder), none);
  const data::RecordingKind* kind = data::recording_kind(real);
  if (kind == nullptr) kind = data::kind_with_pictures_in(real);
  if (kind != nullptr) refuse(folder.string(), "holds {}; choose another folder", kind->name);
}

// The first of the folders up from `folder` that is there; the one below it is the first to be made.
struct Ground {
  fs::path there, missing;
};

Ground ground_of(const fs::path& folder) {
  Ground ground{fs::absolute(folder), {}};
  std::size_t longest = 0;
  struct stat state{};
  while (::stat(ground.there.c_str(), &state) != 0) {
    if (errno != ENOENT) cannot_be_made(folder, errno);
    longest = std::max(longest, ground.there.filename().native().size());
    ground.missing = ground.there;
    ground.there = ground.there.parent_path();
  }
  if (!S_ISDIR(state.st_mode)) cannot_be_made(folder, ENOTDIR);
  if (const long most = ::pathconf(ground.there.c_str(), _PC_NAME_MAX);
      most >= 0 && longest > static_cast<std::size_t>(most))
    cannot_be_made(folder, ENAMETOOLONG);
  return ground;
}

// Places of the kernel's, where it lets root write but makes no folder.
bool is_of_the_kernel(const fs::path& folder) {
  struct statfs place{};
  return ::statfs(folder.c_str(), &place) == 0 &&
         (place.f_type == PROC_SUPER_MAGIC || place.f_type == SYSFS_MAGIC);
}

}  // namespace

void refuse_unusable_folder(const fs::path& folder) {
  const auto [there, missing] = ground_of(folder);
  if (missing.empty()) {
    refuse_recordings(folder);
    if (::access(folder.c_str(), W_OK) != 0)
      refuse(folder.string(), "cannot be written: {}", std::strerror(errno));
    if (::access(folder.c_str(), R_OK) != 0)
      refuse(folder.string(), "cannot be opened: {}", std::strerror(errno));
    if (is_locked(folder)) refuse_locked(folder);
    return;
  }
  std::error_code none;
  if (fs::is_symlink(missing, none)) cannot_be_made(folder, EEXIST);  // it leads nowhere
  if (::access(there.c_str(), W_OK | X_OK) != 0) cannot_be_made(folder, errno);
  if (is_of_the_kernel(there)) cannot_be_made(folder, ENOENT);
}

// Between any two steps another process may take away what is empty: a step that finds nothing returns false,
// and all begins anew.
OutputFolder::OutputFolder(const fs::path& folder) {
  try {
    for (int tries = 1; !make(folder) || !lock(folder); ++tries)
      if (tries == most_tries) cannot_be_made(folder, ENOENT);
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
  if (fs::exists(folder, failure) && !fs::is_directory(folder, failure)) cannot_be_made(folder, ENOTDIR);
  refuse_recordings(folder);
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
    refuse_locked(folder);
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
