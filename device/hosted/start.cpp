// How a thread of a program with a C library begins and ends: its thread-local data, static constructors,
// main.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

int main(int count, char** arguments, char** environment);

extern "C" {

extern const char __tdata_start[], __tdata_end[];
using Constructor = void (*)();
extern const Constructor __init_array_start[], __init_array_end[];
extern char** environ;

int dojo_thread_main(unsigned thread);

// What a virtual function without a body does if it is called all the same.
[[noreturn]] void __cxa_pure_virtual() { abort(); }

// `stack`: sp as the thread found it. What lies there is zero but for argc and what follows it on thread 0.
[[noreturn]] void dojo_start_thread(unsigned thread, uint64_t* stack) {
  char* local;
  asm("mv %0, tp" : "=r"(local));
  memcpy(local, __tdata_start, static_cast<size_t>(__tdata_end - __tdata_start));
  if (thread != 0) dojo_end_thread(dojo_thread_main(thread));

  const auto count = static_cast<int>(*stack);
  auto** arguments = reinterpret_cast<char**>(stack + 1);
  environ = arguments + count + 1;
  dojo_open_terminal();
  for (const Constructor* constructor = __init_array_start; constructor != __init_array_end; ++constructor)
    (*constructor)();
  exit(main(count, arguments, environ));
}

}  // extern "C"

// Nothing throws here: no memory is the end of the program.
void* operator new(size_t bytes) {
  void* memory = malloc(bytes != 0 ? bytes : 1);
  if (memory == nullptr) abort();
  return memory;
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }
