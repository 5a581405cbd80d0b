// A static RV64 ELF file, ready to be placed in any node's SRAM, and what its addresses are called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "toolchain/elf.h"

namespace dojo::system {

class Program {
public:
  // Throws UserError as toolchain::read_elf() does.
  static Program parse(std::span<const std::byte> elf, std::string_view where);
  static Program read(const std::filesystem::path& path);

  const std::string& where() const { return where_; }  // for messages
  std::uint64_t entry() const { return elf_.entry; }
  // By ascending address; never empty, never overlapping.
  const std::vector<toolchain::ElfSegment>& segments() const { return elf_.segments; }
  // Addresses [begin, end) that programs may not store to: the longest run of code without writable data
  // between.
  std::pair<std::uint64_t, std::uint64_t> text() const;
  // Where the loaded image shows its own program headers, and how many there are; 0 if it does not.
  std::pair<std::uint64_t, std::uint64_t> headers() const { return elf_.headers; }
  // Value of a symbol, or `otherwise` if it does not exist.
  std::uint64_t symbol(std::string_view name, std::uint64_t otherwise) const;
  bool has_symbol(std::string_view name) const;
  // "function+0x12" for an address, empty if unknown or in no segment with a function before it.
  std::string locate(std::uint64_t address) const;
  // The same for people, with C++'s names as they are written; of data, too.
  std::string describe(std::uint64_t address) const;
  const std::string& sha256() const { return sha256_; }  // of the whole file
  // The vector length that its attributes say it counts on (zvl512b: 512), in bits; 0 if they say none.
  std::uint64_t promised_vlen_bits() const { return elf_.promised_vlen_bits; }

private:
  // What an address belongs to, if it is known.
  const toolchain::ElfSymbol* find_code(std::uint64_t address) const;
  const toolchain::ElfSymbol* find_data(std::uint64_t address) const;

  toolchain::Elf elf_;
  std::string where_, sha256_;
};

}  // namespace dojo::system
