#include "words.h"

#include <iterator>

namespace dojo::differ {

unsigned Words::writable() {
  if (below(24) == 0) return 0;
  constexpr unsigned choices[] = {1,  4,  5,  6,  7,  9,  10, 11, 12, 13, 14, 15,
                                  16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
  return choices[below(std::size(choices))];
}

std::uint32_t Words::of(const isa::Row& row) {
  std::uint32_t word = row.match | (random_.bits() & ~row.mask);
  if (row.rd == isa::Operand::x_write) word = with_field(word, 7, 5, writable());
  if (row.syntax.ends_with("rm") || row.syntax.ends_with("rm_exact")) {
    constexpr std::uint32_t modes[] = {0, 1, 2, 3, 4, 7, 7, 7};
    word = with_field(word, 12, 3, modes[below(8)]);
  }
  return word;
}

}  // namespace dojo::differ
