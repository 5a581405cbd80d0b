// A mutation for inputs that hold code: bytes alone seldom become vector code, so half of the mutations put
// in a row of the instruction tables with random operands. The other half are libFuzzer's own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa/block.h"
#include "isa/csr.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace dojo::fuzz {

class Numbers {
public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint64_t below(std::uint64_t bound) { return (next() >> 20) % bound; }
  std::uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ ^ state_ >> 29;
  }

private:
  std::uint64_t state_;
};

inline std::uint32_t any_instruction(Numbers& numbers) {
  const auto rows = isa::all_rows();
  const isa::Row& row = *rows[numbers.below(rows.size())];
  auto operands = static_cast<std::uint32_t>(numbers.next() >> 24);
  if (row.extension == "Zicsr") {  // most numbers name no register
    const isa::Csr& csr = isa::csrs()[numbers.below(isa::csrs().size())];
    operands = (operands & 0xfffff) | std::uint32_t{csr.number} << 20;
  }
  return row.match | (operands & ~row.mask);
}

// What LLVMFuzzerCustomMutator returns: `data` holds up to `most` bytes, of which the first `header_bytes`
// are no code.
inline std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed,
                          std::size_t header_bytes) {
  Numbers numbers(seed);
  if (size > 0 && numbers.below(16) == 0) {  // few bytes on which much depends
    data[numbers.below(std::min(size, header_bytes))] = static_cast<std::uint8_t>(numbers.next() >> 20);
    return size;
  }
  if (size < header_bytes || size + 4 > most || numbers.below(2) == 0)
    return LLVMFuzzerMutate(data, size, most);
  const std::uint32_t word = any_instruction(numbers);
  const std::size_t length = (word & 3) == 3 ? 4 : 2;
  // Often near the front: much code traps before it comes to its end.
  const std::size_t places = (size - header_bytes) / 2 + 1, near = std::min<std::size_t>(places, 8);
  const std::size_t at = header_bytes + 2 * numbers.below(numbers.below(2) == 0 ? near : places);
  const bool replaces = numbers.below(2) == 0;
  if (!replaces) std::memmove(data + at + length, data + at, size - at);
  std::memcpy(data + at, &word, length);
  return replaces ? std::max(size, at + length) : size + length;
}

}  // namespace dojo::fuzz
