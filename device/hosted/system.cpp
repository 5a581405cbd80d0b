// What the C library asks of the machine, as system calls (docs/notes/001), and its three streams.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

extern "C" {  // the header does not say it itself
#include <stdio-bufio.h>
}

#include "system.h"

namespace {

enum Call : long {
  call_close = 57,
  call_lseek = 62,
  call_read = 63,
  call_write = 64,
  call_fstat = 80,
  call_exit = 93,
  call_exit_group = 94,
  call_kill = 129,
  call_times = 153,
  call_gettimeofday = 169,
  call_brk = 214,
  call_open = 1024,
};

long ask(Call call, long a = 0, long b = 0, long c = 0) {
  register long number asm("a7") = call;
  register long a0 asm("a0") = a;
  register long a1 asm("a1") = b;
  register long a2 asm("a2") = c;
  asm volatile("ecall" : "+r"(a0) : "r"(number), "r"(a1), "r"(a2) : "memory");
  return a0;
}

// The C library's form of an answer: -1 and errno for a negative one.
long checked(long answer) {
  if (answer >= 0) return answer;
  errno = static_cast<int>(-answer);
  return -1;
}

long address(const volatile void* object) { return static_cast<long>(reinterpret_cast<uintptr_t>(object)); }

}  // namespace

extern "C" {

ssize_t read(int file, void* bytes, size_t count) {
  return checked(ask(call_read, file, address(bytes), static_cast<long>(count)));
}
ssize_t write(int file, const void* bytes, size_t count) {
  return checked(ask(call_write, file, address(bytes), static_cast<long>(count)));
}
int open(const char* path, int flags, ...) {
  return static_cast<int>(checked(ask(call_open, address(path), flags)));
}
int close(int file) { return static_cast<int>(checked(ask(call_close, file))); }
off_t lseek(int file, off_t offset, int whence) {
  return static_cast<off_t>(checked(ask(call_lseek, file, static_cast<long>(offset), whence)));
}
// Only what one asks of a stream: is it a terminal?
int fstat(int file, struct stat* state) {
  uint32_t raw[32];
  const long answer = checked(ask(call_fstat, file, address(raw)));
  *state = {};
  if (answer == 0) state->st_mode = raw[4];
  return static_cast<int>(answer);
}
int isatty(int file) {
  struct stat state;
  return fstat(file, &state) == 0 && S_ISCHR(state.st_mode);
}

void* sbrk(ptrdiff_t increment) {
  const long before = ask(call_brk);
  if (ask(call_brk, before + increment) == before + increment) return reinterpret_cast<void*>(before);
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}

int gettimeofday(struct timeval* time, void*) {
  long raw[2];
  ask(call_gettimeofday, address(raw));
  time->tv_sec = raw[0];
  time->tv_usec = raw[1];
  return 0;
}
clock_t times(struct tms* parts) {
  long raw[4];
  const long ticks = ask(call_times, address(raw));
  *parts = {};
  parts->tms_utime = static_cast<clock_t>(raw[0]);
  return static_cast<clock_t>(ticks);
}

pid_t getpid() { return 1; }
int kill(pid_t process, int signal) { return static_cast<int>(checked(ask(call_kill, process, signal))); }

// Ends all threads of the node.
void _exit(int code) {
  for (;;) ask(call_exit_group, code);
}
[[noreturn]] void dojo_end_thread(int code) {
  for (;;) ask(call_exit, code);
}

}  // extern "C"

namespace {

char in_buffer[BUFSIZ], out_buffer[BUFSIZ], error_buffer[128];
__file_bufio in = FDEV_SETUP_BUFIO(0, in_buffer, sizeof in_buffer, read, write, lseek, close, __SRD, 0);
__file_bufio out =
    FDEV_SETUP_BUFIO(1, out_buffer, sizeof out_buffer, read, write, lseek, close, __SWR, __BLBF);
__file_bufio error =
    FDEV_SETUP_BUFIO(2, error_buffer, sizeof error_buffer, read, write, lseek, close, __SWR, __BLBF);

void flush() {
  fflush(stdout);
  fflush(stderr);
}

}  // namespace

FILE* const stdin = &in.xfile.cfile.file;
FILE* const stdout = &out.xfile.cfile.file;
FILE* const stderr = &error.xfile.cfile.file;

extern "C" void dojo_open_terminal() { atexit(flush); }
