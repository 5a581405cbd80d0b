// Static RV64 ELF files: what the linker made, and whatever else somebody wants to run, read and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dojo::toolchain {

struct ElfSegment {
  std::uint64_t address = 0, memory_bytes = 0;
  bool writable = false, executable = false;
  std::vector<std::byte> bytes;  // the file's part; the rest is zero

  std::uint64_t end() const { return address + memory_bytes; }
};

struct ElfSymbol {
  std::uint64_t address, size;
  std::string name;
  bool code, function;  // lies in executable bytes; was declared a function
};

struct Elf {
  std::uint64_t entry = 0;
  std::vector<ElfSegment> segments;  // by ascending address; never empty, never overlapping
  std::vector<ElfSymbol> symbols;    // by address, functions last among equals
  // Where the loaded image shows its own program headers, and how many there are; 0 if it does not.
  std::pair<std::uint64_t, std::uint64_t> headers{0, 0};
  // The vector length that its attributes say it counts on (zvl512b: 512), in bits; 0 if they say none.
  std::uint64_t promised_vlen_bits = 0;

  std::uint64_t end() const { return segments.back().end(); }  // the first address behind the image
};

// Throws UserError naming `where` and the offending field for anything that is not a static little-endian
// RV64 executable.
Elf read_elf(std::span<const std::byte> elf, std::string_view where);

}  // namespace dojo::toolchain
