// What the files of the hosted library share: how the emulator is asked (docs/notes/001), and how a thread
// begins and ends.
#pragma once

#include <errno.h>
#include <stdint.h>

extern "C" {

void dojo_open_terminal();  // stdin, stdout, stderr; what is still in their buffers is written when exit() is
                            // called
[[noreturn]] void dojo_end_thread(int code);

}  // extern "C"

// As RISC-V Linux numbers them.
enum Call : long {
  call_getcwd = 17,
  call_mkdirat = 34,
  call_unlinkat = 35,
  call_symlinkat = 36,
  call_linkat = 37,
  call_truncate = 45,
  call_ftruncate = 46,
  call_faccessat = 48,
  call_chdir = 49,
  call_fchmodat = 53,
  call_openat = 56,
  call_close = 57,
  call_lseek = 62,
  call_read = 63,
  call_write = 64,
  call_readlinkat = 78,
  call_fstatat = 79,
  call_fstat = 80,
  call_fsync = 82,
  call_utimensat = 88,
  call_exit = 93,
  call_exit_group = 94,
  call_nanosleep = 101,
  call_clock_gettime = 113,
  call_clock_getres = 114,
  call_clock_nanosleep = 115,
  call_kill = 129,
  call_times = 153,
  call_gettimeofday = 169,
  call_brk = 214,
  call_renameat2 = 276,
  call_getrandom = 278,
};

inline long ask(Call call, long a = 0, long b = 0, long c = 0, long d = 0) {
  register long number asm("a7") = call;
  register long a0 asm("a0") = a;
  register long a1 asm("a1") = b;
  register long a2 asm("a2") = c;
  register long a3 asm("a3") = d;
  asm volatile("ecall" : "+r"(a0) : "r"(number), "r"(a1), "r"(a2), "r"(a3) : "memory");
  return a0;
}

// The C library's form of an answer: -1 and errno for a negative one.
template <typename Answer = int>
Answer checked(long answer) {
  if (answer >= 0) return static_cast<Answer>(answer);
  errno = static_cast<int>(-answer);
  return static_cast<Answer>(-1);
}

inline long address(const volatile void* object) {
  return static_cast<long>(reinterpret_cast<uintptr_t>(object));
}
