// Test help: harts, memories and instructions at random, awkward but mostly legal.
#pragma once

#include <bit>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "isa/block.h"
#include "isa/float_host.h"
#include "isa/hart.h"
#include "isa/legal_words_for_tests.h"

namespace dojo::translate::random_code {

using isa::Hart;

constexpr std::uint64_t base = 0x1000, text_end = 0x1400, memory_bytes = 8192;

struct World {
  Hart hart;
  std::vector<std::byte> memory = std::vector<std::byte>(memory_bytes);

  void attach() {
    hart.memory = {.bytes = memory.data(),
                   .base = base,
                   .size = memory_bytes,
                   .unmapped_below = 0x1010,
                   .text_begin = base,
                   .text_end = text_end};
    hart.reach = isa::Reach(hart.memory);
  }
};

using Generator = std::mt19937_64;

inline std::uint64_t awkward(Generator& random) {
  constexpr std::uint64_t corners[] = {
      0,          1,          ~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1,
      0x80000000, 0x7fffffff, 0xffffffff};
  return random() % 3 == 0 ? corners[random() % std::size(corners)] : random();
}

// Mostly ordinary numbers, so that not every vector holds a NaN.
inline std::uint32_t single(Generator& random) {
  constexpr std::uint32_t corners[] = {0x7fc00000, 0x7f800001, 0xffc00001, 0x7f800000, 0xff800000,
                                       0,          0x80000000, 1,          0x7f7fffff, 0x00800000};
  if (random() % 64 == 0) return corners[random() % std::size(corners)];
  const auto exponent = static_cast<std::uint32_t>(100 + random() % 56);
  return (static_cast<std::uint32_t>(random()) & 0x807fffff) | exponent << 23;
}

inline void fill(World& world, Generator& random, bool ordinary_floats) {
  Hart& h = world.hart;
  const auto word = [&] { return ordinary_floats ? single(random) : static_cast<std::uint32_t>(random()); };
  for (unsigned r = 1; r < 32; ++r) {
    h.x[r] = awkward(random);
    // Half of the registers point somewhere near or into the memory.
    if (random() % 2 == 0) h.x[r] = base - 64 + random() % (memory_bytes + 128);
  }
  for (auto& f : h.f) {
    f = random() % 16 == 0 ? random() : 0xffffffff00000000 | single(random);
    if (random() % 4 == 0) {
      const double number = std::bit_cast<float>(single(random)) * 1.25;
      f = std::bit_cast<std::uint64_t>(number);
    }
  }
  for (std::size_t i = 0; i < h.v.size(); i += 4) {
    const std::uint32_t bits = word();
    std::memcpy(h.v.data() + i, &bits, 4);
  }
  for (std::size_t i = 0; i < memory_bytes; i += 4) {
    const std::uint32_t bits = word();
    std::memcpy(world.memory.data() + i, &bits, 4);
  }
  h.frm = static_cast<std::uint8_t>(random() % isa::rmm);  // what Translator::run asks for
}

// An encoding of the row with random operand fields, mostly unmasked. Vector registers lie where they may
// with elements of this type, if they may lie anywhere.
inline std::uint32_t legal_encoding(const isa::Row& row, Generator& random, isa::ElementType type) {
  auto bits = static_cast<std::uint32_t>(random());
  if (random() % 4 != 0) bits |= 1u << 25;
  if (row.properties & isa::rounds) bits |= 7u << 12;  // dynamic, where it is a field
  const std::uint32_t word = row.match | (bits & ~row.mask);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  return isa::legal_words::with_legal_registers(row, word, type, below).value_or(word);
}

// The same, now and then with any registers at all.
inline std::uint32_t encoding(const isa::Row& row, Generator& random, isa::ElementType type) {
  const std::uint32_t word = legal_encoding(row, random, type);
  if (random() % 8 != 0) return word;
  constexpr std::uint32_t registers = 31u << 7 | 31u << 15 | 31u << 20;
  const std::uint32_t open = registers & ~row.mask;
  return (word & ~open) | (static_cast<std::uint32_t>(random()) & open);
}

inline const isa::Row* row_named(std::string_view mnemonic) {
  for (const isa::Row* row : isa::all_rows())
    if (row->mnemonic == mnemonic) return row;
  return nullptr;
}

}  // namespace dojo::translate::random_code
