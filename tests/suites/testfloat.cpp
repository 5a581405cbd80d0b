// Runs on a node: a floating-point operation on the cases of Berkeley TestFloat's generator.
//
//   testfloat OPERATION MODE < cases
//
// A case is a line of hexadecimal words: operands, result, flags. MODE is the number of a rounding mode.
// Every spelling of the operation is executed, once with the mode from frm and once with the mode that the
// instruction itself holds, and has to give the case's result in the whole register, and its flags. Exit code
// 1 if one did not, or if there was no case.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace {

using Word = uint64_t;

struct Answer {
  Word value, flags;
};

struct Spelling {
  const char* operation;
  unsigned operands, result_bits;
  Answer (*by_mode[6])(const Word* operands);  // one per mode, then the one that takes it from frm
};

// One block of assembly, so that the compiler moves nothing into it. %2 to %4 are the operands.
#define RUN(code)                                             \
  [](const Word* x) {                                         \
    Answer answer;                                            \
    asm volatile("csrw fflags, x0\n" code "\ncsrr %1, fflags" \
                 : "=&r"(answer.value), "=r"(answer.flags)    \
                 : "r"(x[0]), "r"(x[1]), "r"(x[2])            \
                 : "ft0", "ft1", "ft2", "ft3");               \
    return answer;                                            \
  }

constexpr Spelling spellings[] = {
#include "testfloat_rows.h"
};
constexpr int from_frm = 5;
constexpr int shown = 3;  // of the wrong cases

// What a register holds after a result of so many bits was moved into it.
Word sign_extended(Word value, unsigned bits) {
  const unsigned rest = 64 - bits;
  return static_cast<Word>(static_cast<int64_t>(value << rest) >> rest);
}

// Standard input. The C library's would take longer than all the rest.
class Cases {
public:
  // The words of the next line; 0: there is none.
  unsigned next(Word* words) {
    unsigned count = 0;
    while (count < 5) {
      Word word = 0;
      int c = byte();
      if (c == end) return count;
      for (; c > ' '; c = byte()) word = word << 4 | static_cast<Word>(c <= '9' ? c - '0' : c - 'A' + 10);
      words[count++] = word;
      if (c != ' ') break;
    }
    return count;
  }

private:
  static constexpr int end = -1;

  int byte() {
    if (at_ == held_) {
      held_ = read(0, bytes_, sizeof bytes_);
      at_ = 0;
      if (held_ <= 0) return held_ = 0, end;
    }
    return bytes_[at_++];
  }

  char bytes_[1 << 16];
  ssize_t at_ = 0, held_ = 0;
};

Cases cases_read;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const unsigned mode = static_cast<unsigned>(atoi(argv[2]));
  if (mode > 4) return 2;
  asm volatile("csrw frm, %0" : : "r"(mode));

  const Spelling* chosen[8];
  unsigned count = 0;
  for (const Spelling& spelling : spellings)
    if (strcmp(spelling.operation, argv[1]) == 0) chosen[count++] = &spelling;
  if (count == 0) return 2;

  const int holders[] = {static_cast<int>(mode), from_frm};
  const unsigned operands = chosen[0]->operands;
  unsigned long cases = 0, wrong = 0;
  Word words[5] = {};
  while (const unsigned read = cases_read.next(words)) {
    if (read != operands + 2) return 2;
    const Word flags = words[operands + 1];
    Word x[3] = {};
    memcpy(x, words, operands * sizeof(Word));
    ++cases;
    for (unsigned i = 0; i < count; ++i) {
      const Word right = sign_extended(words[operands], chosen[i]->result_bits);
      for (const int held : holders) {
        const Answer answer = chosen[i]->by_mode[held](x);
        if (answer.value == right && answer.flags == flags) continue;
        if (++wrong <= shown)
          printf("error: spelling %u of %s, mode %d, of %" PRIx64 " %" PRIx64 " %" PRIx64 " gives %" PRIx64
                 " %02" PRIx64 ", not %" PRIx64 " %02" PRIx64 "\n",
                 i, argv[1], held, x[0], x[1], x[2], answer.value, answer.flags, right, flags);
      }
    }
  }
  printf("%lu cases, %lu wrong\n", cases, wrong);
  return cases == 0 || wrong != 0;
}
