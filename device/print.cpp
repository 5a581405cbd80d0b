// A few words for people, through the write system call (docs/notes/001).
#include "dojo.h"

namespace dojo {
namespace {

void write(const char* text, size_t bytes) {
  register uint64_t descriptor asm("a0") = 1;
  register const char* buffer asm("a1") = text;
  register size_t count asm("a2") = bytes;
  register uint64_t call asm("a7") = 64;
  asm volatile("ecall" : "+r"(descriptor) : "r"(buffer), "r"(count), "r"(call) : "memory");
}

}  // namespace

void print(const char* text) {
  size_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  write(text, bytes);
}

void print(uint64_t number) {
  char digits[20];
  size_t begin = sizeof digits;
  do {
    digits[--begin] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  write(digits + begin, sizeof digits - begin);
}

}  // namespace dojo
