// Encodings with operands at random that keep to the duties of registers (program.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "isa/instruction.h"
#include "program.h"

namespace dojo::differ {

constexpr unsigned x_memory = 2, x_memory_short = 8, x_tables = 3, first_counter = 28;
// Written right before they are used.
constexpr unsigned address_register = 9, amount_register = 10, table_register = 11;
constexpr unsigned half_memory = memory_bytes / 2;

constexpr std::uint32_t with_field(std::uint32_t word, unsigned low, unsigned bits, std::uint64_t value) {
  const std::uint32_t mask = ((1u << bits) - 1) << low;
  return (word & ~mask) | (static_cast<std::uint32_t>(value << low) & mask);
}
constexpr std::uint32_t addi(unsigned rd, unsigned rs1, std::uint64_t immediate) {
  return with_field(0x13 | rd << 7 | rs1 << 15, 20, 12, immediate);
}

constexpr bool is_writable(unsigned x) {
  return x != x_memory && x != x_memory_short && x != x_tables && x < first_counter;
}

inline void add(std::vector<Item>& made, std::vector<std::uint32_t> words) {
  made.push_back({.words = std::move(words)});
}

class Words {
public:
  explicit Words(Random& random) : random_(random) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  template <typename T>
  const T& any(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

  // A register that programs may write; now and then x0.
  unsigned writable();
  // The row with random operands. Addresses are still to be aimed.
  std::uint32_t of(const isa::Row& row);

  unsigned memory_base() { return below(2) == 0 ? x_memory : x_memory_short; }
  // From the middle of the memory, so that `bytes` from there on are in it and the offset fits 12 bits.
  std::uint64_t memory_offset(std::uint64_t bytes) { return below(memory_bytes - bytes + 1) - half_memory; }

private:
  Random& random_;
};

}  // namespace dojo::differ
