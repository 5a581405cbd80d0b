#include "toolchain/disassembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/printable.h"
#include "isa/block.h"

namespace dojo::toolchain {
namespace {

// The bits at `offset`, low half-word first; a half-word that the segment lacks reads as zero.
std::uint32_t bits_at(const ElfSegment& segment, std::uint64_t offset) {
  std::uint32_t bits = 0;
  const std::uint64_t left = segment.bytes.size() - offset;
  std::memcpy(&bits, segment.bytes.data() + offset, std::min<std::uint64_t>(left, 4));
  return (bits & 3) == 3 ? bits : bits & 0xffff;
}

void add_segment(const Elf& elf, const ElfSegment& segment, std::string& text) {
  auto symbol = std::ranges::lower_bound(elf.symbols, segment.address, {}, &ElfSymbol::address);
  for (std::uint64_t offset = 0; offset + 2 <= segment.bytes.size();) {
    const std::uint64_t pc = segment.address + offset;
    for (; symbol != elf.symbols.end() && symbol->address <= pc; ++symbol) {
      if (symbol->code)
        fmt::format_to(std::back_inserter(text), "\n{:016x} <{}>:\n", symbol->address,
                       printable(symbol->name));
    }
    const std::uint32_t bits = bits_at(segment, offset);
    const bool compressed = (bits & 3) != 3;
    fmt::format_to(std::back_inserter(text), "{:>8x}:  {:<10}  {}\n", pc,
                   compressed ? fmt::format("{:04x}", bits) : fmt::format("{:08x}", bits),
                   isa::disassemble(isa::decode(bits, pc), pc));
    offset += compressed ? 2 : 4;
  }
}

}  // namespace

std::string disassembly(const Elf& elf) {
  std::string text;
  for (const ElfSegment& segment : elf.segments)
    if (segment.executable) add_segment(elf, segment, text);
  return text;
}

}  // namespace dojo::toolchain
