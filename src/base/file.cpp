#include "base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
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
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

private:
  int number_;
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

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  // Not to wait for whoever opens the other end of a FIFO.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) refuse(name_of(path), "cannot be read: {}", std::strerror(errno));
  if (is_named_fifo(file.number())) refuse(path.string(), "is a FIFO, not a file");
  ::fcntl(file.number(), F_SETFL, 0);  // what has an end is read to it
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
  const std::filesystem::path target = behind_links(path), beside = target.string() + ".partial";
  const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) refuse(name_of(path), "cannot be written: {}", std::strerror(errno));
  if (!write_all(file.number(), bytes) || ::fsync(file.number()) != 0 ||
      ::rename(beside.c_str(), target.c_str()) != 0) {
    const int reason = errno;
    ::unlink(beside.c_str());
    refuse(path.string(), "cannot be written: {}", std::strerror(reason));
  }
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

void refuse_fifo_without_reader(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_fifo(path, none)) return;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0 && errno == ENXIO) refuse(path.string(), "is a FIFO that nobody reads");
}

}  // namespace dojo
