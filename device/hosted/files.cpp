// The C library's functions for files. There is the terminal; every name of a file is answered as in an empty
// folder that nothing can be put into.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "system.h"

namespace {

constexpr long here = -100;  // Linux's AT_FDCWD; the C library has another

// Only what one asks of a stream: is it a terminal?
int take_state(long answer, const uint32_t (&raw)[32], struct stat* state) {
  *state = {};
  if (answer >= 0) state->st_mode = raw[4];
  return checked(answer);
}

}  // namespace

// A program may have a function of its own under any of these names.
#pragma clang attribute push(__attribute__((weak)), apply_to = function)
extern "C" {

// --- Open files -----------------------------------------------------------------------------------------

ssize_t read(int file, void* bytes, size_t count) {
  return checked<ssize_t>(ask(call_read, file, address(bytes), static_cast<long>(count)));
}
ssize_t write(int file, const void* bytes, size_t count) {
  return checked<ssize_t>(ask(call_write, file, address(bytes), static_cast<long>(count)));
}
int close(int file) { return checked(ask(call_close, file)); }
off_t lseek(int file, off_t offset, int whence) {
  return checked<off_t>(ask(call_lseek, file, static_cast<long>(offset), whence));
}
int fstat(int file, struct stat* state) {
  uint32_t raw[32];
  return take_state(ask(call_fstat, file, address(raw)), raw, state);
}
int isatty(int file) {
  struct stat state;
  if (fstat(file, &state) != 0) return 0;
  if (S_ISCHR(state.st_mode)) return 1;
  errno = ENOTTY;
  return 0;
}
int ftruncate(int file, off_t bytes) { return checked(ask(call_ftruncate, file, static_cast<long>(bytes))); }
int fsync(int file) { return checked(ask(call_fsync, file)); }
int fdatasync(int file) { return fsync(file); }

// --- Names ----------------------------------------------------------------------------------------------

int open(const char* path, int flags, ...) { return checked(ask(call_openat, here, address(path), flags)); }
int creat(const char* path, mode_t) { return open(path, O_WRONLY | O_CREAT | O_TRUNC); }
int stat(const char* path, struct stat* state) {
  uint32_t raw[32];
  return take_state(path == nullptr ? -EFAULT
                    : *path == 0    ? -ENOENT
                                    : ask(call_fstatat, here, address(path), address(raw)),
                    raw, state);
}
int lstat(const char* path, struct stat* state) { return stat(path, state); }
int access(const char* path, int mode) { return checked(ask(call_faccessat, here, address(path), mode)); }
int rename(const char* from, const char* to) {
  return checked(ask(call_renameat2, here, address(from), here, address(to)));
}
int unlink(const char* path) { return checked(ask(call_unlinkat, here, address(path))); }
int rmdir(const char* path) {
  constexpr long folder = 0x200;  // AT_REMOVEDIR
  return checked(ask(call_unlinkat, here, address(path), folder));
}
int mkdir(const char* path, mode_t mode) { return checked(ask(call_mkdirat, here, address(path), mode)); }
int link(const char* path, const char* other) {
  return checked(ask(call_linkat, here, address(path), here, address(other)));
}
int symlink(const char* target, const char* path) {
  return checked(ask(call_symlinkat, address(target), here, address(path)));
}
ssize_t readlink(const char* path, char* target, size_t bytes) {
  return checked<ssize_t>(
      ask(call_readlinkat, here, address(path), address(target), static_cast<long>(bytes)));
}
int chmod(const char* path, mode_t mode) { return checked(ask(call_fchmodat, here, address(path), mode)); }
int truncate(const char* path, off_t bytes) {
  return checked(ask(call_truncate, address(path), static_cast<long>(bytes)));
}
int chdir(const char* path) { return checked(ask(call_chdir, address(path))); }
char* getcwd(char* path, size_t bytes) {
  return checked(ask(call_getcwd, address(path), static_cast<long>(bytes))) < 0 ? nullptr : path;
}
int utime(const char* path, const struct utimbuf*) {
  return checked(ask(call_utimensat, here, address(path)));
}
int utimes(const char* path, const struct timeval[2]) {
  return checked(ask(call_utimensat, here, address(path)));
}

}  // extern "C"
#pragma clang attribute pop
