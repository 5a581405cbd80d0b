// Four threads of a node run a kernel REPEATS times each; the exit code, thread 0's, is the same wherever it
// runs.
#include "dojo.h"

unsigned kernel(unsigned thread);

namespace {
int repeat(unsigned thread) {
  unsigned result = 0;
  for (unsigned i = 0; i < REPEATS; ++i) result = result * 5 + kernel(thread);
  return static_cast<int>((result ^ result >> 8 ^ result >> 16) & 0x7f);
}
}  // namespace

int main() { return repeat(0); }
extern "C" int dojo_thread_main(unsigned thread) { return repeat(thread); }
