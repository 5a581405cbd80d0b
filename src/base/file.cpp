#include "base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace dojo {
namespace {

class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

private:
  int number_ = -1;
};

// What has no end, such as /dev/zero, must not be taken for a large file.
constexpr std::size_t most_from_a_stream = std::size_t{1} << 28;

std::string name_of(const std::filesystem::path& path) { return path.empty() ? "''" : path.string(); }

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return true;
}

// Where links lead, so that they stay what they are.
std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::error_code none;
  const bool link = std::filesystem::is_symlink(path, none);
  const std::filesystem::path target = link ? std::filesystem::canonical(path, none) : path;
  return none ? path : target;
}

// A pipe with a name in some folder. A shell's <(...) and an inherited pipe, which somebody writes, are none.
bool is_named_fifo(int descriptor) {
  struct stat state{};
  struct statfs place{};
  return ::fstat(descriptor, &state) == 0 && S_ISFIFO(state.st_mode) && ::fstatfs(descriptor, &place) == 0 &&
         place.f_type != PIPEFS_MAGIC;
}

// Into a device or a pipe, which no other file may replace.
void write_in_place(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  refuse_fifo_without_reader(path);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0 || !write_all(file.number(), bytes))
    refuse(path.string(), "cannot be written: {}", std::strerror(errno));
}

// What is to take the place of a file, beside it: the first of NAME.partial, NAME.partial1, ... that nobody
// writes at this moment. A lock tells, which ends with its process, however that ends: what a killed one left
// is taken over by the next one that writes the same file, and there are never more of them than there were
// writers at once.
class Draft {
public:
  explicit Draft(const std::filesystem::path& target) {
    for (unsigned number = 0;;) {
      path_ = fmt::format("{}.partial{}", target.string(), number == 0 ? "" : std::to_string(number));
      const Claim claim = claim_it();
      if (claim == Claim::ours || claim == Claim::impossible) return;
      if (claim == Claim::theirs) ++number;
    }
  }

  // 0, or the errno of why not; then nothing is left.
  int replace(const std::filesystem::path& target, std::span<const std::byte> bytes) const {
    if (failure_ != 0) return failure_;
    if (write_all(file_.number(), bytes) && ::fsync(file_.number()) == 0 &&
        ::rename(path_.c_str(), target.c_str()) == 0)
      return 0;
    const int reason = errno;
    ::unlink(path_.c_str());
    return reason;
  }

private:
  enum class Claim { ours, theirs, gone, impossible };

  Claim claim_it() {
    file_.reset();
    file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    const bool made = file_.number() >= 0;
    if (!made && errno != EEXIST) return failure_ = errno, Claim::impossible;
    if (!made) file_.reset(::open(path_.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file_.number() < 0) return errno == ENOENT ? Claim::gone : Claim::theirs;
    // Where locks are unknown, only what was not there can be ours.
    if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0)
      return made && errno != EWOULDBLOCK ? Claim::ours : Claim::theirs;
    // Whoever wrote it may have renamed it before the lock was ours.
    struct stat open{}, there{};
    if (::fstat(file_.number(), &open) != 0 || ::lstat(path_.c_str(), &there) != 0) return Claim::gone;
    if (open.st_dev != there.st_dev || open.st_ino != there.st_ino) return Claim::gone;
    const bool empty = S_ISREG(open.st_mode) && ::ftruncate(file_.number(), 0) == 0;
    return empty ? Claim::ours : Claim::theirs;
  }

  std::filesystem::path path_;
  Descriptor file_;
  int failure_ = 0;  // the errno of why there is none
};

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  // Not to wait for whoever opens the other end of a FIFO.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) refuse(name_of(path), "cannot be read: {}", std::strerror(errno));
  if (is_named_fifo(file.number())) refuse(path.string(), "is a FIFO, not a file");
  if (::fcntl(file.number(), F_SETFL, 0) != 0)  // what has an end is read to it
    refuse(path.string(), "cannot be read: {}", std::strerror(errno));
  struct stat state{};
  const bool has_an_end = ::fstat(file.number(), &state) == 0 && S_ISREG(state.st_mode);
  std::vector<std::byte> bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(used + (used < 65536 ? 65536 : used));
    const ssize_t got = ::read(file.number(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path.string(), "cannot be read: {}", std::strerror(errno));
    used += static_cast<std::size_t>(got);
    if (got == 0) break;
    if (!has_an_end && used > most_from_a_stream)
      refuse(path.string(), "is no file, and still goes on after {} bytes", most_from_a_stream);
  }
  bytes.resize(used);
  return bytes;
}

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::error_code none;
  if (std::filesystem::is_other(path, none)) return write_in_place(path, bytes);
  const std::filesystem::path target = behind_links(path);
  if (const int failure = Draft(target).replace(target, bytes); failure != 0)
    refuse(name_of(path), "cannot be written: {}", std::strerror(failure));
  sync_folder(target.has_parent_path() ? target.parent_path() : ".");
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

// A folder that cannot be opened for reading, and a file system that keeps no folders, have to do without.
void sync_folder(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0 || ::fsync(opened.number()) == 0 || errno == EINVAL || errno == ENOTSUP) return;
  refuse(folder.string(), "cannot be written: {}", std::strerror(errno));
}

void refuse_fifo_without_reader(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_fifo(path, none)) return;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0 && errno == ENXIO) refuse(path.string(), "is a FIFO that nobody reads");
}

}  // namespace dojo
