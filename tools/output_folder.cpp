#include "output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dojo::tools {

OutputFolder::OutputFolder(const std::filesystem::path& folder) {
  std::error_code failure;
  for (std::filesystem::path above = std::filesystem::absolute(folder);
       !std::filesystem::exists(above, failure) && above != above.root_path(); above = above.parent_path())
    made_.push_back(above);
  std::filesystem::create_directories(folder, failure);
  if (failure) remove_empty();
  if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
  if (::access(folder.c_str(), W_OK) != 0)
    refuse(folder.string(), "cannot be written: {}", std::strerror(errno));
  lock(folder);
}

OutputFolder::~OutputFolder() {
  remove_empty();
  if (descriptor_ >= 0) ::close(descriptor_);
}

// The folder itself is locked, so no file has to be there for it, nor to be removed afterwards.
void OutputFolder::lock(const std::filesystem::path& folder) {
  descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) refuse(folder.string(), "cannot be opened: {}", std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  if (reason == EWOULDBLOCK) {
    ::close(descriptor_);
    refuse(folder.string(),
           "is being written by another run, which is still alive; wait for it, or choose another folder");
  }
  // Some network file systems know no locks on folders.
  fmt::print(stderr, "warning: {} cannot be locked ({}): see to it that no second run writes there\n",
             folder.string(), std::strerror(reason));
}

void OutputFolder::remove_empty() const {
  std::error_code full;
  for (const std::filesystem::path& folder : made_) std::filesystem::remove(folder, full);
}

}  // namespace dojo::tools
