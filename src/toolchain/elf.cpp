// Reading ELF64, RISC-V, little-endian, static. Layouts: the System V ABI's ELF chapters ("Tool Interface
// Standard ELF 1.2") and the RISC-V ELF psABI (machine number, e_flags). Nothing in the file is trusted:
// every offset is checked before use.
#include "toolchain/elf.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/error.h"
#include "toolchain/attributes.h"

namespace dojo::toolchain {

namespace {

constexpr std::uint64_t header_bytes = 64, segment_bytes = 56, section_bytes = 64, symbol_bytes = 24;
constexpr std::uint64_t machine_riscv = 243, flag_rve = 0x8;
constexpr std::uint64_t most_segments = 64, most_symbols = 1'000'000, most_bytes = std::uint64_t{1} << 32;
enum SegmentType : std::uint32_t { load = 1, dynamic = 2, interpreter = 3 };
enum SegmentFlag : std::uint32_t { executable_flag = 1, writable_flag = 2 };
enum SymbolType : unsigned { no_type = 0, object_type = 1, function_type = 2 };
constexpr unsigned symbol_table_section = 2, attributes_section = 0x70000003, undefined_section = 0;

class ElfReader {
public:
  ElfReader(std::span<const std::byte> elf, std::string_view where) : elf_(elf), where_(where) {}

  Elf read() {
    check_header();
    read_.entry = word(24);
    read_segments();
    check_segments();
    read_sections();
    return std::move(read_);
  }

private:
  void check_header() const {
    static constexpr unsigned char magic[4] = {0x7f, 'E', 'L', 'F'};
    if (elf_.size() < 4 || std::memcmp(elf_.data(), magic, 4) != 0) refuse(where_, "is not an ELF file");
    if (elf_.size() < header_bytes)
      refuse(where_, "is truncated inside the ELF header ({} bytes)", elf_.size());
    if (byte(4) != 2) refuse(where_, "is not a 64-bit ELF file (class {})", byte(4));
    if (byte(5) != 1) refuse(where_, "is not little-endian (data encoding {})", byte(5));
    if (byte(6) != 1 || word32(20) != 1) refuse(where_, "has an unknown ELF version");
    if (half(18) != machine_riscv) refuse(where_, "is not a RISC-V program (e_machine {})", half(18));
    if (half(16) == 3) refuse(where_, "is position-independent or shared: link it with -static -no-pie");
    if (half(16) == 1) refuse(where_, "is an object file: it still has to be linked");
    if (half(16) != 2) refuse(where_, "is not an executable (e_type {})", half(16));
    if (word32(48) & flag_rve) refuse(where_, "is built for RVE (16 registers); nodes have RV64G's 32");
  }

  void read_segments() {
    const std::uint64_t table = word(32), count = half(56);
    if (count == 0) refuse(where_, "has no program headers");
    if (count > most_segments) refuse(where_, "has {} program headers, more than {}", count, most_segments);
    if (half(54) != segment_bytes) refuse(where_, "has program headers of {} bytes, not 56", half(54));
    need(table, count * segment_bytes, "program headers");
    for (std::uint64_t i = 0; i < count; ++i) read_segment(table + i * segment_bytes);
    std::ranges::sort(read_.segments, {}, &ElfSegment::address);
  }

  void read_segment(std::uint64_t at) {
    const std::uint32_t type = word32(at), flags = word32(at + 4);
    if (type == dynamic || type == interpreter)
      refuse(where_, "needs a dynamic linker: link it with -static -no-pie");
    if (type != load) return;
    const std::uint64_t offset = word(at + 8), address = word(at + 16);
    const std::uint64_t file_bytes = word(at + 32), memory_bytes = word(at + 40);
    if (memory_bytes == 0 && file_bytes == 0) return;
    if (file_bytes > memory_bytes)
      refuse(where_, "has a segment at {:#x} with more bytes than its memory", address);
    if (memory_bytes > most_bytes || address + memory_bytes < address)
      refuse(where_, "has a segment at {:#x} of {} bytes, which no node can hold", address, memory_bytes);
    if (file_bytes != 0) need(offset, file_bytes, "a segment's bytes");
    const std::uint64_t table = word(32), table_bytes = half(56) * segment_bytes;
    if (offset <= table && table + table_bytes <= offset + file_bytes)
      read_.headers = {address + (table - offset), half(56)};
    ElfSegment& segment = read_.segments.emplace_back();
    segment.address = address;
    segment.memory_bytes = memory_bytes;
    const std::uint32_t allowed = flags != 0 ? flags : flags_of_sections(address, memory_bytes);
    segment.writable = (allowed & writable_flag) != 0;
    segment.executable = (allowed & executable_flag) != 0;
    if (file_bytes == 0) return;
    const auto bytes = elf_.subspan(offset, file_bytes);
    segment.bytes.assign(bytes.begin(), bytes.end());
  }

  // What a segment without flags, as link scripts with PHDRS may leave it, is good for: what its sections
  // say. Without sections anything.
  std::uint32_t flags_of_sections(std::uint64_t address, std::uint64_t bytes) const {
    const std::uint64_t table = word(40), count = half(60);
    if (table == 0 || count == 0 || half(58) != section_bytes) return executable_flag | writable_flag;
    need(table, count * section_bytes, "section headers");
    constexpr std::uint64_t write = 1, allocated = 2, instructions = 4;
    std::uint32_t flags = 0;
    bool any = false;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t section = table + i * section_bytes, is = word(section + 8);
      if ((is & allocated) == 0) continue;
      any = true;
      if (word(section + 16) - address >= bytes) continue;
      flags |= (is & write ? writable_flag : 0u) | (is & instructions ? executable_flag : 0u);
    }
    return any ? flags : executable_flag | writable_flag;
  }

  void check_segments() const {
    const auto& segments = read_.segments;
    if (segments.empty()) refuse(where_, "has nothing to load");
    for (std::size_t i = 1; i < segments.size(); ++i)
      if (segments[i].address < segments[i - 1].end())
        refuse(where_, "has segments that overlap at {:#x}", segments[i].address);
    if (!in_code(read_.entry)) refuse(where_, "starts at {:#x}, which is not executable", read_.entry);
    if (read_.entry % 2 != 0) refuse(where_, "starts at the odd address {:#x}", read_.entry);
  }

  void read_sections() {
    const std::uint64_t table = word(40), count = half(60);
    if (table == 0 || count == 0) return;
    if (half(58) != section_bytes) refuse(where_, "has section headers of {} bytes, not 64", half(58));
    need(table, count * section_bytes, "section headers");
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t section = table + i * section_bytes, type = word32(section + 4);
      if (type == symbol_table_section) read_symbol_table(table, i, count);
      if (type == attributes_section) read_attributes(word(section + 24), word(section + 32));
    }
    std::ranges::sort(read_.symbols, {}, [](const auto& symbol) {
      return std::tuple(symbol.address, symbol.function, std::string_view(symbol.name));
    });
  }

  void read_symbol_table(std::uint64_t sections, std::uint64_t index, std::uint64_t section_count) {
    const std::uint64_t at = sections + index * section_bytes;
    const std::uint64_t offset = word(at + 24), bytes = word(at + 32), link = word32(at + 40);
    if (word(at + 56) != symbol_bytes) refuse(where_, "has symbols of {} bytes, not 24", word(at + 56));
    if (link >= section_count) refuse(where_, "has a symbol table without names (section {})", link);
    if (bytes / symbol_bytes > most_symbols) refuse(where_, "has more than {} symbols", most_symbols);
    need(offset, bytes, "the symbol table");
    const std::uint64_t names = word(sections + link * section_bytes + 24);
    const std::uint64_t names_bytes = word(sections + link * section_bytes + 32);
    need(names, names_bytes, "the symbol names");
    for (std::uint64_t i = 1; i < bytes / symbol_bytes; ++i)
      read_symbol(offset + i * symbol_bytes, names, names_bytes);
  }

  void read_symbol(std::uint64_t at, std::uint64_t names, std::uint64_t names_bytes) {
    const unsigned type = byte(at + 4) & 15;
    if (half(at + 6) == undefined_section || type > function_type) return;
    const std::uint64_t name = word32(at);
    if (name >= names_bytes) refuse(where_, "has a symbol whose name lies outside the name table");
    const char* first = reinterpret_cast<const char*>(elf_.data() + names + name);
    const void* last = std::memchr(first, 0, names_bytes - name);
    if (last == nullptr) refuse(where_, "has a symbol name without an end");
    const std::string_view text(first, static_cast<std::size_t>(static_cast<const char*>(last) - first));
    // Mapping symbols ($x, $d) and local labels name no thing that a person would look for.
    if (text.empty() || text.starts_with('$') || text.starts_with(".L")) return;
    const std::uint64_t address = word(at + 8);
    read_.symbols.push_back({address, word(at + 16), std::string(text),
                             type != object_type && in_code(address), type == function_type});
  }

  void read_attributes(std::uint64_t offset, std::uint64_t bytes) {
    need(offset, bytes, "the attributes");
    read_.promised_vlen_bits = toolchain::promised_vlen_bits(elf_.subspan(offset, bytes), where_);
  }

  bool in_code(std::uint64_t address) const {
    return std::ranges::any_of(read_.segments, [address](const ElfSegment& segment) {
      return segment.executable && address >= segment.address && address < segment.end();
    });
  }

  void need(std::uint64_t offset, std::uint64_t bytes, std::string_view what) const {
    if (offset > elf_.size() || bytes > elf_.size() - offset)
      refuse(where_, "is truncated or damaged: {} would be the {} bytes from byte {} on, the file has {}",
             what, bytes, offset, elf_.size());
  }

  unsigned byte(std::uint64_t at) const { return std::to_integer<unsigned>(elf_[at]); }
  template <typename Word>
  Word little_endian(std::uint64_t at) const {
    Word value;
    std::memcpy(&value, elf_.data() + at, sizeof value);
    return value;
  }
  std::uint64_t half(std::uint64_t at) const { return little_endian<std::uint16_t>(at); }
  std::uint32_t word32(std::uint64_t at) const { return little_endian<std::uint32_t>(at); }
  std::uint64_t word(std::uint64_t at) const { return little_endian<std::uint64_t>(at); }

  std::span<const std::byte> elf_;
  std::string where_;
  Elf read_;
};

}  // namespace

Elf read_elf(std::span<const std::byte> elf, std::string_view where) { return ElfReader(elf, where).read(); }

}  // namespace dojo::toolchain
