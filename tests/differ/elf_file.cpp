#include "elf_file.h"

#include <string>

namespace dojo::differ {
namespace {

constexpr std::size_t header_bytes = 64, segment_bytes = 56, section_bytes = 64, symbol_bytes = 24,
                      page = 4096;

void put_text(std::vector<std::byte>& bytes, std::string_view text) {
  for (const char letter : text) bytes.push_back(static_cast<std::byte>(letter));
}

struct Section {
  std::uint32_t name, type, link;  // name: where it stands in the string table
  std::uint64_t offset, bytes, entry_bytes;
};

// The symbols and their names behind everything else, with a section table that says so.
void put_symbols(std::vector<std::byte>& elf, std::span<const Symbol> symbols) {
  constexpr std::uint32_t symbol_table = 2, string_table = 3;
  const std::string_view section_names(".symtab\0.strtab", 16);
  std::string strings = '\0' + std::string(section_names);
  const std::size_t table_at = elf.size();
  elf.resize(table_at + symbol_bytes);  // the first one names nothing
  for (const Symbol& symbol : symbols) {
    constexpr std::uint8_t global_object = 0x11;
    constexpr std::uint16_t absolute = 0xfff1;
    const std::size_t at = elf.size();
    put(elf, at, static_cast<std::uint32_t>(strings.size()));
    put(elf, at + 4, global_object);
    put(elf, at + 6, absolute);
    put(elf, at + 8, symbol.address);
    put<std::uint64_t>(elf, at + 16, 8);
    strings += std::string(symbol.name) + '\0';
  }
  const std::size_t strings_at = elf.size();
  put_text(elf, strings);
  elf.resize((elf.size() + 7) / 8 * 8);
  const Section sections[] = {{},
                              {1, symbol_table, 2, table_at, strings_at - table_at, symbol_bytes},
                              {9, string_table, 0, strings_at, strings.size(), 0}};
  const std::size_t sections_at = elf.size();
  for (const Section& section : sections) {
    const std::size_t at = elf.size();
    put(elf, at, section.name);
    put(elf, at + 4, section.type);
    put(elf, at + 24, section.offset);
    put(elf, at + 32, section.bytes);
    put(elf, at + 40, section.link);
    put<std::uint32_t>(elf, at + 44, section.type == symbol_table ? 1 : 0);  // the first that is not local
    put(elf, at + 56, section.entry_bytes);
  }
  put(elf, 40, std::uint64_t{sections_at});
  put<std::uint16_t>(elf, 58, section_bytes);
  put<std::uint16_t>(elf, 60, std::size(sections));
  put<std::uint16_t>(elf, 62, 2);  // names of sections, too, are in the string table
}

}  // namespace

std::vector<std::byte> elf_of(std::span<const Segment> segments, std::span<const Symbol> symbols) {
  std::vector<std::byte> elf(page);
  constexpr unsigned char identity[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::memcpy(elf.data(), identity, sizeof identity);
  put<std::uint16_t>(elf, 16, 2);    // executable
  put<std::uint16_t>(elf, 18, 243);  // RISC-V
  put<std::uint32_t>(elf, 20, 1);
  put<std::uint64_t>(elf, 24, segments[0].address);
  put<std::uint64_t>(elf, 32, header_bytes);
  put<std::uint32_t>(elf, 48, 5);  // compressed instructions, double floats in registers
  put<std::uint16_t>(elf, 52, header_bytes);
  put<std::uint16_t>(elf, 54, segment_bytes);
  put<std::uint16_t>(elf, 56, static_cast<std::uint16_t>(segments.size()));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const std::size_t header = header_bytes + i * segment_bytes;
    put<std::uint32_t>(elf, header, 1);
    put<std::uint32_t>(elf, header + 4, segment.flags);
    put<std::uint64_t>(elf, header + 8, elf.size());
    put<std::uint64_t>(elf, header + 16, segment.address);
    put<std::uint64_t>(elf, header + 24, segment.address);
    put<std::uint64_t>(elf, header + 32, segment.bytes.size());
    put<std::uint64_t>(elf, header + 40, segment.bytes.size());
    put<std::uint64_t>(elf, header + 48, page);
    elf.insert(elf.end(), segment.bytes.begin(), segment.bytes.end());
    elf.resize((elf.size() + page - 1) / page * page);
  }
  if (!symbols.empty()) put_symbols(elf, symbols);
  return elf;
}

}  // namespace dojo::differ
