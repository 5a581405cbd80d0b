// Writes the ELF files of random programs: a few segments and, where somebody looks for them, symbols.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace dojo::differ {

struct Segment {
  std::uint64_t address;
  std::uint32_t flags;  // 1 executable, 2 writable, 4 readable
  std::vector<std::byte> bytes;
};

struct Symbol {
  std::string_view name;
  std::uint64_t address;
};

template <typename T>
void put(std::vector<std::byte>& bytes, std::size_t at, T value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// An ELF64 file for RISC-V that begins at the first segment's address. Segments lie on pages of the file, the
// first on the second one.
std::vector<std::byte> elf_of(std::span<const Segment> segments, std::span<const Symbol> symbols);

}  // namespace dojo::differ
