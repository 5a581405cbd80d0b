// Runs a kernel REPEATS times; the exit code is the same wherever it runs.
unsigned kernel();

int main() {
  unsigned result = 0;
  for (unsigned i = 0; i < REPEATS; ++i) result = result * 5 + kernel();
  return static_cast<int>((result ^ result >> 8 ^ result >> 16) & 0x7f);
}
