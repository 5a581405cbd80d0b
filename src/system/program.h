// A static RV64 ELF file: checked, and ready to be placed in any node's SRAM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::system {

struct ProgramSegment {
  std::uint64_t address = 0, memory_bytes = 0;
  bool writable = false, executable = false;
  std::vector<std::byte> bytes;  // the file's part; the rest is zero
};

class Program {
 public:
  // Throws UserError naming `where` and the offending field for anything that is not a static little-endian RV64 executable.
  static Program parse(std::span<const std::byte> elf, std::string_view where);
  static Program read(const std::filesystem::path& path);

  std::uint64_t entry() const { return entry_; }
  const std::vector<ProgramSegment>& segments() const { return segments_; }
  // Value of a symbol, or `otherwise` if it does not exist.
  std::uint64_t symbol(std::string_view name, std::uint64_t otherwise) const;
  // "function+0x12" for an address, empty if unknown.
  std::string locate(std::uint64_t address) const;
  const std::string& sha256() const { return sha256_; }

 private:
  struct Symbol {
    std::uint64_t address, size;
    std::string name;
  };
  std::uint64_t entry_ = 0;
  std::vector<ProgramSegment> segments_;
  std::vector<Symbol> symbols_;  // sorted by address
  std::string sha256_;
};

}  // namespace dojo::system
