// What else the C library asks of the machine: memory, one process of one user, chance; and its three
// streams.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

extern "C" {  // the header does not say it itself
#include <stdio-bufio.h>
}

#include "system.h"

// A program may have a function of its own under any of these names.
#pragma clang attribute push(__attribute__((weak)), apply_to = function)
extern "C" {

void* sbrk(ptrdiff_t increment) {
  const long before = ask(call_brk);
  if (ask(call_brk, before + increment) == before + increment) return reinterpret_cast<void*>(before);
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}

pid_t getpid() { return 1; }
pid_t getppid() { return 0; }
uid_t getuid() { return 0; }
uid_t geteuid() { return 0; }
gid_t getgid() { return 0; }
gid_t getegid() { return 0; }
int kill(pid_t process, int signal) { return checked(ask(call_kill, process, signal)); }
int sigprocmask(int, const sigset_t*, sigset_t* before) {
  if (before != nullptr) *before = 0;  // no signal comes from outside
  return 0;
}

int getentropy(void* bytes, size_t count) {
  constexpr size_t most = 256;
  if (count > most) return checked(-EIO);
  return checked(ask(call_getrandom, address(bytes), static_cast<long>(count))) < 0 ? -1 : 0;
}

// Ends all threads of the node.
void _exit(int code) {
  for (;;) ask(call_exit_group, code);
}
[[noreturn]] void dojo_end_thread(int code) {
  for (;;) ask(call_exit, code);
}

}  // extern "C"
#pragma clang attribute pop

namespace {

// Not those of unistd.h, which may be the program's own.
ssize_t read_terminal(int file, void* bytes, size_t count) {
  return checked<ssize_t>(ask(call_read, file, address(bytes), static_cast<long>(count)));
}
ssize_t write_terminal(int file, const void* bytes, size_t count) {
  return checked<ssize_t>(ask(call_write, file, address(bytes), static_cast<long>(count)));
}
off_t seek_terminal(int file, off_t offset, int whence) {
  return checked<off_t>(ask(call_lseek, file, static_cast<long>(offset), whence));
}
int close_terminal(int file) { return checked(ask(call_close, file)); }

char in_buffer[BUFSIZ], out_buffer[BUFSIZ], error_buffer[128];
__file_bufio in = FDEV_SETUP_BUFIO(0, in_buffer, sizeof in_buffer, read_terminal, write_terminal,
                                   seek_terminal, close_terminal, __SRD, 0);
__file_bufio out = FDEV_SETUP_BUFIO(1, out_buffer, sizeof out_buffer, read_terminal, write_terminal,
                                    seek_terminal, close_terminal, __SWR, __BLBF);
__file_bufio error = FDEV_SETUP_BUFIO(2, error_buffer, sizeof error_buffer, read_terminal, write_terminal,
                                      seek_terminal, close_terminal, __SWR, __BLBF);

void flush() {
  fflush(stdout);
  fflush(stderr);
}

}  // namespace

FILE* const stdin = &in.xfile.cfile.file;
FILE* const stdout = &out.xfile.cfile.file;
FILE* const stderr = &error.xfile.cfile.file;

extern "C" void dojo_open_terminal() { atexit(flush); }
