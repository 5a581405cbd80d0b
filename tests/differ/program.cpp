#include "program.h"

#include <fmt/format.h>

#include "isa/block.h"

namespace dojo::differ {
namespace {

constexpr std::uint32_t bits(std::uint32_t value, unsigned high, unsigned low, unsigned to) {
  return ((value >> low) & ((1u << (high - low + 1)) - 1)) << to;
}

// `word`, whose offset field is zero, jumping `offset` bytes.
std::uint32_t with_offset(std::uint32_t word, std::uint32_t offset) {
  if ((word & 0x7f) == 0x6f)
    return word | bits(offset, 20, 20, 31) | bits(offset, 10, 1, 21) | bits(offset, 11, 11, 20) |
           bits(offset, 19, 12, 12);
  if ((word & 0x7f) == 0x63)
    return word | bits(offset, 12, 12, 31) | bits(offset, 10, 5, 25) | bits(offset, 4, 1, 8) |
           bits(offset, 11, 11, 7);
  if ((word & 0xe003) == 0xa001)
    return word | bits(offset, 11, 11, 12) | bits(offset, 4, 4, 11) | bits(offset, 9, 8, 9) |
           bits(offset, 10, 10, 8) | bits(offset, 6, 6, 7) | bits(offset, 7, 7, 6) | bits(offset, 3, 1, 3) |
           bits(offset, 5, 5, 2);
  return word | bits(offset, 8, 8, 12) | bits(offset, 4, 3, 10) | bits(offset, 7, 6, 5) |
         bits(offset, 2, 1, 3) | bits(offset, 5, 5, 2);
}

constexpr std::uint32_t add_immediate(unsigned rd, unsigned rs1, std::uint32_t immediate) {
  return 0x13 | rd << 7 | rs1 << 15 | immediate << 20;
}
constexpr std::uint32_t branch_if_not_zero(unsigned rs1) { return 0x1063 | rs1 << 15; }

std::uint32_t length(const std::vector<std::uint32_t>& words) {
  std::uint32_t sum = 0;
  for (const std::uint32_t word : words) sum += bytes_of(word);
  return sum;
}

void append(std::vector<std::uint32_t>& words, const std::vector<std::uint32_t>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

void encode_item(const Item& item, std::vector<std::uint32_t>& words) {
  const auto body = encode(item.body);
  switch (item.kind) {
    case Item::Kind::straight:
      return append(words, item.words);
    case Item::Kind::branch:
      words.push_back(with_offset(item.words[0], bytes_of(item.words[0]) + length(body)));
      return append(words, body);
    case Item::Kind::jump:
      words.push_back(item.words[0]);
      words.push_back(item.words[1] | (8 + length(body)) << 20);
      return append(words, body);
    case Item::Kind::loop:
      words.push_back(add_immediate(item.counter, 0, item.times));
      append(words, body);
      words.push_back(add_immediate(item.counter, item.counter, 0xfff));
      words.push_back(with_offset(branch_if_not_zero(item.counter), 0u - 4 - length(body)));
      return;
  }
}

}  // namespace

unsigned bytes_of(std::uint32_t word) { return (word & 3) == 3 ? 4 : 2; }

std::vector<std::uint32_t> encode(const std::vector<Item>& items) {
  std::vector<std::uint32_t> words;
  for (const Item& item : items) encode_item(item, words);
  return words;
}

std::size_t instructions_of(const Program& program) { return encode(program.items).size(); }

std::string assembly(const Program& program) {
  std::string text;
  for (const std::uint32_t word : encode(program.items)) {
    const auto decoded = isa::decode(word, 0);
    text += fmt::format("  {:<10} {}\n", fmt::format("{:0{}x}", word, 2 * decoded.length),
                        isa::disassemble(decoded, 0));
  }
  return text;
}

}  // namespace dojo::differ
